"""Where results may be written."""

import csv
import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mscam_tf.errors import OutputError
from mscam_tf.files import TABLE_FORMAT, TableReader, remove_stale
from mscam_tf.folders import check_replaceable, clear_leftovers, find_unfinished
from mscam_tf.names import show_place
from mscam_tf.records import check_readable
from mscam_tf.swaps import find_parent, is_unused, list_others

_LISTED = 5  # Foreign files that a message names.
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """What a command writes: how a folder of that kind is known, and what in it is ours.

    Attributes:
        name: In words, such as `"a run"`.
        single: Whether it is a file and no folder.
        never: Columns, each as `a b c`, that such a file never has together.
        marker: The file by which the folder is known: JSON or CSV.
        keys: Keys that the JSON file must have, or columns of the CSV file. Of a single file, the
            columns by which a table is known as one that may be replaced.
        entries: Names, and patterns such as `*_maps.png`, of what the command writes. All else in
            the folder is someone's own, and stays. Patterns with a slash (`images/*.png`) say so of
            what is in a folder of ours.
        find: Finds the entries of one folder, where it says itself what in it is ours.
        continued: Whether a command goes on with what is there.
        state: The file that tells that work which was stopped can be gone on with, on request.
        result: The file without which and without a state there is nothing to go on with: the work
            was stopped as it began.
    """

    name: str
    marker: str = ""
    keys: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    find: Callable[[Path], Sequence[str]] | None = None
    continued: bool = False
    state: str = ""
    result: str = ""
    single: bool = False
    never: tuple[str, ...] = ()

    def is_at(self, folder: Path) -> bool:
        """Whether a folder is of this kind, by its marker."""
        marker = folder / self.marker
        return bool(self.marker) and marker.is_file() and set(self.keys) <= _read_keys(marker)

    def may_replace(self, table: Path) -> bool:
        """Whether a file is a table of this kind, by its columns, or holds nothing."""
        columns = _read_columns(table)
        plain = {re.sub("[^a-z0-9]", "", name) for name in columns}
        other = any(plain.issuperset(names.split()) for names in self.never)
        return not columns or (columns.issuperset(self.keys) and not other)


# A row of such a table is a box that somebody has drawn, and no image.
_BOXES: tuple[str, ...] = ("bbox", "x y w h", "x y width height", "xcenter ycenter width height")
_BOXES += ("x1 y1 x2 y2", "xmin ymin xmax ymax", "left top right bottom", "left top width height")
FILE = Kind("a file", single=True)
MANIFEST = Kind("a manifest", keys=("path", "label"), never=_BOXES, single=True)
NEW_FOLDER = Kind("a folder")


def claim(
    target: str | Path,
    kind: Kind,
    *,
    overwrite: bool = False,
    resume: bool = False,
    inputs: Iterable[Path] = (),
) -> None:
    """Decide whether a command may write somewhere; the only place that does. Call it before work.

    Nothing is written, but what killed commands left beside the target is cleared away.

    Args:
        target: A file, if the kind is one of single files, otherwise a folder.
        kind: What is to be written. A folder that is not empty must be of the same kind, and then
            needs `overwrite`, unless the kind is one that is continued. `NEW_FOLDER` must be free.
        overwrite: Whether what is there may be replaced.
        resume: Whether the command goes on with what is there, if it was stopped.
        inputs: Files and folders that the command reads; what is replaced must hold none.

    Raises:
        OutputError: If it may not.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> claim(folder / "new", NEW_FOLDER)
        >>> _ = (folder / "mine.txt").write_text("")
        >>> claim(folder, Kind("a run", "config.json"), overwrite=True)
        Traceback (most recent call last):
        mscam_tf.errors.OutputError: ... holds mine.txt, and is not known as a run; ...
    """
    target = Path(target)
    _check_place(target)
    if target.is_dir() and not resume:  # One that is finished is read, and no more.
        check_writable(target)
    if kind.single:
        _claim_file(target, kind, overwrite)
        return
    if target.exists() and not target.is_dir():
        raise _refuse(target, "is no folder")
    clear_leftovers(target, kind.find or kind.entries or None, state=kind.state)
    if not (overwrite or resume):
        _check_unfinished(target, kind)
    if is_unused(target):
        return
    others = list_others(target, kind.find(target) if kind.find else kind.entries)
    if not kind.is_at(target):
        there = _list(others or list_others(target, ()))
        what = f"is not known as {kind.name}" if kind.marker else "must be empty or new"
        raise _refuse(target, f"holds {there}, and {what}")
    if resume or kind.continued:
        check_entries(target, kind)
    if not (overwrite or resume or kind.continued):
        _check_begun(target, kind)
        raise _refuse(target, f"holds {kind.name}", ", or add --overwrite (overwrite=True)")
    if overwrite:
        _check_replaced(target, others, inputs)


