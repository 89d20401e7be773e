"""Images and how the maps of their classes overlap; and those that were taken for another class."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

OVERLAP_MEASURES = ("place_overlap", "soft_iou", "threshold_iou", "correlation")
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
        overlaps: For each of `OVERLAP_MEASURES` a symmetric matrix `(C, C)`.
        group: Its group, such as a film: images of one group are alike.
    """

    path: Path
    label: str
    probabilities: np.ndarray
    class_names: list[str]
    overlaps: dict[str, np.ndarray]
    group: str = ""

    @property
    def first(self) -> str:
        """The most probable class, of equal ones the first, as in scores and explanations."""
        return self._rank()[0]

    @property
    def second(self) -> str:
        """The next most probable class."""
        return self._rank()[1]

    @property
    def margin(self) -> float:
        """How much more probable the first class is than the second, in `[0, 1]`."""
        low, high = np.sort(self.probabilities)[-2:]
        return float(high - low)

    def _rank(self) -> list[str]:
        order = np.argsort(-self.probabilities, kind="stable")
        return [self.class_names[index] for index in order]

    def measure(self, name: str, first: str, second: str) -> float:
        """Return one of `OVERLAP_MEASURES` for the maps of two classes."""
        pair = self.class_names.index(first), self.class_names.index(second)
        return float(self.overlaps[name][pair])


@dataclass(frozen=True)
class Confusion:
    """Images of one class that were taken for another.

    Attributes:
        true: The class of the images.
        predicted: The class that they were taken for.
        images: The images that were taken for it, the most certain error first.
        right: The images of the true class that are right.
        like: The images of the predicted class that are right.
        total: How many images the class has.
        mean: Mean over `images` of what `stack_evidence` returns, `(H, W, 4)`.
        stacks: What `stack_evidence` returns for the first few of them.
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
        """95 % bootstrap interval of the difference; NaN with fewer than 5 groups of either."""
        return self._comparison[1]

    @property
    def p_value(self) -> float:
        """P value of the two-sided Mann-Whitney test of this pair alone; NaN as for `interval`."""
        return self._comparison[2]

    @cached_property
    def _comparison(self) -> tuple[float, tuple[float, float], float]:
        return _compare(*(_average_groups(images, self) for images in (self.images, self.right)))

    @cached_property
    def exceeds_like(self) -> bool:
        """Whether the place overlap on `images` is above that on `like` too.

        If not, the maps of the wrong images look like those of any image of the predicted class, so
        that the model did not see the object. Also true if there are too few images to compare.
        """
        _, (low, _), _ = _compare(*(_average_groups(x, self) for x in (self.images, self.like)))
        return not low <= 0

    def measure(self, name: str) -> dict[str, np.ndarray]:
        """Return one of `OVERLAP_MEASURES` on the `wrong`, `right` and `like` images."""
        parts = {"wrong": self.images, "right": self.right, "like": self.like}
        return {
            part: np.array([image.measure(name, self.true, self.predicted) for image in images])
            for part, images in parts.items()
        }

    def average(self, name: str) -> dict[str, float]:
        """Return the means of what `measure` returns; NaN where there are no values."""
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
