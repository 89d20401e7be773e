"""Images and how the maps of their classes overlap; and those that were taken for another class."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

MEASURES = ("place_overlap", "soft_iou", "threshold_iou", "correlation")
_RESAMPLES = 2000
_LEAST = 5  # Groups of wrong images, and of right ones: fewer tell nothing.


@dataclass(frozen=True)
class ImageOverlap:
    """How the maps of all classes overlap on one image.

    Attributes:
        path: The image.
        label: Its class, or empty where it is not known.
        probabilities: `(C,)`.
        class_names: Name of each class.
        overlaps: For each of `MEASURES` a symmetric matrix `(C, C)`.
        group: What it belongs to, such as a film: images of one group are alike.
    """

    path: Path
    label: str
    probabilities: np.ndarray
    class_names: list[str]
    overlaps: dict[str, np.ndarray]
    group: str = ""

    @property
    def first(self) -> str:
        """The most probable class."""
        return self.class_names[int(np.argsort(self.probabilities)[-1])]

    @property
    def second(self) -> str:
        """The next most probable class."""
        return self.class_names[int(np.argsort(self.probabilities)[-2])]

    @property
    def margin(self) -> float:
        """How much more probable the first class is than the second, in `[0, 1]`."""
        low, high = np.sort(self.probabilities)[-2:]
        return float(high - low)

    def measure(self, name: str, first: str, second: str) -> float:
        """Return one of `MEASURES` for the maps of two classes."""
        pair = self.class_names.index(first), self.class_names.index(second)
        return float(self.overlaps[name][pair])


@dataclass(frozen=True)
class Confusion:
    """Images of one class that were taken for another.

    Attributes:
        true: Their class.
        predicted: What they were taken for.
        images: They themselves, the most certain error first.
        right: The images of that class that were not taken for any other.
        like: Those of the other class that were not either: what `images` were taken for.
        total: How many images the class has.
        mean: Mean over `images` of what `stack_evidence` returns, `(H, W, 4)`.
        stacks: The same of the first few of them.
    """

    true: str
    predicted: str
    images: list[ImageOverlap]
    right: list[ImageOverlap]
    like: list[ImageOverlap]
    total: int
    mean: np.ndarray
    stacks: list[np.ndarray]

    @property
    def rate(self) -> float:
        """Share of the class that was taken for the other, in `[0, 1]`."""
        return len(self.images) / self.total

    @property
    def difference(self) -> float:
        """Mean place overlap of the two maps on `images` minus that on `right`.

        A group of images counts once, as its mean.
        """
        return self._comparison[0]

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % bootstrap interval; not a number for fewer than 5 groups of either."""
        return self._comparison[1]

    @property
    def p_value(self) -> float:
        """Of the two-sided Mann-Whitney test of the same, of this pair alone; likewise."""
        return self._comparison[2]

    @cached_property
    def _comparison(self) -> tuple[float, tuple[float, float], float]:
        return _compare(*(_average_groups(images, self) for images in (self.images, self.right)))

    @cached_property
    def exceeds_like(self) -> bool:
        """Whether the place overlap on `images` is above that on `like` too.

        Otherwise the maps of the wrong images lie as they do on any image of the class that these
        were taken for: what is there was not seen. True also if there are too few to tell.
        """
        _, (low, _), _ = _compare(*(_average_groups(x, self) for x in (self.images, self.like)))
        return not low <= 0

    def measure(self, name: str) -> dict[str, np.ndarray]:
        """Return one of `MEASURES` of the two classes' maps on `wrong`, `right` and `like`."""
        parts = {"wrong": self.images, "right": self.right, "like": self.like}
        return {
            part: np.array([image.measure(name, self.true, self.predicted) for image in images])
            for part, images in parts.items()
        }

    def average(self, name: str) -> dict[str, float]:
        """Return the means of what `measure` returns; not a number where there is nothing."""
        found = {part: values[np.isfinite(values)] for part, values in self.measure(name).items()}
        return {p: float(v.mean()) if len(v) else float("nan") for p, v in found.items()}


def _average_groups(images: Sequence[ImageOverlap], confusion: Confusion) -> np.ndarray:
    """Return the mean place overlap of each group: its images are not independent."""
    values: dict[str, list[float]] = {}
    for image in images:
        value = image.measure("place_overlap", confusion.true, confusion.predicted)
        if np.isfinite(value):
            values.setdefault(image.group or str(image.path), []).append(value)
    return np.array([np.mean(group) for group in values.values()])


def _compare(wrong: np.ndarray, right: np.ndarray) -> tuple[float, tuple[float, float], float]:
    nothing = float("nan")
    if min(len(wrong), len(right)) < _LEAST:
        return nothing, (nothing, nothing), nothing
    generator = np.random.default_rng(0)
    means = [
        generator.choice(values, (_RESAMPLES, len(values))).mean(1) for values in (wrong, right)
    ]
    low, high = np.percentile(means[0] - means[1], [2.5, 97.5])
    difference = float(wrong.mean() - right.mean())
    return difference, (float(low), float(high)), float(mannwhitneyu(wrong, right).pvalue)
