"""Score a run on labelled images: metrics with intervals, predictions, confusion matrix."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

from mscam_tf.data.manifests import (
    Manifest,
    drop_images,
)
from mscam_tf.data.reading import check_images
from mscam_tf.files import write_json, write_whole
from mscam_tf.fused_norms import fuse_norms
from mscam_tf.metrics import bootstrap_intervals, list_class_metrics, list_finding_metrics
from mscam_tf.outputs import Kind, claim
from mscam_tf.runs import Run, encode_labels, make_split_dataset

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
    """

    metrics: dict[str, dict[str, float]]
    confusion: np.ndarray
    class_names: list[str]
    num_images: int


def evaluate(
    run: Run,
    manifest: Manifest,
    folder: str | Path,
    *,
    split: str = "all",
    resamples: int = 1000,
    skip_bad: bool = False,
) -> Scores:
    """Score a run; write `metrics.json` and `predictions.csv`.

    Args:
        run: A finished run.
        manifest: Labelled images, such as `select_samples(run, manifest, "test")`.
        folder: Where to write: the run's own folder, a new one, or that of earlier scores, which
            are replaced.
        split: Name of what is scored, to be kept in `metrics.json`.
        resamples: Bootstrap resamples for the intervals; groups are resampled whole.
        skip_bad: Leave out images that cannot be read, and list them in `metrics.json`.

    Returns:
        The `Scores`.

    Raises:
        ImageError: If images cannot be read.
        OutputError: If the folder holds other files, and no scores.
    """
    folder = Path(folder)
    if folder.resolve() != run.folder.resolve():
        claim(folder, _FOLDER)
    skipped: list[tuple[Path, str]] = []
    if skip_bad:
        _, skipped = check_images(manifest.paths, run.config.read, skip_bad=True)
        manifest = drop_images(manifest, skipped)
    logits = _predict(run, manifest)
    probabilities = (expit if run.config.several else _softmax)(logits.astype(np.float64))
    labels = encode_labels(run, manifest)
    groups = np.array([sample.group for sample in manifest.samples])
    scores = _score(labels, probabilities, groups, run.class_names, resamples)
    _write_predictions(folder / "predictions.csv", run, manifest, probabilities)
    write_json(  # Last: where it is, all is.
        folder / "metrics.json",
        {"data": str(manifest.root), "split": split}
        | _to_json(scores, resamples)
        | {"skipped": [{"path": str(path), "reason": reason} for path, reason in skipped]},
    )
    return scores


def _softmax(logits: np.ndarray) -> np.ndarray:
    probabilities: np.ndarray = softmax(logits, axis=-1)
    return probabilities


def _predict(run: Run, manifest: Manifest) -> np.ndarray:
    """Return the logits. Images are checked only if one fails: reading all twice is dear."""
    try:
        dataset = make_split_dataset(run, manifest, cache_bytes=0)
        model = run.load_model()
        with fuse_norms(model):
            return model.predict(dataset, verbose=0)
    except tf.errors.OpError:
        check_images(manifest.paths, run.config.read)  # Names every bad one.
        raise


def _score(
    labels: np.ndarray,
    probabilities: np.ndarray,
    groups: np.ndarray,
    class_names: list[str],
    resamples: int,
) -> Scores:
    several = labels.ndim == 2
    metrics = {}
    measures = (list_finding_metrics if several else list_class_metrics)(class_names)
    intervals = bootstrap_intervals(measures, labels, probabilities, groups, resamples)
    for name, (low, high) in intervals.items():
        metrics[name] = {"value": measures[name](labels, probabilities), "low": low, "high": high}
    if several:
        confusion = multilabel_confusion_matrix(labels, probabilities > 0.5)
    else:
        classes = list(range(len(class_names)))
        confusion = confusion_matrix(labels, probabilities.argmax(-1), labels=classes)
    return Scores(metrics, confusion, class_names, len(labels))


def _to_json(scores: Scores, resamples: int) -> dict[str, Any]:
    rounded = {
        name: {key: _round(value) for key, value in values.items()}
        for name, values in scores.metrics.items()
    }
    return {
        "num_images": scores.num_images,
        "interval": f"95 % percentile bootstrap over groups, {resamples} resamples",
        "metrics": rounded,
        "class_names": scores.class_names,
        "confusion": scores.confusion.tolist(),
    }


def _round(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _write_predictions(path: Path, run: Run, manifest: Manifest, probabilities: np.ndarray) -> None:
    with write_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        columns = [f"probability_{name}" for name in run.class_names]
        writer.writerow(["path", "label", "predicted", *columns])
        for sample, row in zip(manifest.samples, probabilities, strict=True):
            writer.writerow(
                [sample.path, sample.label, run.name_prediction(row), *(f"{p:.6f}" for p in row)]
            )
