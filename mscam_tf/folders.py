"""Write folders whole or not at all: a new one is made complete beside the old, then they swap."""

import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mscam_tf.errors import OutputError, name_full_disk
from mscam_tf.files import PARTIAL, flush, is_partial, remove_stale
from mscam_tf.locks import hold, lock
from mscam_tf.swaps import (
    REPLACED,
    Entries,
    discard_folder,
    hide_name,
    is_fixed,
    is_unused,
    make_folder,
    owns,
    put_folder,
)

_LOGGER = logging.getLogger(__name__)
_UNFINISHED = ".unfinished"
_FLUSHERS = 32  # The disk takes many files at once.


@contextmanager
def write_whole_folder(path: str | Path, entries: Entries | None = None) -> Iterator[Path]:
    """Give a hidden folder beside `path`, and swap the two when the block succeeds.

    At no moment is there less than one whole folder at `path`, even if the process is killed; where
    the system cannot swap in one step, the next command brings the old one back.

    Args:
        path: The folder to write; created if missing.
        entries: Names, or patterns such as `*_maps.png`, of what the block writes. What stands in
            `path` under other names stays there; by default nothing stays. Or what finds the
            names in a folder that is replaced, or that a killed command left.

    Returns:
        A context manager that gives the hidden folder. If the block raises, it is removed and
        what stood at `path` is untouched.

    Raises:
        OutputError: If another command is writing there. Long work belongs into the block: until it
            ends, other commands are refused.

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
    partial = beside / f"{hide_name(path)}{PARTIAL}{uuid.uuid4().hex[:12]}"
    with make_folder(partial), _fill(partial, path, entries):
        clear_leftovers(path, entries, but=partial)  # Another may have begun meanwhile.
        yield partial


@contextmanager
def replace_folder(
    path: str | Path, entries: Sequence[str] | None = None, state: str = "", *, resume: bool = False
) -> Iterator[Path]:
    """Give the folder itself if nothing is in it, otherwise a hidden one, and swap the two.

    For long work that is watched, and of which an interrupted half is worth something: once there
    is a `state`, what was written stays where it is, to go on from.

    Args:
        path: The folder to write.
        entries: As for `write_whole_folder`.
        state: The file, below the folder, that is written as soon as it can be gone on from.
        resume: Go on in what `find_unfinished` finds, if it finds something.

    Returns:
        A context manager that gives the folder to write in.

    Raises:
        OutputError: If another command is writing there.
    """
    path = Path(path).resolve()
    begun = find_unfinished(path, state) if resume else None
    place = begun or (path if is_unused(path) else _hide_unfinished(path))
    if place == path:
        path.mkdir(parents=True, exist_ok=True)
        with hold(path), _keep_worth(path, entries, state):
            drop_partial_files(path)
            yield path
        return
    check_replaceable(path)
    if begun is None and place.is_dir():
        _clear(place, path, entries)
    _make_place(place, begun is not None)
    with _fill(place, path, entries, state):
        drop_partial_files(place)
        yield place


def drop_partial_files(place: Path) -> None:
    """Remove what a command was writing that was killed; nobody else is, as the folder is held.

    What other commands write below it lies in hidden folders, which stay.
    """
    for path in place.rglob(f"{PARTIAL}*"):
        hidden = any(PARTIAL in part for part in path.relative_to(place).parent.parts)
        if is_partial(path) and not hidden:
            path.unlink()


def find_unfinished(path: Path, state: str) -> Path | None:
    """Return where work on a folder lies that was stopped and can be gone on with, if any.

    Args:
        path: The folder.
        state: As for `replace_folder`.

    Raises:
        OutputError: If a command is working on it.
    """
    path = path.resolve()
    for place in (_hide_unfinished(path), path):  # The hidden one was begun later.
        if state and (place / state).is_file():
            with hold(place, path):
                return place
    return None


def _make_place(place: Path, begun: bool) -> None:
    try:
        place.mkdir(exist_ok=begun)
    except FileExistsError:  # Where there are no locks, it may be somebody's.
        raise OutputError(f"{place} is in the way. Remove it if no command writes to it.") from None


def _hide_unfinished(path: Path) -> Path:
    return path.with_name(f"{hide_name(path)}{_UNFINISHED}")


@contextmanager
def _fill(partial: Path, path: Path, entries: Entries | None, state: str = "") -> Iterator[None]:
    """Hold a folder that is written, and put it in its place when the block succeeds."""
    with hold(partial, path), ExitStack() as held:
        try:
            with name_full_disk(path, hidden=True):
                yield
                with ThreadPoolExecutor(_FLUSHERS) as pool:
                    list(pool.map(flush, filter(Path.is_file, partial.rglob("*"))))
            if path.is_dir():  # Another command may have begun in it meanwhile.
                held.enter_context(hold(path))
        except BaseException:
            if not (state and (partial / state).is_file()):
                shutil.rmtree(partial, ignore_errors=True)
            raise
        if state and (path / state).is_file():  # What is replaced is not gone on with any more.
            (path / state).unlink()
        put_folder(partial, path, entries)


@contextmanager
def _keep_worth(path: Path, entries: Sequence[str] | None, state: str) -> Iterator[None]:
    """If the block raises before there is a state, leave the folder as free as it was."""
    try:
        yield
    except BaseException:
        if state and not (path / state).is_file():
            for entry in path.iterdir():
                if owns(entry.name, entries or ("*",)):
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        raise


def check_replaceable(path: Path) -> None:
    """Raise `OutputError` if a folder holds something and cannot be swapped for another one."""
    if is_fixed(path) and not is_unused(path):
        raise OutputError(
            f"{path} is a mount point, the current folder, or in a folder that is read-only: it "
            "cannot be replaced at once, and is left alone. Choose a folder in it, or elsewhere."
        )


def clear_leftovers(
    path: Path, entries: Entries | None = None, but: Path | None = None, state: str = ""
) -> None:
    """Clear away what killed commands left of a folder, or bring it back to its place.

    Args:
        path: The folder.
        entries: As for `write_whole_folder`. What else is in the leftovers goes to the folder.
        but: A partial folder of one's own.
        state: As for `replace_folder`: what can be gone on with stays. A hidden folder without it
            is an unfinished one of no worth, or the old one, if the swap was all that was done.

    Raises:
        OutputError: If a command is still writing there.
    """
    path = path.resolve()
    if path.is_dir():
        with hold(path):
            remove_stale(path)
    hidden = _hide_unfinished(path)
    worthless = state and hidden.is_dir() and not (hidden / state).is_file()
    for leftover in [*_list_leftovers(path), *([hidden] if worthless else [])]:
        if leftover != but:
            _clear(leftover, path, entries)


def _list_leftovers(path: Path) -> list[Path]:
    # The whole name: a folder that somebody named nearly so is theirs.
    ours = re.compile(f"{re.escape(hide_name(path))}({PARTIAL}|{REPLACED})[0-9a-f]{{12}}")
    places = [place for place in (path.parent, path) if place.is_dir()]
    found = [entry for place in places for entry in place.iterdir() if entry.is_dir()]
    return sorted(entry for entry in found if ours.fullmatch(entry.name))


def _clear(leftover: Path, path: Path, entries: Entries | None) -> None:
    descriptor = lock(leftover, path)
    if descriptor is None:
        _LOGGER.warning("%s may be left of a command that was stopped.", leftover)
        return
    try:
        if REPLACED in leftover.name and not path.exists():
            leftover.rename(path)
            _LOGGER.warning("%s was moved away by a command that was stopped; it is back.", path)
            return
        discard_folder(leftover, path, entries)
        if not leftover.exists():
            _LOGGER.warning("%s, left of a command that was stopped, was removed.", leftover)
    finally:
        os.close(descriptor)
