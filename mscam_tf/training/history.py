"""The table of a training: a row of numbers for each epoch, or step."""

import csv
from pathlib import Path
from typing import Any

from mscam_tf.errors import RunError
from mscam_tf.files import read_table, write_table

HISTORY = "history.csv"


def add_row(path: Path, row: dict[str, Any]) -> None:
    """Add a row to a CSV file that is written anew, whole or not at all."""
    rows: list[dict[str, Any]] = [*read_table(path)] if path.exists() else []
    write_table(path, [*rows, row], [*(rows[0] if rows else row)])


def drop_later_rows(path: Path, column: str, end: int) -> None:
    """Drop what a history tells, from a step or an epoch on, of what is done once more.

    Raises:
        RunError: If it cannot be read.
    """
    if not path.exists():
        return
    try:
        rows = [row for row in read_table(path) if int(row[column]) < end]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise RunError(
            f"{path} cannot be read; move it away to go on without its rows. Expected: numbers in "
            f"the column {column}. Received: {error!r}"
        ) from error
    if rows:
        write_table(path, rows)
    else:
        path.unlink()
