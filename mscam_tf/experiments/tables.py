"""Table 1 and the paired differences, from the scores of the trials."""

import csv
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import t
from sklearn.metrics import roc_auc_score

from mscam_tf.data.labels import NO_OBJECT
from mscam_tf.experiments.trials import MODELS, PARTS, TRIALS, is_scored

_MEASURES = ("own classes", "two classes", "AUROC")
COLUMNS = [f"{part}, {what}" for part in PARTS for what in _MEASURES]
_TEST_PER_TRAINING = 2 / 7
Scores = dict[str, np.ndarray]


def read_scores(folder: Path) -> dict[tuple[str, str], Scores]:
    """Read the scores by `(start, model)`, each `(seeds,)` under the name of its column.

    A column is one of `PARTS` that is there, and a measure: the accuracy over the model's own
    classes; that over the two that follow from them, an object where `1 - p(none) > 0.5`; and the
    area under the curve of `1 - p(none)`. Seeds are those that every model has finished.
    """
    found: dict[tuple[str, str], Scores] = {}
    for start in sorted(path for path in (folder / TRIALS).glob("*") if path.is_dir()):
        seeds = [_list_seeds(start / model.name) for model in MODELS]
        common = sorted(set.intersection(*seeds))
        for model in MODELS:
            places = [start / model.name / f"seed{seed}" for seed in common]
            found[start.name, model.name] = _read_columns(places)
    return found


def describe_models(found: dict[tuple[str, str], Scores]) -> list[dict[str, str]]:
    """Return the rows of Table 1: mean and standard deviation over the seeds."""
    rows = []
    for (start, name), scores in found.items():
        model = next(model for model in MODELS if model.name == name)
        row = {"weights": start, "model": f"({name}) {model.title}"}
        row["seeds"] = str(len(next(iter(scores.values()), [])))
        row["paper"] = f"{model.accuracy:.3f}"
        for column in COLUMNS:
            row[column] = _describe_mean(scores[column]) if column in scores else ""
        rows.append(row)
    return rows


def describe_differences(found: dict[tuple[str, str], Scores]) -> list[dict[str, str]]:
    """Return the paired differences between the models, with deviation and 95 % interval."""
    rows = []
    for start in dict.fromkeys(start for start, _ in found):
        for first, second in combinations([model.name for model in MODELS], 2):
            one, other = found[start, first], found[start, second]
            row = {"weights": start, "difference": f"({second}) - ({first})"}
            for column in COLUMNS:
                there = column in one and column in other
                overlap = _TEST_PER_TRAINING if column.startswith("test") else 0.0
                row[column] = _describe(other[column] - one[column], overlap) if there else ""
            rows.append(row)
    return rows


def pair_interval(differences: np.ndarray, overlap: float = 0.0) -> tuple[float, float]:
    """Return the 95 % interval of the mean of paired differences, by Student's t.

    Args:
        differences: One a seed, `(n,)`.
        overlap: Test images per training image where every seed splits the same images anew. The
            seeds are then not independent, and the variance of the mean is `(1 / n + overlap) s^2`.

    Returns:
        Its ends; not numbers for a single seed.

    References:
        Nadeau and Bengio, 2003, equation 9: the corrected resampled t-test.

    Examples:
        >>> import numpy as np
        >>> low, high = pair_interval(np.array([0.01, 0.03, 0.02]))
        >>> round(low, 4), round(high, 4)
        (-0.0048, 0.0448)
    """
    count = len(differences)
    if count < 2:
        return float("nan"), float("nan")
    deviation = differences.std(ddof=1) * np.sqrt(1 / count + overlap)
    half = t.ppf(0.975, count - 1) * deviation
    return float(differences.mean() - half), float(differences.mean() + half)


def to_markdown(rows: Sequence[dict[str, str]]) -> str:
    """Return rows as a Markdown table."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _list_seeds(folder: Path) -> set[int]:
    places = [place for place in folder.glob("seed*") if is_scored(place, PARTS[0])]
    return {int(place.name.removeprefix("seed")) for place in places}


def _read_columns(places: Sequence[Path]) -> Scores:
    columns = {}
    for part in PARTS:
        if places and all(is_scored(place, part) for place in places):
            scores = [_score(place / part / "predictions.csv") for place in places]
            for what, values in zip(_MEASURES, np.transpose(scores), strict=True):
                columns[f"{part}, {what}"] = values
    return columns


def _score(path: Path) -> tuple[float, float, float]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    there = np.array([row["label"] != NO_OBJECT for row in rows])
    chance = np.array([1 - float(row[f"probability_{NO_OBJECT}"]) for row in rows])
    own = np.mean([row["label"] == row["predicted"] for row in rows])
    return float(own), float(np.mean((chance > 0.5) == there)), float(roc_auc_score(there, chance))


def _describe_mean(values: np.ndarray, sign: str = "") -> str:
    deviation = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
    return f"{values.mean():{sign}.3f}{deviation}"


def _describe(differences: np.ndarray, overlap: float) -> str:
    low, high = pair_interval(differences, overlap)
    interval = "" if np.isnan(low) else f" [{low:+.3f}, {high:+.3f}]"
    return f"{_describe_mean(differences, '+')}{interval}"
