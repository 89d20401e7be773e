"""Read what is marked in images: the masks of a manifest, and the boxes beside it."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mscam_tf.data.manifests import (
    NO_OBJECT,
    VISIBLE,
    Box,
    Manifest,
    Sample,
    check_inside,
    find_boxes,
    find_denied,
    refuse_denied,
)
from mscam_tf.data.reading import ImageError, Problem, ReadOptions, read_mask_of
from mscam_tf.runs import Task
from mscam_tf.training.map_supervision import BOXED, MASKED, MAYBE
from mscam_tf.training.marks import Mark, Marks
from mscam_tf.training.nesting import settle_overlaps

_LOGGER = logging.getLogger(__name__)


def read_marks(
    manifest: Manifest,
    task: Task,
    sizes: Mapping[Path, tuple[int, int]],
    image_size: tuple[int, int],
    read: ReadOptions,
) -> Marks | None:
    """Read the masks and boxes of images, from the column `mask` and a `boxes.csv` beside them.

    The class of an object is that of its box, if it is one of the task's, or else that of its
    image. Where neither says it for sure, the object may be there, but is not asked for; nor is one
    that the edge of the image cuts by more than half.

    Args:
        manifest: The images.
        task: What their labels mean.
        sizes: `(height, width)` of each image file, as `check_images` returns them.
        image_size: Size to which the images are resized.
        read: How they are read.

    Returns:
        The marks; `None` if no object is marked.

    Raises:
        ImageError: If masks cannot be read, or have other sizes than their images: all are named.
        ManifestError: If a row of the boxes holds none, or one that lies outside its image, or
            labels deny what is marked (see `find_denied`): all such images are named.
    """
    boxes = find_boxes(manifest) or {}
    if not (any(boxes.values()) or any(sample.mask for sample in manifest.samples)):
        return None
    labels = task.encode(manifest)
    own = np.eye(len(task.class_names), dtype=bool)[labels] if task.exclusive else labels > 0
    own &= np.array(task.class_names) != NO_OBJECT
    reader = _Reader(manifest.root, task, image_size, read)
    marks = [
        reader.read(sample, boxes.get(sample.path, ()), row, sizes[manifest.root / sample.path])
        for sample, row in zip(manifest.samples, own, strict=True)
    ]
    if reader.problems:
        raise ImageError(
            reader.problems, "Mend them, or learn from the labels alone: map_weight 0."
        )
    _warn_of_unmarked(manifest, marks, own)
    refuse_denied(reader.denied, ", or learn from the labels alone: map_weight 0")
    shown = np.array([_list_shown(mark, image_size, len(own[0])) for mark in marks])
    if not shown.any():
        return None
    _LOGGER.info("Objects are marked in %d of %d images.", shown.any(1).sum(), len(marks))
    most = max(len(mark.kinds) for mark in marks if mark is not None)
    return Marks(image_size, tuple(marks), own, shown, most)


def _warn_of_unmarked(manifest: Manifest, marks: Sequence[Mark | None], own: np.ndarray) -> None:
    """Say how many masks are empty though their image has an object: of another layer, perhaps."""
    pairs = [
        (s.path, m)
        for s, m, row in zip(manifest.samples, marks, own, strict=True)
        if s.mask and row.any()
    ]
    empty = [path for path, mark in pairs if mark is None]
    if empty:
        _LOGGER.warning(
            "Masks are empty although the label of their image is not %s: nothing is learned of "
            "places in these images. Perhaps another layer was exported. Received: %d of %d masks "
            "of such images, that of %s first",
            NO_OBJECT,
            len(empty),
            len(pairs),
            empty[0],
        )


def _list_shown(mark: Mark | None, image_size: tuple[int, int], classes: int) -> np.ndarray:
    """Return which classes have an object that is asked for and that is left in the image."""
    if mark is None:
        return np.zeros(classes, bool)
    found = np.unique(mark.paint(image_size))
    return (mark.kinds[found[found > 0] - 1] >= BOXED).any(0)


class _Reader:
    """Reads what is marked in one image after the other, and gathers the problems."""

    def __init__(
        self, root: Path, task: Task, image_size: tuple[int, int], read: ReadOptions
    ) -> None:
        self.root, self.names = root, task.class_names
        self.image_size, self.options = image_size, read
        self.objects = np.array(task.class_names) != NO_OBJECT
        self.findings = [] if task.exclusive else task.class_names
        self.problems: list[Problem] = []
        self.denied: list[str] = []

    def read(
        self, sample: Sample, boxes: Sequence[Box], own: np.ndarray, size: tuple[int, int]
    ) -> Mark | None:
        mask = self._find_mask(sample, size)
        if mask is None and not boxes:
            return None
        check_inside(boxes, sample.path, size)
        boxes = [cut for box in boxes if (cut := box.clip(size[1], size[0]))]
        self.denied.append(
            find_denied(sample, boxes, masked=mask is not None, findings=self.findings)
        )
        how = BOXED if mask is None else MASKED
        kinds = [
            self._tell(box.label, own, how if mask or box.visible >= VISIBLE else MAYBE)
            for box in boxes
        ]
        kinds.append(self._tell("", own, how))
        scaled = tuple(box.resize(size, self.image_size) for box in boxes)
        return Mark(scaled, settle_overlaps(np.array(kinds, np.int32), scaled), mask, self.options)

    def _find_mask(self, sample: Sample, size: tuple[int, int]) -> Path | None:
        """Return the mask of an image, if there is an object in it."""
        if not sample.mask:
            return None
        path = self.root / sample.mask
        try:
            mask = read_mask_of(self.root / sample.path, path, self.options, size)
        except ImageError as error:
            self.problems += error.problems
            return None
        return path if mask.any() else None

    def _tell(self, label: str, own: np.ndarray, how: int) -> np.ndarray:
        """Return what an object is for each class: the one of its label, or that of its image."""
        if label in self.names:
            return how * (np.array(self.names) == label)
        if own.sum() == 1:
            return how * own
        return MAYBE * (own if own.any() else self.objects)
