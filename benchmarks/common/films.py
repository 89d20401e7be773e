"""Patches of films, with the boxes of what is in them."""

from dataclasses import dataclass

import numpy as np

import mscam_tf


@dataclass(frozen=True)
class Patches:
    """All patches of the films, with their boxes `(n, 4)` and the masks of these."""

    names: list[str]
    images: np.ndarray
    boxes: list[np.ndarray]
    masks: np.ndarray
    labels: np.ndarray
    films: np.ndarray


def read_patches(manifest) -> Patches:
    images = np.stack([mscam_tf.read_image(path) for path in manifest.paths])
    named = mscam_tf.read_boxes(manifest.root / "boxes.csv")
    boxes = [
        np.array([(b.x_min, b.y_min, b.x_max, b.y_max) for b in named.get(s.path, [])])
        for s in manifest.samples
    ]
    boxes = [corners.reshape(-1, 4) for corners in boxes]
    return Patches(
        names=[sample.path for sample in manifest.samples],
        images=images,
        boxes=boxes,
        masks=np.stack([_fill(corners, images.shape[1:]) for corners in boxes]),
        labels=np.array([manifest.class_names.index(s.label) for s in manifest.samples]),
        films=np.array([sample.group for sample in manifest.samples]),
    )


def _fill(corners, size):
    """The defects' boxes as a mask: maps are judged by what annotators draw."""
    mask = np.zeros(size, bool)
    for x_min, y_min, x_max, y_max in corners:
        rows = slice(int(np.floor(y_min)), int(np.ceil(y_max)))
        mask[rows, int(np.floor(x_min)) : int(np.ceil(x_max))] = True
    return mask
