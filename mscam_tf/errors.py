"""The base of all errors that say what a user can mend."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class MscamError(ValueError):
    """Something that the caller gave is not as it should be: an argument, a file, a folder.

    The message names it, says what was expected, and what came (`Received: ...`). The command line
    shows the message of this class and of `OSError`; anything else is a bug, and shows as one.

    Examples:
        >>> from mscam_tf import RelevanceCombine
        >>> try:
        ...     RelevanceCombine(rate=0)
        ... except MscamError as error:
        ...     print(error)
        `rate` must be a number above 0. Received: rate=0
    """


class RunError(MscamError):
    """A run folder is missing or incomplete, or a training failed."""


class OutputError(RunError):
    """Something may not be written where it was to be: other things are there, which are kept."""


class FullDiskError(OutputError):
    """The disk, or somebody's share of it, is full.

    Args:
        path: What cannot be written.
        reason: What the system says.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)  # Errors come from other processes with these.
        self.reason = reason

    def __str__(self) -> str:
        path, reason = self.args
        return f"{path} cannot be written; what was whole there stays: {reason}. Make room there."


@contextmanager
def name_full_disk(path: Path, *, hidden: bool = False) -> Iterator[None]:
    """Say what could not be written if the disk, or somebody's share of it, is full.

    Args:
        path: What is written.
        hidden: Whether it is still written under another name, which nobody knows.
    """
    try:
        yield
    except FullDiskError as error:
        if not hidden:
            raise
        raise FullDiskError(path, error.reason) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise FullDiskError(path, os.strerror(error.errno)) from error
