"""Score a run on labelled images: metrics with intervals, predictions, confusion matrix."""

import csv
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

from mscam_tf.data.images import check_images
from mscam_tf.data.manifest import SPLITS, Manifest, ManifestError, Sample, read_manifest
from mscam_tf.files import write_json, write_whole
from mscam_tf.metrics import bootstrap_intervals, list_class_metrics, list_finding_metrics
from mscam_tf.norms import fuse_norms
from mscam_tf.preparation import drop_images, make_split_dataset
from mscam_tf.runs import Run
from mscam_tf.targets import encode_labels

_LOGGER = logging.getLogger(__name__)


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


def select_samples(run: Run, manifest: Manifest, split: str) -> Manifest:
    """Return the samples of one split of a run, or all of them for `split="all"`.

    Raises:
        ManifestError: If the run's split has none of the manifest's images, or a label is one
            that the run does not know.
    """
    encode_labels(run, manifest)  # Raises for labels that it does not know.
    if split not in (*SPLITS, "all"):
        raise ValueError(f"`split` must be one of {(*SPLITS, 'all')}. Received: split={split!r}")
    if split == "all":
        _warn_of_training_images(run, manifest)
        return manifest
    wanted = {sample.path for sample in read_manifest(run.split_file).select(split).samples}
    chosen = tuple(sample for sample in manifest.samples if sample.path in wanted)
    if not chosen:
        raise ManifestError(
            f"None of these images is in the split {split!r} of {run.split_file}; for other data "
            f"use the split 'all'. Received: {manifest.root}"
        )
    selected = Manifest(manifest.root, chosen)
    _warn_of_other_data(run, selected)
    return selected


def _warn_of_other_data(run: Run, manifest: Manifest) -> None:
    """Data may have moved since; other data with the same names would be taken for them."""
    if _count_own(run, manifest, chosen=manifest.samples) < len(manifest.samples):
        _LOGGER.warning(
            "%s was trained on %s: images of the same names are taken for its own.",
            run.folder,
            run.data,
        )


def _count_own(run: Run, manifest: Manifest, chosen: Sequence[Sample]) -> int:
    """Count the images of a manifest that are the very files of samples of the run."""
    known = {(Path(run.data) / sample.path).resolve() for sample in chosen}
    return sum(path.resolve() in known for path in manifest.paths)


def _warn_of_training_images(run: Run, manifest: Manifest) -> None:
    if not run.split_file.exists():  # Of a run that was made by hand.
        return
    seen = _count_own(run, manifest, read_manifest(run.split_file).select("train").samples)
    if seen:
        _LOGGER.warning(
            "%d of %d images were trained on: scores on them say nothing of new images.",
            seen,
            len(manifest.samples),
        )


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
        folder: Where to write; created if missing.
        split: Name of what is scored, to be kept in `metrics.json`.
        resamples: Bootstrap resamples for the intervals; groups are resampled whole.
        skip_bad: Leave out images that cannot be read, and list them in `metrics.json`.

    Returns:
        The `Scores`.

    Raises:
        ImageError: If images cannot be read.
    """
    folder = Path(folder)
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
