"""Write text, tables and images whole or not at all; read tables as they were written."""

import csv
import hashlib
import json
import os
import re
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from mscam_tf.errors import name_full_disk

PARTIAL = ".partial-"  # In the names of what is not complete yet.
_LONGEST = 255  # Bytes of a file name, on all common file systems.
_PARTIAL_FILE = re.compile(rf"{re.escape(PARTIAL)}[0-9a-f]{{12}}(\..*)?", re.DOTALL)
_STALE = 3600.0  # Seconds after which a partial file belongs to nobody.
# Names of files may hold bytes that are no UTF-8, and come back as they were.
TABLE_FORMAT: dict[str, Any] = {"newline": "", "encoding": "utf-8", "errors": "surrogatepass"}
_FORMULA = re.compile(r"'*[=+\-@\t\r].")
_FIGURES = re.compile(r"[+-](?:inf|nan|[\d.,e ±%+\[\]-]+)")  # Such as -0.1 ± 0.2 [-0.4, +0.1].


@contextmanager
def write_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary name in the same folder, and rename it to `path` when the block succeeds.

    What was written reaches the disk before the name changes: even a power failure leaves either
    the old file or the new one. In a folder that is itself not complete yet (see
    `write_whole_folder`), that is left to the folder.

    Args:
        path: The file to write, or a link to it; its folder is created if missing. The temporary
            name is unique and ends alike: many libraries choose the format by it.

    Returns:
        A context manager that gives the temporary name, beside what a link leads to. If the block
        raises, the temporary file is removed and what stood at `path` is untouched.

    Raises:
        OutputError: If the disk is full.

    Examples:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "notes" / "a.txt"
        >>> with write_whole(path) as partial:
        ...     _ = partial.write_text("whole")
        >>> path.read_text(), [file.name for file in path.parent.iterdir()]
        ('whole', ['a.txt'])
    """
    path = Path(path)
    ending = "".join(path.suffixes)[-40:]  # Keras asks for `.weights.h5`, not only for `.h5`.
    path = path.resolve() if path.is_symlink() else path  # A link stays one.
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{uuid.uuid4().hex[:12]}{ending}")
    try:
        with name_full_disk(path):
            yield partial
            if not any(PARTIAL in part for part in path.parent.parts):
                flush(partial)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def is_partial(path: Path) -> bool:
    """Whether a path is a file that `write_whole` has not finished, or was killed at."""
    return path.is_file() and not path.is_symlink() and bool(_PARTIAL_FILE.fullmatch(path.name))


def flush(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def remove_stale(folder: Path) -> None:
    """Remove the partial files that killed commands left in a folder, an hour ago or more.

    What cannot be removed, since the folder is read-only, does no harm.
    """
    for path in folder.glob(f"{PARTIAL}*"):
        with suppress(OSError):
            if path.is_file() and time.time() - path.stat().st_mtime > _STALE:
                path.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with write_whole(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: str | Path, values: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(values, indent=2) + "\n")


def write_png(path: str | Path, pixels: np.ndarray, compress_level: int = 6) -> None:
    """Write an image `(H, W)` of 8 or 16 bits as PNG, whole or not at all.

    Args:
        path: Where to write.
        pixels: Array of uint8 or uint16.
        compress_level: 1 is the quickest; of noise, it makes files as small as any.
    """
    with write_whole(path) as partial:
        image = Image.fromarray(np.ascontiguousarray(pixels))
        image.save(partial, format="png", compress_level=compress_level)


def write_table(
    path: str | Path,
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
) -> None:
    """Write rows as a CSV file, whole or not at all.

    A text that a spreadsheet would take for a formula, such as a file named `=cmd.png`, gets an
    apostrophe before it. `read_table` and `TableReader` take it away again.

    Args:
        path: Where to write.
        rows: What each row holds, by column. What `columns` does not name is left out.
        columns: By default those of the first row.

    Examples:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
        >>> write_table(path, [{"path": "=a.png", "value": -1.5}])
        >>> path.read_text().splitlines(), read_table(path)
        (['path,value', "'=a.png,-1.5"], [{'path': '=a.png', 'value': '-1.5'}])
    """
    rows = list(rows)
    with write_whole(path) as partial, partial.open("w", **TABLE_FORMAT) as file:
        _write_rows(file, rows, list((rows[0] if rows else {}) if columns is None else columns))


def append_row(path: str | Path, row: Mapping[str, Any], columns: Sequence[str] = ()) -> None:
    """Append a row to a CSV file at once; a new file gets a header first.

    Args:
        path: The file; created if missing.
        row: What the row holds, by column.
        columns: By default those of the row.
    """
    # At once: two processes may share one table.
    with Path(path).open("a", **TABLE_FORMAT) as file:
        _write_rows(file, [row], list(columns or row), header=file.tell() == 0)


def _write_rows(
    file: IO[str], rows: Iterable[Mapping[str, Any]], columns: list[str], *, header: bool = True
) -> None:
    writer = csv.DictWriter(file, columns, extrasaction="ignore")
    if header:
        writer.writerow({name: _guard(name) for name in columns})
    writer.writerows({name: _guard(value) for name, value in row.items()} for row in rows)


class TableReader(csv.DictReader):  # type: ignore[type-arg]
    """Read a CSV file row by row, as `write_table` wrote it or as anybody else did.

    An unclosed or stray quote raises `csv.Error`, instead of swallowing the rows that follow.
    """

    def __init__(self, file: Iterable[str]) -> None:
        super().__init__(file, strict=True)

    @property
    def fieldnames(self) -> list[str] | None:  # type: ignore[override]
        """Names of the columns."""
        names = super().fieldnames
        return None if names is None else [unguard(name) for name in names]

    def __next__(self) -> Any:
        """Return the next row, as text by column."""
        return {name: unguard(value) for name, value in super().__next__().items()}


def read_table(path: str | Path) -> list[dict[str, str]]:
    """Read a CSV file that `write_table` wrote: its rows, as text by column."""
    with Path(path).open(**TABLE_FORMAT) as file:
        return list(TableReader(file))


def _guard(value: Any) -> Any:
    """Keep a spreadsheet from running a text; figures may begin with a sign."""
    if not isinstance(value, str) or not _FORMULA.match(value) or _FIGURES.fullmatch(value):
        return value
    return f"'{value}"


def unguard(value: Any) -> Any:
    """Take away the apostrophe that `write_table` puts before a text like a formula."""
    guarded = isinstance(value, str) and value.startswith("'") and _FORMULA.match(value)
    return value[1:] if guarded else value


def shorten_name(name: str, room: int = _LONGEST) -> str:
    """Shorten a name of a file to so many bytes; what was cut is told apart by a hash.

    Examples:
        >>> shorten_name("film"), shorten_name("film" * 100, 16)
        ('film', 'filmfil~17aed51a')
    """
    encoded = os.fsencode(name)
    if len(encoded) <= room:
        return name
    mark = f"~{hashlib.sha256(encoded).hexdigest()[:8]}"
    kept = encoded[: room - len(mark)].decode(errors="ignore")
    return f"{kept}{mark}"


def name_files(paths: Sequence[Path], room: int = _LONGEST - 32) -> list[str]:
    """Name what is written about files after them: unique, short enough, one for each.

    Args:
        paths: The files. Those of the same name are also named after their folder.
        room: Bytes that a name may have, without what is appended to it.

    Examples:
        >>> name_files([Path("a/1.png"), Path("b/1.png"), Path("b/2.png"), Path("b/2.tif")])
        ['a_1', 'b_1', 'b_2', 'b_2_2']
    """
    counts = Counter(path.stem.casefold() for path in paths)  # Some systems take A.png for a.png.
    taken: set[str] = set()
    names = []
    for path in paths:
        common = counts[path.stem.casefold()] > 1
        stem = f"{path.parent.name}_{path.stem}" if common else path.stem
        name, number = shorten_name(stem, room), 1
        while name.casefold() in taken:
            number += 1
            name = shorten_name(f"{stem}_{number}", room)
        taken.add(name.casefold())
        names.append(name)
    return names
