"""The table of a training: a row of numbers for each epoch, or step."""

from pathlib import Path
from typing import Any

from mscam_tf.files import read_table, write_table

HISTORY = "history.csv"


def add_row(path: Path, row: dict[str, Any]) -> None:
    """Add a row to a CSV file that is written anew, whole or not at all."""
    rows: list[dict[str, Any]] = [*read_table(path)] if path.exists() else []
    write_table(path, [*rows, row], [*(rows[0] if rows else row)])
