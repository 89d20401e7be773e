"""Tables that the user made: CSV files of any program, read row by row or refused by line."""

import codecs
import csv
import io
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from mscam_tf.data.manifests.samples import ManifestError
from mscam_tf.files import TABLE_FORMAT, unguard
from mscam_tf.names import show_place

_DELIMITERS = ",;\t"  # Excel writes semicolons where the comma is the decimal point.
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_LARGEST = 1e9  # No image has more pixels a side; areas of such boxes stay finite.


class Row(NamedTuple):
    """A row of a table: its file and line, for messages, and its cells by column."""

    place: str
    cells: dict[str, str]


class Table(NamedTuple):
    """The columns of a CSV file, and its rows, which are checked as they are taken."""

    columns: list[str]
    rows: Iterator[Row]


def open_table(path: Path, known: Collection[str]) -> Table:
    """Read a CSV file in UTF-8, with commas, semicolons or tabs between its cells.

    Args:
        path: The file.
        known: Columns with a meaning, in lower case. A header may write them in capitals or with
            spaces around them.

    Returns:
        The `Table`. Rows of empty cells are passed over, and so are empty cells beyond the header.

    Raises:
        ManifestError: Here or when a row is taken: if there is no file, it is not UTF-8, two
            columns have one name, a row has more or fewer cells than the header or repeats it, or
            a quotation mark is stray or not closed.
    """
    text = _decode(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda one: _count_known(first.split(one), known))
    lines = _split_cells(path, text, delimiter)
    number, header = next(lines, (1, []))
    columns = _name_columns(header, known, f"{path}, line {number}")
    return Table(columns, _read_rows(path, lines, header, columns, delimiter))


def parse_number(text: str) -> float | None:
    """Read a number as a table should hold it: finite, in decimal digits, with a point if any.

    Examples:
        >>> [parse_number(text) for text in ("12.5", "-3", "1e2", "nan", "0x10", "1_000", "2,5")]
        [12.5, -3.0, 100.0, None, None, None, None]
    """
    number = float(text) if _NUMBER.fullmatch(text.strip()) else _LARGEST
    return number if abs(number) < _LARGEST else None


def _decode(path: Path) -> str:
    if not path.is_file():
        raise ManifestError(f"Expected a CSV file. Received: {show_place(path)}, which is no file")
    data = path.read_bytes()
    wrong = data.find(b"\0")
    found = "UTF-16" if data.startswith(_UTF16) else "a zero byte"
    if wrong < 0:
        try:
            return data.decode("utf-8-sig", TABLE_FORMAT["errors"])
        except UnicodeDecodeError as error:
            wrong, found = error.start, f"the byte {error.object[error.start : error.start + 1]!r}"
    line = data.count(b"\n", 0, wrong) + 1
    raise ManifestError(
        f"A CSV file must be in UTF-8: save it as UTF-8. Received: {path}, line {line}, {found}"
    )


def _count_known(names: Collection[str], known: Collection[str]) -> int:
    return len({name.strip(' "').casefold() for name in names} & set(known))


def _split_cells(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row begins, and its cells; rows of empty cells are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ManifestError(
                f"{path}, line {number}: expected a row of a CSV file, with each quotation mark "
                f"closed. Received: {error}"
            ) from None
        if any(cell.strip() for cell in cells):
            yield number, [unguard(cell) for cell in cells]


def _name_columns(header: list[str], known: Collection[str], place: str) -> list[str]:
    names = [plain if (plain := name.strip().casefold()) in known else name for name in header]
    while names and not names[-1].strip():  # A spreadsheet writes commas for empty columns.
        names.pop()
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ManifestError(
            f"{place}: each column must have a name of its own. Received: {twice[0]!r} twice"
        )
    return names


def _read_rows(
    path: Path,
    lines: Iterator[tuple[int, list[str]]],
    header: list[str],
    columns: list[str],
    delimiter: str,
) -> Iterator[Row]:
    for number, cells in lines:
        place = f"{path}, line {number}"
        if any(cell.strip() for cell in cells[len(columns) :]) or len(cells) < len(columns):
            raise ManifestError(
                f"{place}: expected {len(columns)} cells, one for each column of the header; a "
                f"name with {delimiter!r} in it needs quotation marks. Received: {len(cells)}, "
                f"{cells}"
            )
        if cells == header:
            raise ManifestError(
                f"{place}: expected the header once, but two tables follow each other. "
                f"Received: {cells}"
            )
        row = Row(place, dict(zip(columns, cells, strict=False)))
        _check_quotes(row, delimiter, path.parent)
        yield row


def _check_quotes(row: Row, delimiter: str, folder: Path) -> None:
    """Two stray quotation marks take the rest of a row and the begin of another into one cell.

    A comment may have lines too.
    """
    for number, (name, cell) in enumerate(row.cells.items()):
        first, *others = re.split("[\r\n]+", cell)
        rest = first.count(delimiter) >= len(row.cells) - 1 - number
        odd = others and rest and others[-1].count(delimiter) >= number
        if odd and not os.path.isfile(folder / cell):  # noqa: PTH113
            raise ManifestError(
                f"{row.place}: a quotation mark takes several rows into one cell of the column "
                f"{name!r}; remove it, or write it twice. Received: {cell[:80]!r}"
            )
