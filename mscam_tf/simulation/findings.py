"""Fillets with several findings in one image: any of bones, metal and voids."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import find_objects

from mscam_tf.data.manifests import (
    BOXES_FILE,
    MANIFEST_FILE,
    Box,
    Manifest,
    Sample,
    join_findings,
    split_findings,
    write_boxes,
    write_manifest,
)
from mscam_tf.data.reading import number_objects
from mscam_tf.errors import MscamError
from mscam_tf.simulation.config import SimulationConfig
from mscam_tf.simulation.dataset import write_each, write_image
from mscam_tf.simulation.detector import draw_detector, expose
from mscam_tf.simulation.fillet import draw_fillet
from mscam_tf.simulation.materials import transmit
from mscam_tf.simulation.seeds import open_stream
from mscam_tf.simulation.things import DRAW, Thing, insert, mark

FINDINGS = ("bone", "metal", "void")
_MOST_TRIES = 50


@dataclass(frozen=True)
class FindingsImage:
    """A simulated image and what is in it.

    Attributes:
        image: `(H, W)`, uint8 for 8 bits, else uint16; dense is bright.
        masks: For each finding in the image, the pixels that show it, `(H, W)`, bool.
    """

    image: np.ndarray
    masks: Mapping[str, np.ndarray]


def simulate_findings(
    findings: Sequence[str], config: SimulationConfig, generator: np.random.Generator
) -> FindingsImage:
    """Simulate a patch of a fillet with these findings and no others.

    Args:
        findings: Some of `FINDINGS`: bones, chips and wires of steel, bubbles.
        config: Settings of the image; `difficulty` divides the contrast of all findings.
        generator: Random generator.

    Returns:
        The `FindingsImage`.

    Raises:
        ValueError: If a finding is unknown, or fits nowhere.

    Examples:
        >>> import numpy as np
        >>> config = SimulationConfig(image_size=(64, 64))
        >>> found = simulate_findings(["metal", "void"], config, np.random.default_rng(0))
        >>> sorted(found.masks)
        ['metal', 'void']
    """
    unknown = sorted(set(findings) - set(FINDINGS))
    if unknown:
        raise MscamError(f"`findings` must be among {FINDINGS}. Received: {unknown}")
    size = config.image_size
    # Pockets of air are voids, and would have no label.
    fillet = draw_fillet(size, config.pixel_pitch, config.hard_negatives, generator, pockets=0)
    carrier = {"muscle": fillet.muscle - fillet.fat, "fat": fillet.fat}
    masks: dict[str, np.ndarray] = {}
    for name in findings:
        for _ in range(_MOST_TRIES):
            for thing in _draw(name, config, generator):
                shadow = insert(thing, carrier)
                if shadow is not None:
                    mark(shadow, masks, size)
            if name in masks:
                break
        else:
            raise MscamError(f"No {name} fits into the image. Received: image_size={size}")
    detector = draw_detector(size, config.photons, config.hard_negatives, generator)
    return FindingsImage(expose(transmit(carrier), detector, config.bit_depth, generator), masks)


def write_findings(
    folder: str | Path,
    images: int,
    config: SimulationConfig | None = None,
    seed: int = 0,
    *,
    processes: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Path:
    """Write a data set of images with several findings: each combination equally often.

    `manifest.csv` lists them with labels such as `bone|void`, or `none`; `masks/FINDING/` has a
    mask for each finding of each image, and `boxes.csv` a box around each connected part of these,
    with the finding as its label.

    Args:
        folder: Where to write; created if missing.
        images: How many images.
        config: Settings of the images.
        seed: The same settings and seed give the same bytes. Data sets that differ in any setting,
            such as the number of images, share no image.
        processes: Processes to simulate in. With more than one, a script needs the usual
            `if __name__ == "__main__"`.
        on_progress: Called with 1 after each image.

    Returns:
        The folder.

    Raises:
        ValueError: If there is no image to write, or a finding fits nowhere.
    """
    if images < 1:
        raise MscamError(f"`images` must be positive. Received: {images}")
    folder = Path(folder)
    config = config or SimulationConfig()
    settings = {"kind": "findings", "images": images, "config": asdict(config), "seed": seed}
    labels = assign_findings(images, open_stream(settings, 0))
    write = partial(_write_one, folder, config, settings)
    samples, boxes = [], {}
    for sample, boxes_of_one in write_each(write, labels, processes):
        samples.append(sample)
        boxes[sample.path] = boxes_of_one
        if on_progress is not None:
            on_progress(1)
    write_boxes(boxes, folder / BOXES_FILE)
    write_manifest(Manifest(folder, tuple(samples)), folder / MANIFEST_FILE)
    return folder


def assign_findings(images: int, generator: np.random.Generator) -> list[str]:
    """Return the label of each image: all combinations equally often, shuffled.

    Examples:
        >>> sorted(assign_findings(8, np.random.default_rng(0)))[:3]
        ['bone', 'bone|metal', 'bone|metal|void']
    """
    combinations = [
        join_findings([name for name, there in zip(FINDINGS, bits, strict=True) if there])
        for bits in product([False, True], repeat=len(FINDINGS))
    ]
    labels = [combinations[index % len(combinations)] for index in range(images)]
    return generator.permutation(labels).tolist()


def _draw(name: str, config: SimulationConfig, generator: np.random.Generator) -> list[Thing]:
    """Draw things of a finding, with the contrast that the difficulty leaves."""
    kind = {"bone": "bone", "void": "void", "metal": generator.choice(["metal", "wire"])}[name]
    things = DRAW[str(kind)](config.image_size, generator)
    return [
        Thing((name,), thing.shape, thing.material, thing.contrast / config.difficulty)
        for thing in things
    ]


def _write_one(
    folder: Path, config: SimulationConfig, settings: Mapping[str, Any], index: int, label: str
) -> tuple[Sample, list[Box]]:
    found = simulate_findings(split_findings(label), config, open_stream(settings, index + 1))
    name = f"{index:05d}.png"
    write_image(folder / "images" / name, found.image)
    for finding, mask in found.masks.items():
        write_image(folder / "masks" / finding / name, mask.astype(np.uint8) * 255)
    boxes = [box for finding, mask in found.masks.items() for box in _find_boxes(mask, finding)]
    return Sample(f"images/{name}", label, f"images/{name}"), boxes


def _find_boxes(mask: np.ndarray, finding: str) -> list[Box]:
    places = find_objects(number_objects(mask))
    return [Box(x.start, y.start, x.stop, y.stop, finding) for y, x in places]
