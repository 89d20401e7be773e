"""Hits and misses: which objects a run finds at its operating point, and how often it errs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mscam_tf.data.manifests import (
    NO_OBJECT,
    VISIBLE,
    Manifest,
    Sample,
)
from mscam_tf.data.reading import Problem
from mscam_tf.evaluation.objects import TrueObject
from mscam_tf.evaluation.rates import Rate, count_groups
from mscam_tf.evaluation.truth import cut_boxes, list_corners
from mscam_tf.localization import find_marks
from mscam_tf.metrics import hit_boxes
from mscam_tf.runs import OperatingPoint, Session, is_rejected, keep_readable


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

    Marks are those of `mscam_tf.localization.find_marks`. One lies on an object if it is within its
    box or at most 3 pixels beside it, in pixels of the model's input. An object of which more than
    half lies outside of its image need not be found.

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
        ManifestError: If a box lies beside its image.
    """
    good_name = NO_OBJECT if point.good is None else point.good
    found: list[Hit] = []
    good: list[tuple[str, bool, bool]] = []
    problems: list[Problem] = []
    pairs = zip(manifest.samples, session.explain(manifest.paths), strict=True)
    for sample, explanation in keep_readable(pairs, problems, skip_bad=skip_bad):
        rejected = bool(is_rejected(session.task, explanation.logits, point))
        marks = find_marks(explanation, point)
        size = explanation.source_size or session.image_size
        matched = _match(sample, objects.get(sample.path, ()), marks, size, session.image_size)
        if sample.label == good_name:
            good.append((sample.group, rejected, len(marks) > 0))
        else:
            found += [Hit(sample.path, one, rejected, marked) for one, marked in matched]
        if on_progress is not None:
            on_progress(1)
    groups = np.array([group for group, _, _ in good])
    return Hits(
        tuple(found),
        count_groups(np.array([rejected for _, rejected, _ in good], bool), groups),
        count_groups(np.array([marked for _, _, marked in good], bool), groups),
    )


def _match(
    sample: Sample,
    objects: Sequence[TrueObject],
    marks: np.ndarray,
    size: tuple[int, int],
    image_size: tuple[int, int],
) -> list[tuple[TrueObject, bool]]:
    """Return the objects that are to be found, and whether a mark lies on each."""
    boxes = cut_boxes([one.box for one in objects], sample.path, size)
    hits = hit_boxes(marks, list_corners([box.resize(size, image_size) for box in boxes]))
    triples = zip(objects, boxes, hits.T, strict=True)
    return [(one, bool(hit.any())) for one, box, hit in triples if box.visible >= VISIBLE]
