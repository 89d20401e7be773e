"""Hits and misses: which objects a run finds at its operating point, and how often it errs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mscam_tf.data.manifests import NO_OBJECT, Manifest, Sample
from mscam_tf.data.reading import Problem
from mscam_tf.evaluation.objects import TrueObject
from mscam_tf.evaluation.rates import Rate, count_groups
from mscam_tf.localization import find_regions
from mscam_tf.metrics import find_peaks
from mscam_tf.runs import Explanation, OperatingPoint, Session, is_rejected, keep_readable

TOLERANCE = 3.0  # Pixels beside an object at which a mark is still on it.


@dataclass(frozen=True)
class Hit:
    """An object, and whether it was found.

    Attributes:
        path: Its image.
        object: The object.
        rejected: Whether its image is rejected.
        marked: Whether a mark lies on it.
    """

    path: str
    object: TrueObject
    rejected: bool
    marked: bool


@dataclass(frozen=True)
class Hits:
    """What a run finds.

    Attributes:
        objects: All objects, image by image.
        false_rejects: Of groups of good images; `None` if there are none.
        false_marks: Of the same groups, those with a mark in any image.
    """

    objects: tuple[Hit, ...]
    false_rejects: Rate | None
    false_marks: Rate | None


def find_hits(
    session: Session,
    manifest: Manifest,
    objects: Mapping[str, Sequence[TrueObject]],
    point: OperatingPoint,
    *,
    skip_bad: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Hits:
    """Look for objects with a run at an operating point.

    A mark is a local maximum of the map of any class, within a region above the class's threshold.
    It lies on an object if it is within its box or at most 3 pixels beside it, in pixels of the
    model's input.

    Args:
        session: Of the run; with the maps of each scale, if one of them is marked.
        manifest: Images with objects, and good ones: those with the label of the good class, or
            `none`.
        objects: The objects of each image, from `read_objects`.
        point: The operating point.
        skip_bad: Leave out images that cannot be read.
        on_progress: Called with 1 after each image.

    Raises:
        ImageError: If images cannot be read: all of them are named at once.
    """
    good_name = NO_OBJECT if point.good is None else point.good
    found: list[Hit] = []
    good: list[tuple[str, bool, bool]] = []
    problems: list[Problem] = []
    pairs = zip(manifest.samples, session.explain(manifest.paths), strict=True)
    for sample, explanation in keep_readable(pairs, problems, skip_bad=skip_bad):
        rejected = bool(is_rejected(session.task, explanation.logits, point))
        marks = find_marks(explanation, point)
        if sample.label == good_name:
            good.append((sample.group, rejected, len(marks) > 0))
        else:
            size = explanation.source_size or session.image_size
            found += _match(sample, objects.get(sample.path, ()), rejected, marks, size, session)
        if on_progress is not None:
            on_progress(1)
    groups = np.array([group for group, _, _ in good])
    return Hits(
        tuple(found),
        count_groups(np.array([rejected for _, rejected, _ in good], bool), groups),
        count_groups(np.array([marked for _, _, marked in good], bool), groups),
    )


def find_marks(explanation: Explanation, point: OperatingPoint) -> np.ndarray:
    """Return the places of the marks on an image, `(n, 2)`: `x, y` in pixels of the model's input.

    The centre of the first pixel is at 0.5.
    """
    maps = point.take_maps(explanation)
    places = [np.empty((0, 2))]
    for name, threshold in point.map_thresholds.items():
        values = maps[..., explanation.class_names.index(name)]
        if values.max() < threshold:
            continue
        kept = np.full(values.shape, values.min())
        for region in find_regions(values, threshold, minimum_area=point.minimum_area):
            kept[region.slices][region.mask] = values[region.slices][region.mask]
        peaks, _ = find_peaks(kept)
        places.append(peaks[:, ::-1] + 0.5)
    return np.concatenate(places)


def _match(
    sample: Sample,
    objects: Sequence[TrueObject],
    rejected: bool,
    marks: np.ndarray,
    size: tuple[int, int],
    session: Session,
) -> list[Hit]:
    """Bring boxes to pixels of the model's input, and look for marks on them."""
    hits = []
    for one in objects:
        box = one.box.resize(size, session.image_size)
        before = (box.x_min, box.y_min) - marks
        behind = marks - (box.x_max, box.y_max)
        beside = np.maximum(before, behind).clip(0)
        marked = bool((np.square(beside).sum(axis=1) <= TOLERANCE**2).any())
        hits.append(Hit(sample.path, one, rejected, marked))
    return hits
