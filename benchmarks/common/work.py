"""Keep what is finished in a work folder, so that a run that was stopped goes on where it was."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def open_work(name: str, chosen: Path | None, **settings: object) -> Path:
    """Return where results are kept: `chosen`, or a folder of its own for each embedded weights.

    It keeps the settings, and is refused where it holds results of others.
    """
    from mscam_tf.files import write_json
    from mscam_tf.models import parse_weights
    from mscam_tf.records import check_settings

    work = chosen or Path("runs") / f"{name}_{parse_weights('xray').name}"
    check_settings(work / "settings.json", settings)
    write_json(work / "settings.json", settings)
    return work


def remember(path: Path, measure: Callable[[], Any]) -> Any:
    """Return what is in a JSON file; measure it and write it there where there is none yet."""
    from mscam_tf.files import write_json

    if not path.exists():
        write_json(path, measure())
    return json.loads(path.read_text(encoding="utf-8"))


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none where there is no file yet."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append_rows(path: Path, columns, rows) -> None:
    """Add rows to a CSV file; a new one gets a header first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([columns] * new + rows)
