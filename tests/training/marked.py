"""Images in which objects are marked, and a cue that betrays their class elsewhere."""

import numpy as np
from PIL import Image

from mscam_tf.data.manifests import Box, Manifest, Sample, write_boxes, write_manifest

SIDE = 32


def write_marked(folder, count=40, boxed=1.0, masks=False, seed=0):
    """Write `count` images of each class; those of `spot` have a spot, and in a corner a cue.

    The cue tells the class as well as the spot does, and is more. A share of the spots is boxed, or
    masked.
    """
    generator = np.random.default_rng(seed)
    samples, boxes = [], {}
    for label in ("none", "spot"):
        for number in range(count):
            image = generator.normal(90, 12, (SIDE, SIDE))
            mask = np.zeros((SIDE, SIDE), np.uint8)
            x, y = generator.integers(12, SIDE - 8, 2)
            name, shown = f"{label}{number}.png", ""
            if label == "spot":
                image[y : y + 5, x : x + 5] += 70
                image[1:7, 1:7] -= 85
                mask[y : y + 5, x : x + 5] = 1
                if number < boxed * count and masks:
                    shown = f"mask_{name}"
                    Image.fromarray(mask).save(folder / shown)
                elif number < boxed * count:
                    boxes[name] = [Box(x - 1, y - 1, x + 6, y + 6)]
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / name)
            split = {0: "validation", 1: "test"}.get(number % 5, "train")
            samples.append(Sample(name, label, name, split, shown))
    if boxes:
        write_boxes(boxes, folder / "boxes.csv")
    write_manifest(Manifest(folder, tuple(samples)), folder / "manifest.csv")
    return folder
