"""Scores of maps as files: a table, the same with its settings, and the free-response curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mscam_tf.data.reading import write_problems
from mscam_tf.evaluation.localized import Localization, LocatedRow
from mscam_tf.evaluation.map_scores import STEP
from mscam_tf.files import write_json, write_table
from mscam_tf.folders import write_whole_folder
from mscam_tf.metrics import MARK_TOLERANCE
from mscam_tf.outputs import Kind
from mscam_tf.plots import plot_free_response, save_figure

_MEASURES = ("pointing", "pxap", "max_box_acc_v2", "found", "false_marks")
LOCALIZATION_FOLDER = Kind(
    "scores of maps",
    "localization.csv",
    keys=("map", "size", "found"),
    entries=("localization.csv", "localization.json", "free_response.png", "skipped.csv"),
)


def write_localization(
    found: Localization, folder: str | Path, settings: dict[str, Any] | None = None
) -> None:
    """Write the scores of a run's maps, in the place of earlier ones.

    Args:
        found: From `mscam_tf.locate`.
        folder: Where to write `localization.csv`, `localization.json` and `free_response.png`,
            whole or not at all; other files in it stay.
        settings: What else is to be kept in `localization.json`.
    """
    with write_whole_folder(folder, LOCALIZATION_FOLDER.entries) as partial:
        fill_localization(found, partial, settings or {})


def fill_localization(found: Localization, folder: Path, settings: dict[str, Any]) -> None:
    """Write the scores into a folder that somebody holds."""
    write_table(folder / "localization.csv", [_make_row(row) for row in found.rows], _COLUMNS)
    save_figure(plot_free_response(found.curves), folder / "free_response.png")
    if found.skipped:
        write_problems(found.skipped, folder / "skipped.csv")
    write_json(folder / "localization.json", _to_json(found, settings))


def _name_columns() -> Sequence[str]:
    columns = ["map", "size", "images", "objects"]
    for name in _MEASURES:
        columns += [name, f"{name}_low", f"{name}_high"]
    return columns


_COLUMNS = _name_columns()


def _make_row(row: LocatedRow) -> dict[str, Any]:
    cells = {"map": row.map, "size": row.size, "images": row.images, "objects": row.objects}
    for name, values in row.scores.items():
        ends = zip(("", "_low", "_high"), values, strict=True)
        cells |= {f"{name}{end}": "" if np.isnan(value) else f"{value:.6f}" for end, value in ends}
    return cells


def _to_json(found: Localization, settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {
        "num_images": found.num_images,
        "num_groups": found.num_groups,
        "prevalence": round(found.prevalence, 6),
        "tolerance": MARK_TOLERANCE,
        "box_thresholds": STEP,
        "found_at_false_marks": 1,
        "interval": "95 % percentile bootstrap over groups",
        "rows": [
            {"map": row.map, "size": row.size, "images": row.images, "objects": row.objects}
            | {name: _name_ends(values) for name, values in row.scores.items()}
            for row in found.rows
        ],
        "skipped": [{"path": str(path), "reason": reason} for path, reason in found.skipped],
    }


def _name_ends(values: tuple[float, float, float]) -> dict[str, float | None]:
    pairs = zip(("value", "low", "high"), values, strict=True)
    return {end: None if np.isnan(value) else round(value, 6) for end, value in pairs}
