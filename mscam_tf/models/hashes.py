"""The SHA-256 of files; help imports this, so nothing heavy comes in."""

import hashlib
from functools import lru_cache
from pathlib import Path


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, read once as long as it does not change."""
    return _hash(path, stamp_file(path))


@lru_cache(maxsize=32)
def _hash(path: Path, stamp: tuple[str, int, int, int]) -> str:  # noqa: ARG001
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp_file(path: Path) -> tuple[str, int, int, int]:
    """Return what changes when a file does; zeros if it is missing, for the reader to say so."""
    try:
        found = path.stat()
    except OSError:
        return str(path.resolve()), 0, 0, 0
    return str(path.resolve()), found.st_ino, found.st_size, found.st_mtime_ns
