"""What is marked in an image: the one reader of boxes and masks that all scores rest on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import find_objects

from mscam_tf.data.manifests import Box, Sample, check_inside
from mscam_tf.data.reading import ReadOptions, number_objects, read_mask_of


def list_marked(
    root: Path,
    sample: Sample,
    boxes: Sequence[Box],
    read: ReadOptions,
    size: tuple[int, ...] | None = None,
) -> list[Box]:
    """List the objects of an image: its boxes, and each part of its mask that no box meets.

    Args:
        root: Folder of the manifest.
        sample: The image.
        boxes: From the `boxes.csv`; cut to the image where its size is known.
        read: How masks are read.
        size: `(height, width)` of the image in its file; by default that of its mask, if it has
            one.

    Raises:
        ImageError: If the mask cannot be read, has another size than the image, or is not turned as
            the image is.
        ManifestError: If a box lies beside the image.
    """
    mask = None
    if sample.mask:
        mask = read_mask_of(root / sample.path, root / sample.mask, read, size)
    if size is None and mask is not None:
        size = mask.shape
    found = list(boxes) if size is None else cut_boxes(boxes, sample.path, size)
    return found if mask is None else found + _list_others(mask, found, f"its mask {sample.mask}")


def cut_boxes(boxes: Sequence[Box], image: str, size: tuple[int, ...]) -> list[Box]:
    """Cut boxes to their image `(height, width)`.

    Raises:
        ManifestError: If one lies beside it.
    """
    height, width = size
    check_inside(boxes, image, (height, width))
    return [cut for box in boxes if (cut := box.clip(width, height))]


def list_corners(boxes: Sequence[Box]) -> np.ndarray:
    """Return boxes as numbers, `(n, 4)`: `x_min, y_min, x_max, y_max`."""
    corners = [(box.x_min, box.y_min, box.x_max, box.y_max) for box in boxes]
    return np.array(corners, float).reshape(-1, 4)


def _list_others(mask: np.ndarray, boxes: Sequence[Box], place: str) -> list[Box]:
    """Return the boxes of the objects in a mask that no box meets."""
    numbers = number_objects(mask)
    met = {0}
    for box in boxes:
        met |= set(np.unique(numbers[box.find_pixels()]).tolist())
    places = enumerate(find_objects(numbers), start=1)
    size = (mask.shape[0], mask.shape[1])
    return [
        Box(x.start, y.start, x.stop, y.stop, place=place, image_size=size)
        for k, (y, x) in places
        if k not in met
    ]
