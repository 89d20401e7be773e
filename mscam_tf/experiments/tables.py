"""Table 1 and the paired differences, from the scores of the trials."""

import csv
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.stats import t

from mscam_tf.data.labels import NO_OBJECT
from mscam_tf.experiments.trials import MODELS, PARTS, Trial, is_scored

_CLASSES = ("own classes", "two classes")
COLUMNS = [f"{part}, {what}" for part in PARTS for what in _CLASSES]


Accuracies = dict[str, np.ndarray]


def read_accuracies(folder: Path, trials: Sequence[Trial]) -> dict[tuple[str, str], Accuracies]:
    """Read the accuracies by `(weights, model)`, each `(seeds,)` under the name of its column.

    A column is one of `PARTS` that is there, and the classes that count: the model's own, or the
    two that follow from them (any object against none). Seeds are those that every model finished.
    """
    found: dict[tuple[str, str], Accuracies] = {}
    for weights in dict.fromkeys(trial.weights for trial in trials):
        seeds = [trial.seed for trial in trials if trial.weights == weights]
        common = [
            seed
            for seed in dict.fromkeys(seeds)
            if all(is_scored(Trial(model, weights, seed), folder, "test") for model in MODELS)
        ]
        for model in MODELS:
            found[weights, model.name] = _read_columns(
                [Trial(model, weights, seed) for seed in common], folder
            )
    return found


def describe_models(found: dict[tuple[str, str], Accuracies]) -> list[dict[str, str]]:
    """Return the rows of Table 1: mean and standard deviation over the seeds."""
    rows = []
    for (weights, name), accuracies in found.items():
        model = next(model for model in MODELS if model.name == name)
        row = {"weights": weights, "model": f"({name}) {model.title}"}
        row["seeds"] = str(len(next(iter(accuracies.values()), [])))
        row["paper"] = f"{model.accuracy:.3f}"
        for column in COLUMNS:
            row[column] = _describe_mean(accuracies[column]) if column in accuracies else ""
        rows.append(row)
    return rows


def describe_differences(found: dict[tuple[str, str], Accuracies]) -> list[dict[str, str]]:
    """Return the paired differences between successive models, with their 95 % intervals."""
    rows = []
    for weights in dict.fromkeys(weights for weights, _ in found):
        for first, second in pairwise(model.name for model in MODELS):
            one, other = found[weights, first], found[weights, second]
            row = {"weights": weights, "difference": f"({second}) - ({first})"}
            for column in COLUMNS:
                there = column in one and column in other
                row[column] = _describe(other[column] - one[column]) if there else ""
            rows.append(row)
    return rows


def pair_interval(differences: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean of paired differences, by Student's t.

    Examples:
        >>> import numpy as np
        >>> low, high = pair_interval(np.array([0.01, 0.03, 0.02]))
        >>> round(low, 4), round(high, 4)
        (-0.0048, 0.0448)
    """
    count = len(differences)
    if count < 2:
        return float("nan"), float("nan")
    half = t.ppf(0.975, count - 1) * differences.std(ddof=1) / np.sqrt(count)
    return float(differences.mean() - half), float(differences.mean() + half)


def to_markdown(rows: Sequence[dict[str, str]]) -> str:
    """Return rows as a Markdown table."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _read_columns(trials: Sequence[Trial], folder: Path) -> Accuracies:
    columns = {}
    for part in PARTS:
        if trials and all(is_scored(trial, folder, part) for trial in trials):
            scores = [_score(trial.locate(folder) / part) for trial in trials]
            for what, values in zip(_CLASSES, np.transpose(scores), strict=True):
                columns[f"{part}, {what}"] = values
    return columns


def _score(folder: Path) -> tuple[float, float]:
    """Return the accuracy over the model's own classes, and over none against all others."""
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
        pairs = [(row["label"], row["predicted"]) for row in csv.DictReader(file)]
    own = np.mean([label == predicted for label, predicted in pairs])
    two = np.mean([(label == NO_OBJECT) == (said == NO_OBJECT) for label, said in pairs])
    return float(own), float(two)


def _describe_mean(values: np.ndarray) -> str:
    deviation = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{deviation}"


def _describe(differences: np.ndarray) -> str:
    low, high = pair_interval(differences)
    interval = "" if np.isnan(low) else f" [{low:+.3f}, {high:+.3f}]"
    return f"{differences.mean():+.3f}{interval}"
