"""Images that several benchmarks train on and score."""

from pathlib import Path
from typing import Literal

import numpy as np


def make_data(
    folder: Path,
    images: int,
    seed: int,
    side: int = 128,
    difficulty: float = 1.0,
    labels: Literal["scale", "binary"] = "scale",
) -> Path:
    """Simulate radiographs of the four size classes, or of two, unless they are there."""
    from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs

    if not (folder / "manifest.csv").exists():  # Which is written last.
        config = SimulationConfig(image_size=(side, side), difficulty=difficulty)
        write_radiographs(folder, Plan(images, config, labels=labels, seed=seed), processes=2)
    return folder


def read_crops(folder: Path):
    """Return the manifest, images and labels of real crops in the folders `none` and `bone`."""
    import mscam_tf

    manifest = mscam_tf.read_manifest(folder)
    images = np.stack([mscam_tf.read_image(path) for path in manifest.paths])
    labels = np.array([sample.label == "bone" for sample in manifest.samples], int)
    return manifest, images, labels


def draw_crops(labels: np.ndarray, size: int, draw: int) -> np.ndarray:
    """Return the indices of so many crops, half of each class; each draw by itself."""
    generator = np.random.default_rng([size, draw])
    halves = [generator.permutation(np.flatnonzero(labels == c))[: size // 2] for c in (0, 1)]
    return np.concatenate(halves)
