"""What is marked in images, to score maps against: objects with boxes, sizes and pixels."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mscam_tf.data.labelling import measure_boxes
from mscam_tf.data.manifests import (
    NO_OBJECT,
    VISIBLE,
    Box,
    Manifest,
    ManifestError,
    find_boxes,
    find_denied,
    refuse_denied,
    split_findings,
)
from mscam_tf.data.reading import (
    ImageError,
    Problem,
    ReadOptions,
    map_images,
    read_mask,
    read_stored,
    resize_mask,
)
from mscam_tf.evaluation.truth import list_corners, list_marked
from mscam_tf.names import show_place
from mscam_tf.runs import Task

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class MarkedImage:
    """What is marked in one image.

    Attributes:
        boxes: Of each object, in pixels of the size that a model sees.
        sizes: Side of each (root of the area of its box), whole where the image's edge cuts it, in
            pixels of the file; `(n,)`.
        mask: The file of the mask, if there is one.
        image_size: `(height, width)` that a model sees.
        read: How masks are read.
    """

    boxes: tuple[Box, ...]
    sizes: np.ndarray
    mask: Path | None
    image_size: tuple[int, int]
    read: ReadOptions

    @property
    def asked(self) -> np.ndarray:
        """Which objects are to be found: those of which at least half is in the image, `(n,)`."""
        return np.array([box.visible >= VISIBLE for box in self.boxes], bool)

    @property
    def corners(self) -> np.ndarray:
        """The boxes as numbers, `(n, 4)`: `x_min, y_min, x_max, y_max`."""
        return list_corners(self.boxes)

    def paint(self) -> np.ndarray:
        """Return which pixels belong to objects, `(H, W)`: those of the mask, or of the boxes."""
        if self.mask is not None:
            return resize_mask(read_mask(self.mask, self.read), self.image_size)
        there = np.zeros(self.image_size, bool)
        for box in self.boxes:
            there[box.find_pixels()] = True
        return there


def choose_findings(task: Task, manifest: Manifest) -> Sequence[str]:
    """Return what a label must name where it is marked: all findings, if labels are of them."""
    named = {name for sample in manifest.samples for name in split_findings(sample.label)}
    of_task = not task.exclusive and named <= set(task.class_names)
    return task.class_names if of_task else ()


def read_marked_images(
    manifest: Manifest,
    image_size: tuple[int, int],
    read: ReadOptions,
    *,
    good: str | None = None,
    findings: Sequence[str] = (),
    skip_bad: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[Manifest, list[MarkedImage], list[Problem]]:
    """Read the objects of images, from the column `mask` and a `boxes.csv` beside them.

    Where there are boxes, they are the objects, and so are parts of the mask that no box meets.

    Args:
        manifest: The images. One whose label names something, but in which nothing is marked, is
            left out: nobody knows where its objects are.
        image_size: `(height, width)` to which images are resized.
        read: How they are read.
        good: The class of good images, beside `none`.
        findings: All findings, where labels name several of them.
        skip_bad: Leave out images whose size or mask cannot be read.
        on_progress: Called with 1 after each image.

    Returns:
        The images that can be scored, the objects of each, and the problems of others.

    Raises:
        ImageError: If masks cannot be read, or have other sizes than their images: all are named.
        ManifestError: If nothing is marked in any image, a box lies beside its image, or a label
            denies what is marked.
    """
    boxes = find_boxes(manifest) or {}
    reader = _Reader(manifest, boxes, image_size, good, findings)
    kept, found, problems, unknown = [], [], [], 0
    results = map_images(reader.read, manifest.paths, read)
    for sample, result in zip(manifest.samples, results, strict=True):
        if isinstance(result, ImageError):
            problems += result.problems
        elif not result.boxes and sample.label not in ("", NO_OBJECT, good):
            unknown += 1
        else:
            kept.append(sample)
            found.append(result)
        if on_progress is not None:
            on_progress(1)
    if problems and not (skip_bad and kept):
        raise ImageError.of_several(problems, readable=bool(kept))
    refuse_denied(reader.denied[path] for path in manifest.paths if path in reader.denied)
    if unknown:
        _LOGGER.warning("%d images are left out: nothing is marked in them.", unknown)
    if not any(one.asked.any() for one in found):
        raise ManifestError(
            "Some objects must be marked, by masks (column mask) or boxes (boxes.csv beside the "
            f"images). Received: {show_place(manifest.root)}, {len(manifest.samples)} images "
            "without"
        )
    return replace(manifest, samples=tuple(kept)), found, problems


class _Reader:
    """Reads the objects of one image after the other."""

    def __init__(
        self,
        manifest: Manifest,
        boxes: "dict[str, Sequence[Box]]",
        image_size: tuple[int, int],
        good: str | None,
        findings: Sequence[str],
    ) -> None:
        self.root, self.boxes, self.image_size = manifest.root, boxes, image_size
        self.good, self.findings = good, findings
        self.denied: dict[Path, str] = {}
        self.samples = {manifest.root / sample.path: sample for sample in manifest.samples}

    def read(self, path: Path, options: ReadOptions) -> MarkedImage:
        sample = self.samples[path]
        boxes = self.boxes.get(sample.path, ())
        if not (boxes or sample.mask):
            return MarkedImage((), np.zeros(0), None, self.image_size, options)
        size = read_stored(path, options.page, options.max_pixels).values.shape
        boxes = list_marked(self.root, sample, boxes, options, size)
        self.denied[path] = find_denied(sample, boxes, findings=self.findings, good=self.good)
        mask = self.root / sample.mask if sample.mask else None
        sizes = np.array(measure_boxes(boxes), float)
        scaled = tuple(box.resize(size, self.image_size) for box in boxes)
        return MarkedImage(scaled, sizes, mask, self.image_size, options)
