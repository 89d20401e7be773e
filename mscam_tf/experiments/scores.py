"""The scores of all trials, in one small file: what it lists is done."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from mscam_tf.data.manifests import NO_OBJECT
from mscam_tf.files import append_row, read_table

SCORES_FILE = "scores.csv"
PARTS = ("test", "fresh")  # What a model is scored on.
_MEASURES = ("own classes", "two classes", "AUROC")
COLUMNS = [f"{part}, {what}" for part in PARTS for what in _MEASURES]
TrialScores = dict[str, np.ndarray]
Key = tuple[str, str, int]  # Start, letter of the model, seed.
_COLUMNS = ["weights", "model", "seed", *COLUMNS, "versions"]


def list_done(folder: Path) -> set[Key]:
    """List the trials that have their scores."""
    return {_read_key(row) for row in _read_rows(folder)}


def add_scores(folder: Path, key: Key, place: Path, versions: Mapping[str, str]) -> None:
    """Add the scores of a trial, from its predictions in `test/` and `fresh/` of a place.

    Args:
        folder: Of the reproduction.
        key: Of the trial.
        place: Of its run. Only `fresh/` may be missing.
        versions: Of the software that it was trained with.
    """
    row = dict(zip(("weights", "model", "seed"), key, strict=True))
    for part in PARTS:
        if part == PARTS[0] or (place / part).exists():
            row |= _score(place / part / "predictions.csv", part)
    row["versions"] = ", ".join(f"{name} {version}" for name, version in versions.items())
    append_row(folder / SCORES_FILE, row, _COLUMNS)


def list_versions(folder: Path) -> list[str]:
    """List what the trials were trained with."""
    return sorted({row["versions"] for row in _read_rows(folder)})


def read_scores(folder: Path, models: Sequence[str]) -> dict[tuple[str, str], TrialScores]:
    """Read the scores by `(start, model)`, each `(seeds,)` under the name of its column.

    A column is one of `PARTS` that is there, and a measure: the accuracy over the model's own
    classes; that over the two that follow from them, an object where `1 - p(none) > 0.5`; and the
    area under the curve of `1 - p(none)`. Seeds are those that all of the models have finished.
    """
    rows = {_read_key(row): row for row in _read_rows(folder)}
    found: dict[tuple[str, str], TrialScores] = {}
    for start in sorted({start for start, _, _ in rows}):
        seeds = [{key[2] for key in rows if key[:2] == (start, name)} for name in models]
        common = sorted(set.intersection(*seeds))
        for name in models:
            found[start, name] = _read_columns([rows[start, name, seed] for seed in common])
    return found


def _read_rows(folder: Path) -> list[dict[str, str]]:
    path = folder / SCORES_FILE
    return read_table(path) if path.exists() else []


def _read_key(row: dict[str, str]) -> Key:
    return row["weights"], row["model"], int(row["seed"])


def _read_columns(rows: Sequence[dict[str, str]]) -> TrialScores:
    there = [column for column in COLUMNS if rows and all(row[column] for row in rows)]
    return {column: np.array([float(row[column]) for row in rows]) for column in there}


def _score(path: Path, part: str) -> dict[str, str]:
    rows = read_table(path)
    there = np.array([row["label"] != NO_OBJECT for row in rows])
    chance = np.array([1 - float(row[f"probability_{NO_OBJECT}"]) for row in rows])
    own = np.mean([row["label"] == row["predicted"] for row in rows])
    values = own, np.mean((chance > 0.5) == there), roc_auc_score(there, chance)
    named = zip(_MEASURES, values, strict=True)
    return {f"{part}, {what}": f"{value:.6f}" for what, value in named}
