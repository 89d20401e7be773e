"""Put a complete folder in the place of another one, so that there is a whole one at any moment."""

import ctypes
import errno
import logging
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from mscam_tf.errors import name_full_disk
from mscam_tf.files import PARTIAL, flush, is_partial, shorten_name

REPLACED = ".replaced-"  # In the names of old folders, until they are removed.
_LOGGER = logging.getLogger(__name__)
MOUNTS = Path("/proc/self/mountinfo")  # Of Linux; white space is written in octal there.
_ESCAPED = re.compile(rb"\\([0-7]{3})")
_WILD = re.compile(r"[*?[]")
_AT_CWD, _EXCHANGE = -100, 2  # Of renameat2 and renamex_np, which swap two names in one step.


Entries = Sequence[str] | Callable[[Path], Sequence[str]]
"""Names and patterns of what is ours in folders, or what finds those of one folder."""


def put_folder(partial: Path, path: Path, entries: Entries | None) -> None:
    """Put a complete folder in the place of what is there."""
    if not path.exists():
        partial.rename(path)
    elif is_fixed(path):
        _move(partial, path, [entry.name for entry in partial.iterdir()])
        partial.rmdir()
    elif is_free(path):
        path.rmdir()
        partial.rename(path)
    else:
        discard_folder(_swap(partial, path), path, entries)


@contextmanager
def make_folder(folder: Path) -> Iterator[None]:
    """Make a folder if it is missing; if the block raises, remove what was made and is empty."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for place in made:
            with suppress(OSError):  # It holds something, or is gone already.
                place.rmdir()
        raise


@contextmanager
def replace_files(folder: Path, last: str) -> Iterator[Path]:
    """Give a hidden folder in `folder`; when the block succeeds, all that it wrote takes its place.

    Files that say the same of one thing are replaced together: a disk that fills, or a command that
    is stopped while they are made, leaves the old ones.

    Args:
        folder: Where they are. The caller holds it.
        last: Name of a file that is away while the others change: where it is, all belong together.
    """
    for left in folder.glob(f"{PARTIAL}*"):  # Of a command that was killed.
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    partial = folder / f"{PARTIAL}{uuid.uuid4().hex[:12]}"
    partial.mkdir()
    try:
        with name_full_disk(folder, hidden=True):
            yield partial
            written = sorted(partial.iterdir(), key=lambda path: path.name == last)
            for path in written:
                flush(path)
        (folder / last).unlink(missing_ok=True)
        for path in written:
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def is_free(path: Path) -> bool:
    """Whether nothing is there, or an empty folder."""
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def find_parent(path: Path) -> Path | None:
    """Return the nearest thing above a path that is there: `None` above the root.

    Of a link that leads back to itself it is the link, which is no folder.
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return path
    return next((parent for parent in path.absolute().parents if os.path.lexists(parent)), None)


def is_unused(path: Path) -> bool:
    """Whether it is free, but for the first file of a command that was killed as it wrote it."""
    return is_free(path) or (path.is_dir() and all(map(is_partial, path.iterdir())))


def is_fixed(path: Path) -> bool:
    """Whether a folder must stay the one that it is: a mount point, or where the command runs."""
    if not path.exists():
        return False
    writable = os.access(path.parent, os.W_OK)
    return _is_mount(path) or Path.cwd().is_relative_to(path) or not writable


def _is_mount(path: Path) -> bool:
    """Whether it is a mount point; `Path.is_mount` sees none if a folder of one disk is bound."""
    if path.is_mount() or not MOUNTS.is_file():
        return path.is_mount()
    fields = (line.split()[4] for line in MOUNTS.read_bytes().splitlines())
    points = {_ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), point) for point in fields}
    return os.fsencode(path.resolve()) in points


def _swap(partial: Path, path: Path) -> Path:
    """Swap two folders, and return where the old one is now."""
    if _exchange(partial, path):
        return partial
    aside = path.with_name(f"{hide_name(path)}{REPLACED}{uuid.uuid4().hex[:12]}")
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


def discard_folder(old: Path, path: Path, entries: Entries | None) -> None:
    """Remove an old folder; what is in it under other names than `entries` goes to the new one."""
    entries = entries(old) if callable(entries) else entries
    if entries is not None:
        _move(old, path, list_others(old, entries))
    left = [] if entries is None else list_others(old, entries)
    if left:
        _LOGGER.warning("%s is kept: it holds %s.", old, ", ".join(left))
        return
    shutil.rmtree(old, ignore_errors=True)
    if old.exists():
        _LOGGER.warning("%s is old, and could not be removed whole.", old)


def _move(source: Path, target: Path, names: Sequence[str]) -> None:
    for name in names if target.is_dir() else []:
        if not os.path.lexists(target / name):
            with suppress(OSError):  # What cannot be moved stays where it is.
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).rename(target / name)


def owns(path: str, entries: Sequence[str]) -> bool:
    """Whether a path in a folder is among names and patterns; partial files are ours everywhere."""
    partial = PurePosixPath(path).name.startswith(PARTIAL)
    return partial or any(fnmatchcase(path, entry) for entry in entries)


def list_others(folder: Path, entries: Sequence[str]) -> list[str]:
    """List what is in a folder under other names than these names and patterns.

    Patterns with a slash, such as `images/*.png`, say what is ours in a folder of ours; without
    any, all in it is.
    """
    names, patterns = set(entries), [entry for entry in entries if _WILD.search(entry)]
    ours = {entry.partition("/")[0] for entry in entries if "/" in entry}
    found = []
    for entry in folder.iterdir():
        if entry.name in ours and not entry.is_symlink():
            found += [path for path in entry.rglob("*") if not path.is_dir()]
        else:
            found.append(entry)
    paths = (path.relative_to(folder).as_posix() for path in found)
    return sorted(path for path in paths if not (path in names or owns(path, patterns)))


def hide_name(path: Path) -> str:
    """Return how the names of hidden folders begin that lie beside a folder, and are about it."""
    return f".{shorten_name(path.name, 200)}"
