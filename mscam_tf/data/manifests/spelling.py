"""One file under several spellings: find it, and know it again."""

import os
import posixpath
import unicodedata
from collections.abc import Hashable
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
    return unicodedata.normalize("NFC", os.path.abspath(path))  # noqa: PTH100
