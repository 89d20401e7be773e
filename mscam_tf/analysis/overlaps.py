"""Whether the maps of two classes lie on the same places, image by image.

The probabilities of a softmax do not change if the same value is added to the maps of all classes.
So a map alone means little, and all maps are taken relative to the mean over the classes. With two
classes, one map is then the negative of the other, and the two never overlap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from mscam_tf.analysis.confusions import OVERLAP_MEASURES, ImageOverlap
from mscam_tf.analysis.sampling import MapSample, sample_first
from mscam_tf.data.reading import Problem
from mscam_tf.errors import MscamError, RunError
from mscam_tf.metrics import (
    center_maps,
    map_correlation,
    place_overlap,
    soft_iou,
    threshold_iou,
)
from mscam_tf.names import show_place
from mscam_tf.runs import Explanation, Run, Session, find_run, keep_readable, open_session


@dataclass(frozen=True)
class Overlaps:
    """What one pass over images measured.

    Attributes:
        images: The result of each image by its number, without those that cannot be read.
        sample: Maps of some of them.
        problems: The images that cannot be read.
    """

    images: dict[int, ImageOverlap]
    sample: MapSample
    problems: list[Problem]


def measure_overlaps(
    run: Run | Session,
    paths: Sequence[Path],
    labels: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    *,
    threshold: float | np.ndarray | None = None,
    on_image: Callable[[ImageOverlap, Explanation], None] | None = None,
) -> list[ImageOverlap]:
    """Measure how the maps of every two classes overlap, image by image.

    Args:
        run: A finished run, or a session of it.
        paths: Image files.
        labels: Class of each, where it is known.
        groups: Group of each image; by default each image is a group.
        threshold: Of `threshold_iou`, in logits above the mean over the classes, `(C,)` or one for
            all; by default half of the upper end of the range of each class's maps, because the
            values of diffuse maps are smaller than those of sharp maps.
        on_image: Called with each result, and with the explanation that holds the maps. The images
            do not come in the order of the paths.

    Returns:
        One `ImageOverlap` for each image, in the order of the paths.

    Raises:
        ImageError: If images cannot be read.
        MscamError: If a threshold is no finite number, or there are not as many as classes.
        RunError: If the run tells several findings in one image: these do not exclude each other.
    """
    session = open_exclusive(run)
    if not paths:
        return []
    labels, groups = labels or [""] * len(paths), groups or [str(path) for path in paths]
    measured = measure_all(session, paths, labels, groups, threshold=threshold, on_image=on_image)
    return list(measured.images.values())


def open_exclusive(run: Run | Session) -> Session:
    """Open a run whose classes exclude each other.

    Raises:
        RunError: If it tells several findings in one image.
    """
    if not run.task.exclusive:
        raise RunError(
            "Classes must exclude each other to be confused. "
            f"Received: {show_place(find_run(run).folder)}, which tells several findings in one "
            "image"
        )
    return open_session(run, scale_maps=False)


def measure_all(
    session: Session,
    paths: Sequence[Path],
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    sampled: int | None = None,
    threshold: float | np.ndarray | None = None,
    on_image: Callable[[ImageOverlap, Explanation], None] | None = None,
    skip_bad: bool = False,
) -> Overlaps:
    """Do what `measure_overlaps` does; the sample is drawn from the first `sampled` images."""
    names = session.task.class_names
    given = None if threshold is None else _spread(threshold, len(names))
    sample, results = sample_first(session, paths, sampled)
    thresholds = sample.thresholds if given is None else given
    problems: list[Problem] = []
    found: dict[int, ImageOverlap] = {}
    for index, explanation in keep_readable(results, problems, skip_bad=skip_bad):
        overlaps = _overlap_all(center_maps(explanation.maps), thresholds)
        found[index] = ImageOverlap(
            explanation.path,
            labels[index],
            explanation.probabilities,
            names,
            overlaps,
            groups[index],
        )
        if on_image is not None:
            on_image(found[index], explanation)
    return Overlaps({index: found[index] for index in sorted(found)}, sample, problems)


def _spread(threshold: float | np.ndarray, count: int) -> np.ndarray:
    """Return a threshold for each class."""
    values = np.asarray(threshold, np.float64)
    if values.shape not in ((), (count,)) or not np.isfinite(values).all():
        raise MscamError(
            f"`threshold` must be a finite number, or {count} of them, one for each class. "
            f"Received: threshold={threshold}"
        )
    return np.broadcast_to(values, count)


def measure_range(run: Run | Session, paths: Sequence[Path]) -> tuple[float, float]:
    """Return the range of the maps relative to the mean over the classes, in logits.

    Percentiles 1 and 99.5 over at most 64 of the images, evenly chosen.

    Raises:
        ImageError: If none of these can be read.
    """
    sample, _ = sample_first(open_session(run, scale_maps=False), paths)
    return sample.value_range


def _overlap_all(maps: np.ndarray, thresholds: np.ndarray) -> dict[str, np.ndarray]:
    count = maps.shape[-1]
    found = {name: np.eye(count) for name in OVERLAP_MEASURES}
    for pair in combinations(range(count), 2):
        first, second = maps[..., pair[0]], maps[..., pair[1]]
        values = (
            place_overlap(first, second),
            soft_iou(first, second),
            threshold_iou(first, second, (thresholds[pair[0]], thresholds[pair[1]])),
            map_correlation(first, second),
        )
        for name, value in zip(OVERLAP_MEASURES, values, strict=True):
            found[name][pair] = found[name][pair[::-1]] = value
    return found
