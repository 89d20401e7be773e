"""Table 1 and the paired differences, from the scores of the trials."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.stats import t

from mscam_tf.data.labels import NO_OBJECT
from mscam_tf.experiments.trials import MODELS, Trial

PARTS = ("test", "fresh")


@dataclass(frozen=True)
class Accuracies:
    """Accuracies of the trials of one model from one start, seed by seed.

    Attributes:
        all_classes: For each of `PARTS` that is there `(seeds,)`; what the model itself learned.
        two_classes: Likewise: any object against none, which follows from it.
    """

    all_classes: dict[str, np.ndarray]
    two_classes: dict[str, np.ndarray]


def read_accuracies(folder: Path, trials: Sequence[Trial]) -> dict[tuple[str, str], Accuracies]:
    """Read the accuracies by `(weights, model)`; of all seeds that every model has finished."""
    found: dict[tuple[str, str], Accuracies] = {}
    for weights in dict.fromkeys(trial.weights for trial in trials):
        seeds = [trial.seed for trial in trials if trial.weights == weights]
        common = [
            seed
            for seed in dict.fromkeys(seeds)
            if _have([Trial(model, weights, seed).locate(folder) for model in MODELS], "test")
        ]
        for model in MODELS:
            places = [Trial(model, weights, seed).locate(folder) for seed in common]
            parts = [part for part in PARTS if places and _have(places, part)]
            scores = {part: np.array([_score(place / part) for place in places]) for part in parts}
            found[weights, model.name] = Accuracies(
                {part: values[:, 0] for part, values in scores.items()},
                {part: values[:, 1] for part, values in scores.items()},
            )
    return found


def describe_models(found: dict[tuple[str, str], Accuracies]) -> list[dict[str, str]]:
    """Return the rows of Table 1: mean and standard deviation over the seeds."""
    rows = []
    for (weights, name), accuracies in found.items():
        model = next(model for model in MODELS if model.name == name)
        row = {"weights": weights, "model": f"({name}) {model.title}"}
        row["seeds"] = str(len(next(iter(accuracies.all_classes.values()), [])))
        row["paper"] = f"{model.accuracy:.3f}"
        for part in PARTS:
            for what, values in (
                ("own classes", accuracies.all_classes),
                ("two classes", accuracies.two_classes),
            ):
                row[f"{part}, {what}"] = _describe_mean(values[part]) if part in values else ""
        rows.append(row)
    return rows


def describe_differences(found: dict[tuple[str, str], Accuracies]) -> list[dict[str, str]]:
    """Return the paired differences between successive models, with their 95 % intervals."""
    rows = []
    for weights in dict.fromkeys(weights for weights, _ in found):
        for first, second in pairwise(model.name for model in MODELS):
            one, other = found[weights, first], found[weights, second]
            row = {"weights": weights, "difference": f"({second}) - ({first})"}
            for part in PARTS:
                for what in ("own classes", "two classes"):
                    key = "all_classes" if what == "own classes" else "two_classes"
                    pair = [getattr(accuracies, key).get(part) for accuracies in (other, one)]
                    row[f"{part}, {what}"] = "" if pair[0] is None else _describe(pair[0] - pair[1])
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


def _have(places: Sequence[Path], part: str) -> bool:
    return all((place / part / "metrics.json").exists() for place in places)


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
