"""One file under several spellings: find it, and know it again."""

import os
import posixpath
import unicodedata
from collections.abc import Hashable, Iterable
from functools import cached_property
from pathlib import Path


def normalize_path(path: str) -> str:
    r"""Write a path in one way: no `.` and `..`, forward slashes, composed letters.

    Examples:
        >>> normalize_path("none/../bone/./a.png"), normalize_path("bone\\\\a.png")
        ('bone/a.png', 'bone/a.png')
    """
    return unicodedata.normalize("NFC", posixpath.normpath(path.replace("\\", "/")))


def find_spelling(path: str, root: Path) -> str:
    r"""Return the spelling of a path under which there is a file, or the path if there is none.

    Windows writes `\` between folders, and macOS writes letters with accents, and Hangul, in parts.
    """
    slashed = path.replace("\\", "/")
    spellings = (path, slashed, *(unicodedata.normalize(form, slashed) for form in ("NFC", "NFD")))
    return next((one for one in spellings if os.path.isfile(root / one)), path)  # noqa: PTH113


def identify(path: Path) -> Hashable:
    """Return what is equal for all names of a file or folder: links, letter case, `..`."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # It is missing, or no name of a file.
        found = None
    if found is not None and found.st_ino:
        return found.st_dev, found.st_ino
    return os.path.abspath(path)  # noqa: PTH100


class Spellings:
    """Know listed files again, however their paths are written.

    Args:
        paths: As they are listed.
        root: The folder to which they are relative.
    """

    def __init__(self, paths: Iterable[str], root: str | Path) -> None:
        self._root = Path(root)
        self._paths = dict.fromkeys(paths)

    def find(self, path: str, root: str | Path) -> str | None:
        """Return how a path relative to a folder is listed, by its file or else by its text.

        Data may have moved since they were listed; then the text is all there is.
        """
        root = Path(root)
        if root == self._root and path in self._paths:
            return path
        found = self._files.get(identify(root / find_spelling(path, root)))
        return found or (path if path in self._paths else self._plain.get(normalize_path(path)))

    @cached_property
    def _files(self) -> dict[Hashable, str]:
        return {identify(self._root / path): path for path in self._paths}

    @cached_property
    def _plain(self) -> dict[str, str]:
        return {normalize_path(path): path for path in self._paths}
