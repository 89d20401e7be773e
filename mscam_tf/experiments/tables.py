"""Table 1 and the paired differences, from the scores of the trials."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.stats import t

from mscam_tf.experiments.scores import COLUMNS, TrialScores
from mscam_tf.experiments.trials import MODELS

_TEST_PER_TRAINING = 2 / 7


def describe_models(found: dict[tuple[str, str], TrialScores]) -> list[dict[str, str]]:
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


def describe_differences(found: dict[tuple[str, str], TrialScores]) -> list[dict[str, str]]:
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
    lines = [[cell.replace("|", r"\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _describe_mean(values: np.ndarray, sign: str = "") -> str:
    deviation = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
    return f"{values.mean():{sign}.3f}{deviation}"


def _describe(differences: np.ndarray, overlap: float) -> str:
    low, high = pair_interval(differences, overlap)
    interval = "" if np.isnan(low) else f" [{low:+.3f}, {high:+.3f}]"
    return f"{_describe_mean(differences, '+')}{interval}"
