"""Write files and folders whole or not at all."""

import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def write_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary name in the same folder, and rename it to `path` when the block succeeds.

    Args:
        path: The file to write; its folder is created if missing. The temporary name ends
            alike: many libraries choose the format by it.

    Returns:
        A context manager that gives the temporary name. If the block raises, the temporary file
        is removed and what stood at `path` is untouched.

    Examples:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "notes" / "a.txt"
        >>> with write_whole(path) as partial:
        ...     _ = partial.write_text("whole")
        >>> path.read_text(), [file.name for file in path.parent.iterdir()]
        ('whole', ['a.txt'])
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial.{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: str | Path, values: Any) -> None:
    """Write a JSON file, whole or not at all."""
    with write_whole(path) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def write_table(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as a CSV file, whole or not at all; the first row names the columns."""
    with write_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def write_whole_folder(path: str | Path, names: Sequence[str] | None = None) -> Iterator[Path]:
    """Give a temporary folder beside `path`, and put what it holds there when the block succeeds.

    Args:
        path: The folder to write; created if missing.
        names: The files and folders that the block writes. What stands in `path` under these names
            is replaced or removed, and all else stays; by default nothing stays.

    Returns:
        A context manager that gives the temporary folder. If the block raises, it is removed and
        what stood at `path` is untouched.

    Examples:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "data"
        >>> with write_whole_folder(folder) as partial:
        ...     _ = (partial / "a.txt").write_text("whole")
        >>> [file.name for file in folder.iterdir()]
        ['a.txt']
    """
    path = Path(path).resolve()
    partial = path.with_name(f".partial.{path.name}")
    shutil.rmtree(partial, ignore_errors=True)  # Of a process that was killed.
    partial.mkdir(parents=True)
    try:
        yield partial
        _put(partial, path, names)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put(partial: Path, path: Path, names: Sequence[str] | None) -> None:
    if not path.exists():
        partial.rename(path)
        return
    old = partial / ".old"  # Moving is quick; what is old is deleted at the end.
    old.mkdir()
    for source, target in ((path, old), (partial, path)):
        for entry in list(source.iterdir()):
            if entry != old and (names is None or entry.name in names):
                shutil.move(entry, target / entry.name)
