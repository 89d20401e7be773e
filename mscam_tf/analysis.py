"""Which classes are confused, and whether their maps then lay claim to the same places.

Softmax does not see what is added to the maps of all classes alike: one map by itself says little.
All maps are therefore taken relative to the mean over the classes, as the logits' differences are.
Of two classes one is then the other's negative, and no place can speak for both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu, rankdata

from mscam_tf.data.manifest import Manifest
from mscam_tf.explanation import Explanation, explain
from mscam_tf.overlap import (
    center_maps,
    map_correlation,
    place_overlap,
    soft_iou,
    threshold_iou,
)
from mscam_tf.runs import Run, RunError

MEASURES = ("place_overlap", "soft_iou", "threshold_iou", "correlation")
_RESAMPLES = 2000
_LEAST = 5  # Wrong images, and right ones: fewer tell nothing.
_RANGE_PERCENTILES = (1.0, 99.5)
_RANGE_IMAGES = 64
_KEPT = 5  # Images of each confusion whose maps are kept: the most certain errors.


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
        total: How many images the class has.
        mean: Mean over `images` of what `stack_evidence` returns, `(H, W, 4)`.
        stacks: The same of the first few of them.
    """

    true: str
    predicted: str
    images: list[ImageOverlap]
    right: list[ImageOverlap]
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

    def measure(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return one of `MEASURES` of the two classes' maps, on wrong images and on right ones."""
        wrong, right = (
            np.array([image.measure(name, self.true, self.predicted) for image in images])
            for images in (self.images, self.right)
        )
        return wrong, right


def measure_overlaps(
    run: Run,
    paths: Sequence[Path],
    labels: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    *,
    threshold: float | None = None,
    on_image: Callable[[ImageOverlap, Explanation], None] | None = None,
) -> list[ImageOverlap]:
    """Measure how the maps of every two classes overlap, image by image.

    Args:
        run: A finished run.
        paths: Image files.
        labels: Class of each, where it is known.
        groups: What each belongs to; by default each is by itself.
        threshold: Of `threshold_iou`, in logits above the mean over the classes; by default half of
            the upper end of `measure_range`.
        on_image: Called with each result, and with the explanation that holds the maps.

    Returns:
        One `ImageOverlap` an image.

    Raises:
        ImageError: If images cannot be read.
        RunError: If the run tells several findings in one image: these do not exclude each other.
    """
    if run.config.several:
        raise RunError(
            "Classes must exclude each other to be confused. "
            f"Received: {run.folder}, which tells several findings in one image"
        )
    if not paths:
        return []
    if threshold is None:
        threshold = measure_range(run, paths)[1] / 2
    found = []
    names = labels or [""] * len(paths)
    groups = groups or [str(path) for path in paths]
    for explanation, label, group in zip(explain(run, paths), names, groups, strict=True):
        overlaps = _overlap_all(center_maps(explanation.maps), threshold)
        one = ImageOverlap(
            explanation.path, label, explanation.probabilities, run.class_names, overlaps, group
        )
        found.append(one)
        if on_image is not None:
            on_image(one, explanation)
    return found


def measure_range(run: Run, paths: Sequence[Path]) -> tuple[float, float]:
    """Return the range of the maps relative to the mean over the classes, in logits.

    Percentiles 1 and 99.5 over at most 64 of the images, evenly chosen.

    Raises:
        ImageError: If images cannot be read.
    """
    chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, _RANGE_IMAGES, dtype=int))]
    maps = [center_maps(explanation.maps) for explanation in explain(run, chosen)]
    low, high = np.percentile(np.stack(maps), _RANGE_PERCENTILES)
    return float(low), float(high)


