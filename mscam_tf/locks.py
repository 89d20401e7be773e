"""Hold a folder against other commands.

The lock is the system's, and ends with the process however that ends: what a killed command left
is told from what another command is still writing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mscam_tf.errors import OutputError

try:
    import fcntl
except ImportError:  # On Windows: nothing is held there.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def hold(folder: Path, of: Path | None = None) -> Iterator[None]:
    """Hold a folder against other commands while the block runs.

    Args:
        folder: The folder.
        of: The one that it is about, if it is a hidden one: an error names that.

    Raises:
        OutputError: If another command holds it.
    """
    descriptor = lock(folder, of)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def lock(folder: Path, of: Path | None = None) -> int | None:
    """Return a descriptor that holds the folder until it is closed; `None` without locks."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        raise _refuse(of or folder) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), folder.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass  # Held, or cleared away by another command in this very moment.
    except OSError:  # A file system without locks.
        os.close(descriptor)
        return None
    os.close(descriptor)
    raise _refuse(of or folder)


def _refuse(folder: Path) -> OutputError:
    return OutputError(
        f"Another command is writing to {folder}. Wait until it ends, or choose another folder."
    )
