"""What is marked in images: which object each pixel belongs to, and how much that counts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from mscam_tf.data.manifests import Box, Manifest
from mscam_tf.data.reading import ReadOptions, read_mask, resize_mask
from mscam_tf.training.nesting import order_boxes

_MOST = 8.0  # That an image counts, however few are marked.


@dataclass(frozen=True)
class Mark:
    """What is marked in one image of the size that a model is trained on.

    Attributes:
        boxes: In pixels of that size. A place in several belongs to the smallest.
        kinds: What each object is for each class, `(len(boxes) + 1, C)`; see `measure_map`. The
            last are those of the mask that lie in no box.
        mask: The file of the mask: of the boxes only what is in it counts.
        read: How it is read.
    """

    boxes: tuple[Box, ...]
    kinds: np.ndarray
    mask: Path | None
    read: ReadOptions

    def paint(self, image_size: tuple[int, int]) -> np.ndarray:
        """Return the number of the object at each pixel, from 1, or 0; uint16 `(H, W)`.

        Raises:
            ImageError: If the mask cannot be read.
        """
        numbers = np.zeros(image_size, np.uint16)
        for index in order_boxes(self.boxes):
            numbers[self.boxes[index].find_pixels()] = index + 1
        if self.mask is None:
            return numbers
        there = resize_mask(read_mask(self.mask, self.read), image_size)
        rest = np.uint16(len(self.boxes) + 1)
        return np.where(there, np.where(numbers > 0, numbers, rest), 0).astype(np.uint16)


@dataclass(frozen=True)
class Marks:
    """What is marked in the images of a training, and how much it counts.

    Attributes:
        image_size: `(height, width)` of the images.
        marks: Of each image, in their order; `None` where nothing is.
        own: Which classes with objects the label of each image names, `(n, C)`.
        shown: Which classes have an object that is asked for, `(n, C)`.
        objects: How many objects an image may have.
    """

    image_size: tuple[int, int]
    marks: tuple[Mark | None, ...]
    own: np.ndarray
    shown: np.ndarray
    objects: int

    def take(self, rows: Sequence[int] | np.ndarray) -> "Marks":
        """Return those of some of the images."""
        marks = tuple(self.marks[row] for row in rows)
        return replace(self, marks=marks, own=self.own[rows], shown=self.shown[rows])

    def hash(self, index: int) -> str:
        """Return what tells the marks of an image from others; empty where there are none."""
        mark = self.marks[index]
        if mark is None:
            return ""
        data = (mark.paint(self.image_size), mark.kinds)
        return hashlib.sha256(b"".join(part.tobytes() for part in data)).hexdigest()

    def paint(self, index: int) -> np.ndarray:
        """Return the number of the object at each pixel of an image, float32 `(H, W, 1)`."""
        mark = self.marks[index]
        size = self.image_size
        numbers = np.zeros(size) if mark is None else mark.paint(size)
        return numbers[..., None].astype(np.float32)

    @cached_property
    def kinds(self) -> np.ndarray:
        """What each object is for each class, int32 `(n, N, C)`."""
        kinds = np.zeros((len(self.marks), self.objects, self.own.shape[1]), np.int32)
        for row, mark in enumerate(self.marks):
            if mark is not None:
                kinds[row, : len(mark.kinds)] = mark.kinds
        return kinds

    @cached_property
    def counts(self) -> np.ndarray:
        """How much each class of each image counts in the loss of the maps, float32 `(n, C)`.

        Images that show a class, and those that are known to have nothing of it, count alike:
        `n / 2` each, shared among them, but none more than 8. Known to have nothing of a class are
        images without any object, and those in which others are marked. An image whose label
        names a class, but in which nothing of it is marked, does not count for it; nor does any
        for a class that is marked nowhere. All is divided by the number of classes that are marked.
        """
        marked = self.shown.any(1, keepdims=True) | ~self.own.any(1, keepdims=True)
        empty = marked & ~self.own & ~self.shown
        known = self.shown.any(0)
        half = len(self.marks) / 2
        counts = np.zeros(self.own.shape)
        for chosen in (self.shown, empty):
            each = np.minimum(half / np.maximum(chosen.sum(0), 1), _MOST)
            counts += chosen * each
        return (counts * known / max(known.sum(), 1)).astype(np.float32)


def split_marks(marks: Marks, manifest: Manifest) -> dict[str, Marks]:
    """Return the marks of the training and of the validation images of a split manifest.

    There are none if nothing is marked in the training images. In the validation only classes count
    that are marked there.
    """
    splits = np.array([sample.split for sample in manifest.samples])
    train, held_out = (marks.take(np.flatnonzero(splits == s)) for s in ("train", "validation"))
    known = train.shown.any(0)
    if not known.any():
        return {}
    return {"train": train, "validation": replace(held_out, shown=held_out.shown & known)}