def find_confusions(
    run: Run,
    manifest: Manifest,
    *,
    unlabelled: Sequence[Path] = (),
    threshold: float | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[list[Confusion], list[ImageOverlap]]:
    """Find which classes are taken for each other, and how their maps overlap there.

    Args:
        run: A finished run.
        manifest: Labelled images that it was not trained on.
        unlabelled: More images.
        threshold: As for `measure_overlaps`.
        on_progress: Called with 1 after each image.

    Returns:
        The confusions that occur, the class that is confused most often first; and all images,
        those without a label last.

    Raises:
        ImageError: If images cannot be read.
        RunError: If the run tells several findings in one image.

    References:
        Lee and Cho, 2021, section 4.3.
    """
    sums: dict[tuple[str, str], np.ndarray] = {}
    worst: dict[tuple[str, str], list[tuple[float, np.ndarray]]] = {}

    def collect(one: ImageOverlap, explanation: Explanation) -> None:
        if one.label and one.first != one.label:
            pair = (one.label, one.first)
            stack = stack_evidence(explanation, *map(run.class_names.index, pair))
            sums[pair] = sums.get(pair, 0) + stack
            kept = [*worst.get(pair, []), (one.margin, stack)]
            worst[pair] = sorted(kept, key=lambda item: -item[0])[:_KEPT]
        if on_progress is not None:
            on_progress(1)

    labels = [sample.label for sample in manifest.samples] + [""] * len(unlabelled)
    groups = [sample.group for sample in manifest.samples] + [str(path) for path in unlabelled]
    paths = [*manifest.paths, *unlabelled]
    images = measure_overlaps(run, paths, labels, groups, threshold=threshold, on_image=collect)
    confusions = [
        _make_confusion(pair, images, total, [stack for _, stack in worst[pair]])
        for pair, total in sums.items()
    ]
    return sorted(confusions, key=lambda found: (-found.rate, -len(found.images))), images


def stack_evidence(explanation: Explanation, first: int, second: int) -> np.ndarray:
    """Return an image, the maps of two classes, and the positive evidence they share, `(H, W, 4)`.

    The maps are relative to the mean over the classes. The shared evidence of a place is the
    smaller of the two there, or zero: where it is large, both lay claim to the same place.
    """
    maps = center_maps(explanation.maps)
    one, other = maps[..., first], maps[..., second]
    shared = np.maximum(np.minimum(one, other), 0)
    return np.stack([explanation.image, one, other, shared], axis=-1)


def rank_unlabelled(images: Sequence[ImageOverlap]) -> list[ImageOverlap]:
    """Order images by how much a label of theirs would say: the most first.

    By the mean of two ranks: of the margin, the smallest first, and of the soft IoU of the maps of
    the two most probable classes, the largest first.

    References:
        Scheffer, Decomain and Wrobel, 2001: sampling by margin.
    """
    margins = np.array([image.margin for image in images])
    overlaps = np.array([image.measure("soft_iou", image.first, image.second) for image in images])
    order = np.argsort(rankdata(margins) + rankdata(-overlaps), kind="stable")
    return [images[index] for index in order]


def _overlap_all(maps: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
    count = maps.shape[-1]
    found = {name: np.eye(count) for name in MEASURES}
    for pair in combinations(range(count), 2):
        first, second = maps[..., pair[0]], maps[..., pair[1]]
        values = (
            place_overlap(first, second),
            soft_iou(first, second),
            threshold_iou(first, second, threshold),
            map_correlation(first, second),
        )
        for name, value in zip(MEASURES, values, strict=True):
            found[name][pair] = found[name][pair[::-1]] = value
    return found


def _make_confusion(
    pair: tuple[str, str],
    images: Sequence[ImageOverlap],
    total: np.ndarray,
    stacks: list[np.ndarray],
) -> Confusion:
    wrong = [image for image in images if (image.label, image.first) == pair]
    right = [image for image in images if image.label == image.first == pair[0]]
    wrong.sort(key=lambda image: -image.margin)
    count = sum(image.label == pair[0] for image in images)
    return Confusion(*pair, wrong, right, count, total / len(wrong), stacks)


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