def check_entries(folder: Path, kind: Kind) -> None:
    """Refuse a folder that has something else where a command writes a file or a folder.

    Args:
        folder: A folder of that kind.
        kind: What the command writes: entries with a suffix are files.

    Raises:
        OutputError: If so; it names the entry.
    """
    for name in kind.entries:
        what = "file" if Path(name).suffix else "folder"
        for entry in folder.glob(name) if "*" in name else [folder / name]:
            found = _say_what(entry)
            if os.path.lexists(entry) and found != what:
                raise OutputError(f"{entry} must be a {what}; move it away. Received: a {found}")


def _say_what(entry: Path) -> str:
    if entry.is_dir():
        return "folder"
    return "file" if entry.is_file() else "link to nothing" if entry.is_symlink() else "device"


def _check_unfinished(target: Path, kind: Kind) -> None:
    """Refuse to begin anew where work was stopped, and say how to go on with it."""
    place = find_unfinished(target, kind.state)
    if place is None:
        return
    where = "" if place == target.resolve() else f", in {place}"
    more = ", add --resume (resume=True) to go on with it, or --overwrite (overwrite=True)"
    raise _refuse(target, f"holds {kind.name} that was stopped before its end{where}", more)


def _check_begun(target: Path, kind: Kind) -> None:
    """Refuse to begin where work was stopped before anything of it could be kept."""
    if kind.result and not (target / kind.result).is_file():
        raise _refuse(
            target,
            f"holds the start of {kind.name}, which was stopped before there was anything to keep",
            ", or add --resume or --overwrite (resume=True, overwrite=True): both begin it anew",
        )


def _claim_file(target: Path, kind: Kind, overwrite: bool) -> None:
    if os.path.lexists(target) and (found := _say_what(target)) != "file":
        raise _refuse(target, f"is a {found}")
    _check_place(target.resolve())  # What a link leads to is written, and the link stays.
    if target.exists() and not overwrite:
        raise _refuse(target, "exists", ", or add --overwrite (overwrite=True)")
    if target.exists() and not kind.may_replace(target):
        raise _refuse(target, f"exists, and is not known as {kind.name}")
    if target.resolve().parent.is_dir():
        remove_stale(target.resolve().parent)


def _check_place(target: Path) -> None:
    """Refuse a place where nothing can be made."""
    parent = find_parent(target)
    if parent is None or not parent.is_dir():
        what = f"{parent} is no folder" if parent else "it is the root of all folders"
        raise _refuse(target, f"cannot be made: {what}")
    if not target.is_dir() and not os.access(parent, os.W_OK):
        raise _refuse(target, f"cannot be made: {parent} is read-only")


def check_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be written.

    Raises:
        OutputError: If it is read-only.
    """
    if not os.access(folder, os.W_OK):
        raise _refuse(folder, "is read-only")


def _check_replaced(target: Path, others: Sequence[str], inputs: Iterable[Path]) -> None:
    resolved = target.resolve()
    for path in inputs:
        if path.resolve().is_relative_to(resolved):
            raise _refuse(target, f"is replaced and must hold none of the inputs, but holds {path}")
    check_replaceable(resolved)
    if others:
        _LOGGER.warning("%s holds other files, which stay: %s", target, _list(others))


def _refuse(target: Path, what: str, more: str = "") -> OutputError:
    return OutputError(
        f"{show_place(target)} {what}; it is left alone. Choose another place{more}."
    )


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"


def _read_columns(table: Path) -> set[str]:
    """Read the names of the columns of a table by any program: its first line that has any."""
    with table.open(encoding="utf-8-sig", errors="replace") as file:
        lines = (re.split("[,;\t]", line) for line in file)
        rows = ({name.strip(' "\n').casefold() for name in names} - {""} for names in lines)
        return next(filter(None, rows), set())


def _read_keys(marker: Path) -> set[str]:
    check_readable(marker)
    try:
        if marker.suffix != ".csv":
            return set(json.loads(marker.read_text(encoding="utf-8")))
        with marker.open(**TABLE_FORMAT) as file:
            return set(TableReader(file).fieldnames or ())
    except (OSError, TypeError, ValueError, RecursionError, csv.Error):
        return set()
