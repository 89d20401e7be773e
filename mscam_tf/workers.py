"""Processes that work for this one, and end with it however it ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection

from mscam_tf.errors import MscamError


@contextmanager
def open_workers(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes to which work can be given.

    They end when the block ends, at once if it raises, and when this process is killed.

    Args:
        processes: How many.

    Returns:
        A context manager that gives the executor.

    Raises:
        MscamError: If one of them ended before its work was done: nobody tells why.
    """
    # Not forked: the caller may hold threads, TensorFlow's among them.
    context = multiprocessing.get_context("spawn")
    # Only this process holds the other end: however it ends, the system closes that.
    watched, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(processes, context, _end_with, (watched,))
    try:
        yield pool
    except BrokenProcessPool as error:
        raise MscamError(
            "A worker process ended unexpectedly. Often the memory is full: use fewer processes, "
            'or smaller images. A script must begin with `if __name__ == "__main__"`'
            f". Received: processes={processes}"
        ) from error
    except BaseException:
        held.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        held.close()
        watched.close()


def _end_with(watched: Connection) -> None:
    """Make this worker end when the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the first process decides.
    threading.Thread(target=_wait, args=(watched,), daemon=True).start()


def _wait(watched: Connection) -> None:
    try:
        watched.recv()
    except (EOFError, OSError):
        os._exit(1)
