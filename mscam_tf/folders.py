"""Write folders whole or not at all: a new one is made complete beside the old, then they swap."""

import ctypes
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from mscam_tf.errors import OutputError
from mscam_tf.files import PARTIAL, flush, remove_stale, shorten_name
from mscam_tf.locks import hold, lock

_LOGGER = logging.getLogger(__name__)
_REPLACED = ".replaced-"
_FLUSHERS = 32  # The disk takes many files at once.
_AT_CWD, _EXCHANGE = -100, 2  # Of renameat2 and renamex_np, which swap two names in one step.


@contextmanager
def write_whole_folder(path: str | Path, entries: Sequence[str] | None = None) -> Iterator[Path]:
    """Give a hidden folder beside `path`, and swap the two when the block succeeds.

    At no moment is there less than one whole folder at `path`, even if the process is killed; where
    the system cannot swap in one step, the next command brings the old one back.

    Args:
        path: The folder to write; created if missing.
        entries: Names, or patterns such as `*_maps.png`, of what the block writes. What stands in
            `path` under other names stays there; by default nothing stays.

    Returns:
        A context manager that gives the hidden folder. If the block raises, it is removed and
        what stood at `path` is untouched.

    Raises:
        OutputError: If another command is writing there.

    Examples:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "data"
        >>> with write_whole_folder(folder) as partial:
        ...     _ = (partial / "a.txt").write_text("whole")
        >>> [file.name for file in folder.iterdir()]
        ['a.txt']
    """
    path = Path(path).resolve()
    clear_leftovers(path, entries)
    check_replaceable(path)
    beside = path if is_fixed(path) else path.parent
    partial = beside / f"{_prefix(path)}{PARTIAL}{uuid.uuid4().hex[:12]}"
    partial.mkdir(parents=True)
    with hold(partial):
        try:
            clear_leftovers(path, entries, but=partial)  # Another may have begun meanwhile.
            yield partial
            with ThreadPoolExecutor(_FLUSHERS) as pool:
                list(pool.map(flush, filter(Path.is_file, partial.rglob("*"))))
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _put(partial, path, entries)


@contextmanager
def replace_folder(path: str | Path, entries: Sequence[str] | None = None) -> Iterator[Path]:
    """Give the folder itself if nothing is in it, otherwise do as `write_whole_folder`.

    For long work that is watched, and of which an interrupted half is worth something, as long as
    it takes the place of nothing.

    Args:
        path: The folder to write.
        entries: As for `write_whole_folder`.

    Returns:
        A context manager that gives the folder to write in.
    """
    path = Path(path).resolve()
    if not is_free(path):
        with write_whole_folder(path, entries) as partial:
            yield partial
        return
    path.mkdir(parents=True, exist_ok=True)
    with hold(path):
        yield path


def is_free(path: Path) -> bool:
    """Whether nothing is there, or an empty folder."""
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def is_fixed(path: Path) -> bool:
    """Whether a folder must stay the one that it is: a mount point, or where the command runs."""
    if not path.exists():
        return False
    writable = os.access(path.parent, os.W_OK)
    return path.is_mount() or Path.cwd().is_relative_to(path) or not writable


def check_replaceable(path: Path) -> None:
    """Raise `OutputError` if a folder holds something and cannot be swapped for another one."""
    if is_fixed(path) and not is_free(path):
        raise OutputError(
            f"{path} is a mount point, the current folder, or in a folder that is read-only: it "
            "cannot be replaced at once, and is left alone. Choose a folder in it, or elsewhere."
        )


def clear_leftovers(
    path: Path, entries: Sequence[str] | None = None, but: Path | None = None
) -> None:
    """Clear away what killed commands left of a folder, or bring it back to its place.

    Args:
        path: The folder.
        entries: As for `write_whole_folder`. What else is in the leftovers goes to the folder.
        but: A partial folder of one's own.

    Raises:
        OutputError: If a command is still writing there.
    """
    path = path.resolve()
    if path.is_dir():
        with hold(path):
            remove_stale(path)
    for leftover in _list_leftovers(path):
        if leftover != but:
            _clear(leftover, path, entries)


def _list_leftovers(path: Path) -> list[Path]:
    prefix = _prefix(path)
    starts = (f"{prefix}{PARTIAL}", f"{prefix}{_REPLACED}")
    places = [place for place in (path.parent, path) if place.is_dir()]
    found = [entry for place in places for entry in place.iterdir() if entry.is_dir()]
    return sorted(entry for entry in found if entry.name.startswith(starts))


def _clear(leftover: Path, path: Path, entries: Sequence[str] | None) -> None:
    descriptor = lock(leftover)
    if descriptor is None:
        _LOGGER.warning("%s may be left of a command that was stopped.", leftover)
        return
    try:
        if _REPLACED in leftover.name and not path.exists():
            leftover.rename(path)
            _LOGGER.warning("%s was moved away by a command that was stopped; it is back.", path)
            return
        _LOGGER.warning("%s, left of a command that was stopped, is removed.", leftover)
        _discard(leftover, path, entries)
    finally:
        os.close(descriptor)


def _put(partial: Path, path: Path, entries: Sequence[str] | None) -> None:
    """Put a complete folder in the place of what is there."""
    if not path.exists():
        partial.rename(path)
    elif is_fixed(path):
        _move(partial, path, lambda name: True)  # noqa: ARG005
        partial.rmdir()
    elif is_free(path):
        path.rmdir()
        partial.rename(path)
    else:
        _discard(_swap(partial, path), path, entries)


def _swap(partial: Path, path: Path) -> Path:
    """Swap two folders, and return where the old one is now."""
    if _exchange(partial, path):
        return partial
    aside = path.with_name(f"{_prefix(path)}{_REPLACED}{uuid.uuid4().hex[:12]}")
    path.rename(aside)
    try:
        partial.rename(path)
    except BaseException:
        aside.rename(path)
        raise
    return aside


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step; return `False` where the system cannot."""
    if os.name != "posix":
        return False
    library = ctypes.CDLL(None)
    names = os.fsencode(first), os.fsencode(second)
    if hasattr(library, "renameat2"):  # Linux.
        arguments = _AT_CWD, names[0], _AT_CWD, names[1], _EXCHANGE
        return bool(library.renameat2(*arguments) == 0)
    if hasattr(library, "renamex_np"):  # macOS.
        return bool(library.renamex_np(*names, _EXCHANGE) == 0)
    return False


def _discard(old: Path, path: Path, entries: Sequence[str] | None) -> None:
    """Remove an old folder; what is in it under other names than `entries` goes to the new one."""
    if entries is not None:
        _move(old, path, lambda name: not owns(name, entries))
    left = [] if entries is None else list_others(old, entries)
    if left:
        _LOGGER.warning("%s is kept: it holds %s.", old, ", ".join(left))
        return
    shutil.rmtree(old, ignore_errors=True)


def _move(source: Path, target: Path, choose: Callable[[str], bool]) -> None:
    for entry in list(source.iterdir()) if target.is_dir() else []:
        if choose(entry.name) and not os.path.lexists(target / entry.name):
            entry.rename(target / entry.name)


def owns(name: str, entries: Sequence[str]) -> bool:
    """Whether a name is among names and patterns; partial files are ours everywhere."""
    return name.startswith(PARTIAL) or any(fnmatchcase(name, entry) for entry in entries)


def list_others(folder: Path, entries: Sequence[str]) -> list[str]:
    """List what is in a folder under other names than these names and patterns."""
    return sorted(e.name for e in folder.iterdir() if not owns(e.name, entries))


def _prefix(path: Path) -> str:
    return f".{shorten_name(path.name, 200)}"
