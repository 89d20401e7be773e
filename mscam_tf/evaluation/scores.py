"""Score a run on labelled images: metrics with intervals, predictions, confusion matrix."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mscam_tf.data.manifests import Manifest, Sample
from mscam_tf.data.reading import Problem
from mscam_tf.errors import OutputError
from mscam_tf.evaluation.rates import Rate, count_verdicts
from mscam_tf.files import write_json, write_table
from mscam_tf.locks import hold
from mscam_tf.metrics import bootstrap_intervals
from mscam_tf.names import show_place
from mscam_tf.outputs import Kind, check_writable, claim
from mscam_tf.plots import plot_confusion_matrix, save_figure
from mscam_tf.records import read_json
from mscam_tf.runs import (
    OperatingPoint,
    Run,
    Session,
    Task,
    describe_verdict,
    find_run,
    has_verdict,
    keep_readable,
    open_session,
    read_operating_point,
)
from mscam_tf.settings import check_setting
from mscam_tf.swaps import make_folder, replace_files

_METRICS = "metrics.json"
_FOLDER = Kind("scores", "predictions.csv", keys=("path", "label", "predicted"), continued=True)


@dataclass(frozen=True)
class Scores:
    """What a run is worth on a set of images.

    Attributes:
        metrics: For each metric its `value` and the `low` and `high` end of its 95 % interval; see
            `mscam_tf.metrics`.
        confusion: Counts, `(C, C)`: rows are the true classes, columns the predicted ones. With
            several findings in one image, `(C, 2, 2)`: for each whether it is there, and was found.
        class_names: The classes, in that order.
        num_images: How many images were scored.
        num_groups: How many groups they form, which the intervals count: images of one fish or
            film are alike.
        rates: At the run's operating point, the `false_rejects` of good groups and the `misses` of
            the others; empty where the run has none, or does not know which images are good.
    """

    metrics: dict[str, dict[str, float]]
    confusion: np.ndarray
    class_names: list[str]
    num_images: int
    num_groups: int
    rates: dict[str, Rate] = field(default_factory=dict)


def evaluate(
    run: Run | Session,
    manifest: Manifest,
    folder: str | Path,
    *,
    split: str = "all",
    resamples: int = 1000,
    skip_bad: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int], None] | None = None,
    on_resample: Callable[[int], None] | None = None,
) -> Scores:
    """Score a run; write `metrics.json`, `predictions.csv` and, of classes, `confusion.png`.

    Args:
        run: A finished run, or a session of it.
        manifest: Labelled images, such as `select_samples(run, manifest, "test")`.
        folder: Where to write: the run's own folder, a new one, or that of earlier scores of the
            same data and split, which are replaced, all files together.
        split: Name of what is scored, to be kept in `metrics.json`.
        resamples: Bootstrap resamples for the intervals; groups are resampled whole.
        skip_bad: Leave out images that cannot be read, and list them in `metrics.json`.
        overwrite: Replace earlier scores of other data, or of another split, too.
        on_progress: Called with 1 after each image.
        on_resample: Called with 1 after each resample.

    Returns:
        The `Scores`.

    Raises:
        ImageError: If images cannot be read: all of them are named at once.
        OutputError: If the folder holds other files, and no scores; if it holds scores of other
            data or of another split, and `overwrite` is off; or if another command writes there.
    """
    check_setting("resamples", resamples)
    folder = Path(folder)
    if folder.resolve() == find_run(run).folder.resolve():
        check_writable(folder)
    else:
        claim(folder, _FOLDER)
    if not overwrite:
        _check_replaced(folder, manifest, split)
    with make_folder(folder), hold(folder):  # What is scored stays what it is.
        return _evaluate(
            run, manifest, folder, split, resamples, skip_bad, on_progress, on_resample
        )


def _evaluate(
    run: Run | Session,
    manifest: Manifest,
    folder: Path,
    split: str,
    resamples: int,
    skip_bad: bool,
    on_progress: Callable[[int], None] | None,
    on_resample: Callable[[int], None] | None,
) -> Scores:
    session = open_session(run, scale_maps=False)
    manifest, logits, skipped = _predict(session, manifest, skip_bad, on_progress)
    probabilities = session.task.activate(logits.astype(np.float64))
    point = read_operating_point(session.run)
    scores = _score(session.task, manifest, probabilities, resamples, on_resample)
    if point is not None and has_verdict(session.task, point):
        scores = replace(scores, rates=_count(session.task, manifest, logits, point))
    verdicts = [describe_verdict(session.task, row, point) for row in logits]
    with replace_files(folder, last=_METRICS) as partial:
        _write_predictions(
            partial / "predictions.csv", session.task, manifest, probabilities, verdicts
        )
        if scores.confusion.ndim == 2:
            figure = plot_confusion_matrix(scores.confusion, scores.class_names)
            save_figure(figure, partial / "confusion.png")
        write_json(
            partial / _METRICS,
            {"data": str(manifest.root), "split": split}
            | _to_json(scores, resamples)
            | {"skipped": [{"path": str(path), "reason": reason} for path, reason in skipped]},
        )
    return scores


def _check_replaced(folder: Path, manifest: Manifest, split: str) -> None:
    """Refuse to replace the scores of other data, or of another split."""
    if not (folder / _METRICS).is_file():
        return
    known = read_json(folder / _METRICS)
    known = known if isinstance(known, dict) else {}
    data, scored = (str(known.get(key)) for key in ("data", "split"))
    if (Path(data).resolve(), scored) != (manifest.root.resolve(), split):
        raise OutputError(
            f"{show_place(folder)} holds the scores of the split {scored} of {show_place(data)}; "
            "they are left alone. Choose another place (--out), or add --overwrite "
            f"(overwrite=True). Received: the split {split} of {show_place(manifest.root)}"
        )


def _predict(
    session: Session,
    manifest: Manifest,
    skip_bad: bool,
    on_progress: Callable[[int], None] | None,
) -> tuple[Manifest, np.ndarray, list[Problem]]:
    """Return the images that can be read, their logits `(n, C)`, and the other images."""
    samples: list[Sample] = []
    logits: list[np.ndarray] = []
    problems: list[Problem] = []
    pairs = zip(manifest.samples, session.explain(manifest.paths), strict=True)
    for sample, explanation in keep_readable(pairs, problems, skip_bad=skip_bad):
        samples.append(sample)
        logits.append(explanation.logits.copy())  # Of a view on all that the batch returned.
        if on_progress is not None:
            on_progress(1)
    return replace(manifest, samples=tuple(samples)), np.stack(logits), problems


def _score(
    task: Task,
    manifest: Manifest,
    probabilities: np.ndarray,
    resamples: int,
    on_resample: Callable[[int], None] | None,
) -> Scores:
    labels, measures = task.encode(manifest), task.list_metrics()
    groups = np.array([sample.group for sample in manifest.samples])
    intervals = bootstrap_intervals(
        measures, labels, probabilities, groups, resamples, on_progress=on_resample
    )
    metrics = {
        name: {"value": measures[name](labels, probabilities), "low": low, "high": high}
        for name, (low, high) in intervals.items()
    }
    confusion = task.confuse(labels, probabilities)
    return Scores(metrics, confusion, task.class_names, len(labels), len(set(groups)))


def _count(
    task: Task, manifest: Manifest, logits: np.ndarray, point: OperatingPoint
) -> dict[str, Rate]:
    groups = np.array([sample.group for sample in manifest.samples])
    return count_verdicts(task, task.encode(manifest), logits, groups, point)


def _to_json(scores: Scores, resamples: int) -> dict[str, Any]:
    rounded = {
        name: {key: _round(value) for key, value in values.items()}
        for name, values in scores.metrics.items()
    }
    return {
        "num_images": scores.num_images,
        "num_groups": scores.num_groups,
        "interval": f"95 % percentile bootstrap over groups, {resamples} resamples",
        "metrics": rounded,
        "class_names": scores.class_names,
        "confusion": scores.confusion.tolist(),
        "rates": {name: rate.to_json() for name, rate in scores.rates.items()},
    }


def _round(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _write_predictions(
    path: Path,
    task: Task,
    manifest: Manifest,
    probabilities: np.ndarray,
    verdicts: Sequence[dict[str, str]],
) -> None:
    columns = [f"probability_{name}" for name in task.class_names]
    rows = [
        {"path": sample.path, "label": sample.label, "predicted": task.name_prediction(row)}
        | {column: f"{p:.6f}" for column, p in zip(columns, row, strict=True)}
        | verdict
        for sample, row, verdict in zip(manifest.samples, probabilities, verdicts, strict=True)
    ]
    write_table(path, rows, ["path", "label", "predicted", *columns, *verdicts[0]])
