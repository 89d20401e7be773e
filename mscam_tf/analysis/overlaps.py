"""Which classes are confused, and whether their maps then lie on the same places.

The probabilities of a softmax do not change if the same value is added to the maps of all classes.
So a map alone means little, and all maps are taken relative to the mean over the classes. With two
classes, one map is then the negative of the other, and the two never overlap.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from mscam_tf.analysis.confusions import MEASURES, Confusion, ImageOverlap
from mscam_tf.data.manifests import Manifest
from mscam_tf.explanation import Explanation, explain
from mscam_tf.metrics import center_maps, map_correlation, place_overlap, soft_iou, threshold_iou
from mscam_tf.outputs import RunError
from mscam_tf.runs import Run

_RANGE_PERCENTILES = (1.0, 99.5)
_RANGE_IMAGES = 64
_KEPT = 5  # Images of each confusion whose maps are kept: the most certain errors.


def measure_overlaps(
    run: Run,
    paths: Sequence[Path],
    labels: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    *,
    threshold: float | np.ndarray | None = None,
    on_image: Callable[[ImageOverlap, Explanation], None] | None = None,
) -> list[ImageOverlap]:
    """Measure how the maps of every two classes overlap, image by image.

    Args:
        run: A finished run.
        paths: Image files.
        labels: Class of each, where it is known.
        groups: Group of each image; by default each image is a group.
        threshold: Of `threshold_iou`, in logits above the mean over the classes, `(C,)` or one for
            all; by default half of the upper end of the range of each class's maps, because the
            values of diffuse maps are smaller than those of sharp maps.
        on_image: Called with each result, and with the explanation that holds the maps.

    Returns:
        One `ImageOverlap` for each image.

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
        threshold = choose_thresholds(sample_maps(run, paths))
    thresholds = np.broadcast_to(threshold, len(run.class_names))
    found = []
    names = labels or [""] * len(paths)
    groups = groups or [str(path) for path in paths]
    for explanation, label, group in zip(explain(run, paths), names, groups, strict=True):
        overlaps = _overlap_all(center_maps(explanation.maps), thresholds)
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
    return find_range(sample_maps(run, paths))


def sample_maps(run: Run, paths: Sequence[Path]) -> np.ndarray:
    """Return the maps relative to the mean over the classes of some images, `(n, H, W, C)`."""
    chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, _RANGE_IMAGES, dtype=int))]
    return np.stack([center_maps(explanation.maps) for explanation in explain(run, chosen)])


def find_range(maps: np.ndarray) -> tuple[float, float]:
    """Return the range of values that pictures of such maps show."""
    low, high = np.percentile(maps, _RANGE_PERCENTILES)
    return float(low), float(high)


def choose_thresholds(maps: np.ndarray) -> np.ndarray:
    """Return half of the upper end of the range of each class's maps, `(C,)`."""
    thresholds: np.ndarray = np.percentile(maps, _RANGE_PERCENTILES[1], (0, 1, 2)) / 2
    return thresholds


def find_confusions(
    run: Run,
    manifest: Manifest,
    *,
    unlabelled: Sequence[Path] = (),
    threshold: float | np.ndarray | None = None,
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
    smaller of the two there, or zero: where it is large, both classes have evidence.
    """
    maps = center_maps(explanation.maps)
    one, other = maps[..., first], maps[..., second]
    shared = np.maximum(np.minimum(one, other), 0)
    return np.stack([explanation.image, one, other, shared], axis=-1)


def _overlap_all(maps: np.ndarray, thresholds: np.ndarray) -> dict[str, np.ndarray]:
    count = maps.shape[-1]
    found = {name: np.eye(count) for name in MEASURES}
    for pair in combinations(range(count), 2):
        first, second = maps[..., pair[0]], maps[..., pair[1]]
        values = (
            place_overlap(first, second),
            soft_iou(first, second),
            threshold_iou(first, second, (thresholds[pair[0]], thresholds[pair[1]])),
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
    right, like = ([one for one in images if one.label == one.first == name] for name in pair)
    wrong.sort(key=lambda image: -image.margin)
    count = sum(image.label == pair[0] for image in images)
    return Confusion(*pair, wrong, right, like, count, total / len(wrong), stacks)
