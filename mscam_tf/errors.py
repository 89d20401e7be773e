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


@contextmanager
def name_full_disk(path: Path) -> Iterator[None]:
    """Say what could not be written if the disk, or somebody's share of it, is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OutputError(
            f"{path} cannot be written; what was whole there stays: {os.strerror(error.errno)}. "
            "Make room there."
        ) from error
