"""TensorFlow's notices, which are no matter of the user's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hide_notices() -> Iterator[None]:
    """Keep TensorFlow's notices while it loads from the user; TF_CPP_MIN_LOG_LEVEL=0 shows them.

    It writes them to the file descriptor, before any log level takes effect.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") == "0":
        yield
        return
    standard_error = os.dup(2)
    with Path(os.devnull).open("w") as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
