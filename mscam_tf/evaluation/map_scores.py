"""What maps of images are worth: of one image, and of many, each as often as a bootstrap says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from mscam_tf.evaluation.marked_images import MarkedImage
from mscam_tf.metrics import (
    MARK_TOLERANCE,
    RATIOS,
    FreeResponse,
    average_precision_of_counts,
    count_pixels,
    measure_box_overlaps,
    points_at,
    scale_to_unit,
    score_marks,
)

STEP = 0.02  # Between the thresholds of box accuracy: finer ones take longer, and change little.


@dataclass(frozen=True)
class MapScore:
    """What one map of one image is worth.

    Attributes:
        marks: Its peaks against the objects.
        points: Whether its brightest pixel lies on an object.
        counts: Its pixels by value, in objects and beside them, `(2, 1001)`.
        overlaps: How well its boxes fit at each threshold, `(K,)`.

    The last three are `None` of an image in which nothing is to be found.
    """

    marks: FreeResponse
    points: bool | None = None
    counts: np.ndarray | None = None
    overlaps: np.ndarray | None = None


def score_map(map_: np.ndarray, objects: MarkedImage, mask: np.ndarray) -> MapScore:
    """Score a map `(H, W)` against the objects of its image, and their pixels `(H, W)`."""
    marks = score_marks([map_], [objects.corners])
    if not objects.asked.any():
        return MapScore(marks)
    unit = scale_to_unit(map_)
    overlaps = measure_box_overlaps(unit, objects.corners[objects.asked], interval=STEP)
    return MapScore(
        marks, points_at(map_, mask, MARK_TOLERANCE), count_pixels(unit, mask), overlaps
    )


@dataclass(frozen=True)
class _Sized:
    """Scores by the size of objects. An image is of the size of its largest one."""

    objects: Sequence[MarkedImage]

    @cached_property
    def largest(self) -> np.ndarray:
        """Size of the largest object of each image that is to be found, 0 without one, `(n,)`."""
        return np.array([one.sizes[one.asked].max(initial=0) for one in self.objects])

    @cached_property
    def sizes(self) -> np.ndarray:
        """Size of each object of all images; NaN of one that need not be found."""
        return np.concatenate([np.where(one.asked, one.sizes, np.nan) for one in self.objects])

    @cached_property
    def owners(self) -> np.ndarray:
        """The image of each object."""
        return np.repeat(np.arange(len(self.objects)), [len(one.boxes) for one in self.objects])

    def choose(self, limits: tuple[float, float]) -> np.ndarray:
        """Return which objects are of a range of sizes."""
        return (self.sizes >= limits[0]) & (self.sizes < limits[1])

    def choose_images(self, limits: tuple[float, float]) -> np.ndarray:
        """Return which images are of a range of sizes."""
        low, high = limits
        return (self.largest > 0) & (self.largest >= low) & (self.largest < high)

    def count(self, limits: tuple[float, float]) -> tuple[int, int]:
        """Return how many images and objects are of a range of sizes."""
        return int(self.choose_images(limits).sum()), int(self.choose(limits).sum())

    def share(self, hits: np.ndarray, limits: tuple[float, float], times: np.ndarray) -> float:
        """Return the share of objects that are found, each as often as its image counts."""
        weights = times[self.owners] * self.choose(limits)
        return float(np.average(hits, weights=weights)) if weights.any() else float("nan")


@dataclass(frozen=True)
class MapScores(_Sized):
    """What the maps of many images are worth.

    Attributes:
        objects: Of each image.
        scores: Of the map of each image.
    """

    scores: Sequence[MapScore]
    measures: ClassVar[tuple[str, ...]] = ("pointing", "pxap", "max_box_acc_v2", "found")

    @cached_property
    def response(self) -> FreeResponse:
        """The marks of all images together."""
        objects = np.concatenate([one.marks.objects for one in self.scores])
        return FreeResponse(objects, self._false_marks[0], len(self.scores))

    def measure(self, name: str, limits: tuple[float, float], rows: np.ndarray) -> float:
        """Return one of the measures over images, for objects of a range of sizes.

        Args:
            name: Of the measure.
            limits: The smallest size, and the one above the largest.
            rows: Which images count, `(m,)`; one may count several times.

        Returns:
            A share, in `[0, 1]`; NaN where there is no such object.
        """
        times = np.bincount(rows, minlength=len(self.scores))
        if name == "found":
            hits = self.response.objects > self._find_threshold(times)
            return self.share(hits, limits, times)
        weights = np.where(self.choose_images(limits), times, 0.0)[self._shown]
        if not weights.any():
            return float("nan")
        if name == "pxap":
            return average_precision_of_counts((weights @ self._counts).reshape(2, -1))
        if name == "pointing":
            return float(weights @ self._points / weights.sum())
        return float(np.mean((weights @ self._fits).max(-1)) / weights.sum())

    def _find_threshold(self, times: np.ndarray) -> float:
        """Return the value above which there is at most one false mark an image."""
        values, images = self._false_marks
        beyond = np.cumsum(times[images]) > times.sum()
        return float(values[beyond.argmax()]) if beyond.any() else -np.inf

    @cached_property
    def _false_marks(self) -> tuple[np.ndarray, np.ndarray]:
        """The values of all false marks, falling, and their images."""
        values = [one.marks.false_marks for one in self.scores]
        images = np.repeat(np.arange(len(values)), [len(each) for each in values])
        joined = np.concatenate(values)
        order = np.argsort(-joined, kind="stable")
        return joined[order], images[order]

    @cached_property
    def _shown(self) -> np.ndarray:
        """Which images have an object that is to be found: of them alone is more known."""
        return self.largest > 0

    @cached_property
    def _points(self) -> np.ndarray:
        return np.array([one.points for one in self.scores if one.points is not None])

    @cached_property
    def _counts(self) -> np.ndarray:
        """Pixels of each image by value, in objects and then beside them, `(n, 2002)`."""
        counts = [one.counts.ravel() for one in self.scores if one.counts is not None]
        return np.array(counts, float)  # Which are multiplied quickly.

    @cached_property
    def _fits(self) -> np.ndarray:
        """Whether a box fits by each ratio at each threshold, `(3, n, K)`."""
        overlaps = np.stack([one.overlaps for one in self.scores if one.overlaps is not None])
        return np.stack([overlaps >= ratio for ratio in RATIOS]).astype(float)


@dataclass(frozen=True)
class Marked(_Sized):
    """What is marked in many images at given thresholds.

    Attributes:
        objects: Of each image.
        hits: Which of the objects of all images bear a mark.
        false: How many marks of each image lie on no object, `(n,)`.
    """

    hits: np.ndarray
    false: np.ndarray
    measures: ClassVar[tuple[str, ...]] = ("found", "false_marks")

    def measure(self, name: str, limits: tuple[float, float], rows: np.ndarray) -> float:
        """Return the share of objects of a range of sizes that are found, or false marks an image.

        The arguments are those of `MapScores.measure`. False marks have no size: all count.
        """
        times = np.bincount(rows, minlength=len(self.objects))
        if name == "found":
            return self.share(self.hits, limits, times)
        return float(np.average(self.false, weights=times))
