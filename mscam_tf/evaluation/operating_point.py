"""Choose the operating point of a run: thresholds that keep a promise about new images."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mscam_tf.data.manifests import Manifest, Sample
from mscam_tf.data.reading import Problem
from mscam_tf.drift import keep_reference, measure_image
from mscam_tf.errors import MscamError
from mscam_tf.evaluation.rates import count_verdicts
from mscam_tf.locks import hold
from mscam_tf.metrics import clopper_pearson, count_allowed, count_needed, exceed_all_but
from mscam_tf.outputs import check_writable
from mscam_tf.runs import (
    OperatingPoint,
    Run,
    Session,
    choose_negatives,
    count_trained,
    describe_samples,
    find_good_class,
    find_good_images,
    find_run,
    fit_map_thresholds,
    keep_readable,
    open_session,
    score_rejects,
    write_operating_point,
)

CONFIDENCE = 0.95


@dataclass(frozen=True)
class _Measured:
    """What a run says of labelled images, the highest place of each map, and what they are like."""

    session: Session
    manifest: Manifest
    logits: np.ndarray
    maxima: np.ndarray
    labels: np.ndarray
    features: np.ndarray

    @property
    def groups(self) -> np.ndarray:
        return np.array([sample.group for sample in self.manifest.samples])


def calibrate(
    run: Run | Session,
    manifest: Manifest,
    *,
    max_false_rejects: float | None = None,
    max_misses: float | None = None,
    good: str | None = None,
    scale: int | str = "sum",
    minimum_area: float = 0.0,
    skip_bad: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> OperatingPoint:
    """Choose the thresholds of a run by images that it was not trained on, and keep them with it.

    With `max_false_rejects` the decision threshold is put just above the scores of all good groups
    but `k`. Of new groups at most the wanted share is then rejected, at a confidence of 95 %: see
    `mscam_tf.metrics.count_allowed`. The score of a group is the highest of its good images: a
    group is falsely rejected if any of its images is. The threshold of each map is put in the
    same way, so that of new good groups at most that share has a mark of the class. Good images
    alone are enough.

    With `max_misses` it is put just below the scores of all groups of other images but `k`. The
    score of a group is the lowest of these images: a group is missed if any of its images is. The
    thresholds of maps are then those of a training: at most 5 % of the good images have a mark.

    Of 99 good images or more, what they are like is kept with the run too (`mscam_tf.drift`), so
    that an inspection can tell when images change. Of fewer, that of the training or of an earlier
    calibration stays, and a warning says so.

    The record of the operating point says which images chose it (`describe_samples`), and holds
    both rates at the chosen threshold, in groups: counts, the 95 % interval of Clopper and Pearson,
    and the upper bound at 95 %. Both hold for the rate that was chosen too, because `k` depends on
    the number of groups alone.

    Args:
        run: A finished run, or a session of it.
        manifest: Labelled images, such as `select_samples(run, manifest, "validation")`, or new
            ones. One whose groups are many, such as parts: a group counts once.
        max_false_rejects: Share of good groups that may be rejected, above 0 and below 1.
        max_misses: Share of groups of other images that may be accepted. Give one of the two.
        good: The class of good images; by default `none`.
        scale: Which maps are marked: `sum`, `sharp`, or a scale, of which 1 is the finest; see
            `mscam_tf.runs.OperatingPoint`.
        minimum_area: Pixels that a region must have.
        skip_bad: Leave out images that cannot be read.
        on_progress: Called with 1 after each image.

    Returns:
        The operating point, which stands in the run folder.

    Raises:
        MscamError: If not one rate is wanted, it is unknown which images are good, the run was
            trained on images, there are too few groups to promise the rate, or no region of an
            image has the area.
        ImageError: If images cannot be read: all of them are named at once.
        OutputError: If the run folder is read-only, or another command works on it.
    """
    wanted = _check_wanted(max_false_rejects, max_misses)
    folder, task = find_run(run).folder, find_run(run).task
    good = find_good_class(task, good)
    score_rejects(task, np.zeros(len(task.class_names)), good)
    _refuse_trained(find_run(run), manifest)
    draft = OperatingPoint({}, scale=scale, minimum_area=minimum_area, good=good)
    draft.check_area(find_run(run).image_size)
    _check_enough(find_run(run), manifest, good, max_misses is None, wanted)  # Before the work.
    check_writable(folder)
    with hold(folder):  # So that no other command uses or changes the run meanwhile.
        session = open_session(run, scale_maps=draft.needs_scale_maps)
        measured = _measure(session, manifest, draft, skip_bad, on_progress)
        of_good = find_good_images(task, measured.labels, good)
        choose = _limit_false_rejects if max_misses is None else _limit_misses
        point = choose(measured, draft, of_good, wanted)
        names = {"max_false_rejects": max_false_rejects, "max_misses": max_misses}
        point = replace(point, record=_describe(measured, point, names))
        write_operating_point(session.run, point)
        keep_reference(session.run, measured.features[of_good], measured.logits[of_good])
    return point


def _check_wanted(max_false_rejects: float | None, max_misses: float | None) -> float:
    given = [rate for rate in (max_false_rejects, max_misses) if rate is not None]
    if len(given) != 1 or not 0 < given[0] < 1:
        raise MscamError(
            "Give one of `max_false_rejects` and `max_misses` (--max-false-rejects, --max-misses): "
            "a share above 0 and below 1, such as 0.005 or 0.5%. "
            f"Received: max_false_rejects={max_false_rejects}, max_misses={max_misses}"
        )
    return given[0]


def _refuse_trained(run: Run, manifest: Manifest) -> None:
    trained = count_trained(run, manifest)
    if trained:
        raise MscamError(
            "Thresholds must be chosen by images that the run was not trained on: a model is surer "
            "of those that it knows. Take the split validation, or new images. "
            f"Received: {trained} training images among {len(manifest.samples)}"
        )


def _check_enough(
    run: Run, manifest: Manifest, good: str | None, of_good: bool, rate: float
) -> None:
    chosen = find_good_images(run.task, run.task.encode(manifest), good) == of_good
    pairs = zip(manifest.samples, chosen, strict=True)
    _count_allowed(len({sample.group for sample, wanted in pairs if wanted}), rate, of_good)


def _measure(
    session: Session,
    manifest: Manifest,
    draft: OperatingPoint,
    skip_bad: bool,
    on_progress: Callable[[int], None] | None,
) -> _Measured:
    samples: list[Sample] = []
    logits: list[np.ndarray] = []
    maxima: list[np.ndarray] = []
    features: list[np.ndarray] = []
    problems: list[Problem] = []
    pairs = zip(manifest.samples, session.explain(manifest.paths), strict=True)
    for sample, explanation in keep_readable(pairs, problems, skip_bad=skip_bad):
        samples.append(sample)
        logits.append(explanation.logits.copy())  # Of a view on all that the batch returned.
        features.append(measure_image(explanation.image))
        maxima.append(draft.take_maps(explanation).max(axis=(0, 1)))
        if on_progress is not None:
            on_progress(1)
    readable = replace(manifest, samples=tuple(samples))
    labels = session.task.encode(readable)
    stacked = (np.stack(logits), np.stack(maxima), labels, np.stack(features))
    return _Measured(session, readable, *stacked)


def _limit_false_rejects(
    measured: _Measured, draft: OperatingPoint, of_good: np.ndarray, rate: float
) -> OperatingPoint:
    task, groups = measured.session.task, measured.groups[of_good]
    scores = score_rejects(task, measured.logits[of_good], draft.good)
    allowed = _count_allowed(len(set(groups)), rate, of_good=True)
    maps = {
        name: exceed_all_but(
            _take_highest(measured.maxima[of_good, task.class_names.index(name)], groups), allowed
        )
        for name in choose_negatives(task, measured.labels, draft.good)
    }
    threshold = exceed_all_but(_take_highest(scores, groups), allowed)
    return replace(draft, decision_threshold=threshold, map_thresholds=maps)


def _limit_misses(
    measured: _Measured, draft: OperatingPoint, of_good: np.ndarray, rate: float
) -> OperatingPoint:
    task, groups = measured.session.task, measured.groups[~of_good]
    scores = score_rejects(task, measured.logits[~of_good], draft.good)
    allowed = _count_allowed(len(set(groups)), rate, of_good=False)
    threshold = -exceed_all_but(_take_highest(-scores, groups), allowed)
    maps = fit_map_thresholds(task, measured.maxima, measured.labels, draft.good)
    return replace(draft, decision_threshold=threshold, map_thresholds=maps)


def _count_allowed(groups: int, rate: float, of_good: bool) -> int:
    allowed = count_allowed(groups, rate, CONFIDENCE)
    if allowed is None:
        best = clopper_pearson(0, groups, CONFIDENCE, "upper")[1] if groups else 1.0
        raise MscamError(
            f"To promise at most {rate:.3%} {'false rejects' if of_good else 'misses'} at a "
            f"confidence of {CONFIDENCE:.0%}, {count_needed(rate, CONFIDENCE)} groups of images "
            f"that are {'good' if of_good else 'not good'} are needed. "
            f"Received: {groups} groups, which can promise {best:.3%}"
        )
    return allowed


def _take_highest(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the highest value of each group."""
    _, index = np.unique(groups, return_inverse=True)
    highest = np.full(index.max() + 1, -np.inf)
    np.maximum.at(highest, index, values)
    return highest


def _describe(measured: _Measured, point: OperatingPoint, wanted: dict[str, Any]) -> dict[str, Any]:
    task = measured.session.task
    rates = count_verdicts(task, measured.labels, measured.logits, measured.groups, point)
    return {
        "made_by": "calibration",
        **wanted,
        "confidence": CONFIDENCE,
        **describe_samples(measured.manifest),
        **{name: rate.to_json() for name, rate in rates.items()},
    }
