"""Small made-up data in the layout of GDXray."""

import numpy as np
from PIL import Image

WELD_BOXES = {1: [(3, 5, 9, 12), (40, 2, 50, 8)], 2: [(10, 10, 14, 20)]}


def write_fishbones(folder):
    """Write 16 originals with three copies each for training, and 4 for the test."""
    generator = np.random.default_rng(0)
    for name, prefixes, count, first in (("train", "BLU", 8, 1), ("test", "", 2, 81)):
        for number in range(2):
            place = folder / "fishbones" / name / f"class_{number}"
            place.mkdir(parents=True)
            for index in range(first + 100 * number, first + 100 * number + count):
                crop = generator.integers(0, 120 + 100 * number, (100, 100)).astype(np.uint8)
                for turns, prefix in enumerate(["", *prefixes]):
                    image = Image.fromarray(np.rot90(crop, turns))
                    image.save(place / f"{prefix}N0002_{index:04d}.jpg")
    return folder


def write_welds(folder, films=10, size=(30, 70)):
    """Write films with two defects in the first, one in the second, and none in the others."""
    generator = np.random.default_rng(0)
    rows = []
    for series in ("W0001", "W0002"):
        (folder / "Welds" / series).mkdir(parents=True)
    for number in range(1, films + 1):
        film, mask = generator.integers(0, 255, size).astype(np.uint8), np.zeros(size, bool)
        for x_min, y_min, x_max, y_max in WELD_BOXES.get(number, []):
            mask[y_min:y_max, x_min:x_max] = True
            rows.append([number, x_min + 0.5, x_max + 0.5, y_min + 0.5, y_max + 0.5])
        Image.fromarray(film).save(folder / "Welds" / "W0001" / f"W0001_{number:04d}.png")
        Image.fromarray(mask).save(folder / "Welds" / "W0002" / f"W0002_{number:04d}.png")
    np.savetxt(folder / "Welds" / "W0001" / "ground_truth.txt", rows)
    return folder
