"""Spread an inspection over processes of this machine."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from mscam_tf.inspection.inspector import Entry, Inspector
from mscam_tf.inspection.plans import Inspect, Plan
from mscam_tf.inspection.sources import Source, is_export
from mscam_tf.notices import hide_notices
from mscam_tf.settings import Number, check_value
from mscam_tf.workers import open_workers

_MOST = 1024  # Processes of a machine.


@contextmanager
def open_inspectors(plan: Plan, workers: int) -> Iterator[Inspect]:
    """Open what inspects images: in this process, or in several, each of which opens the source.

    Several take a batch each, and give the entries that one process gives, in the same order. The
    batches are the same too, unless an image among them cannot be read.

    Args:
        plan: How images are inspected.
        workers: How many processes; 1 is this one.

    Returns:
        A context manager that gives the function which inspects images. The processes end with it.

    Raises:
        MscamError: If they are not from 1 to 1024, several are to share a session, or one of them
            ended before its time.
        RunError: If the source cannot be opened.
    """
    check_value("workers", workers, Number(1, _MOST, whole=True))
    if workers == 1:
        yield plan.open().inspect
        return
    plan = replace(plan, source=share_cores(plan.closed_source, workers))
    with open_workers(workers) as pool:
        # What cannot be opened is said before anything is written.
        for opened in [pool.submit(_inspect, plan, []) for _ in range(workers)]:
            opened.result()
        yield partial(_spread, pool, plan, workers)


def share_cores(source: Source, workers: int) -> Source:
    """Give each worker its share of the cores, unless it is said how many threads each has."""
    if source.threads is not None or not is_export(source.folder):
        return source
    return replace(source, threads=max(1, count_cores() // workers))


def count_cores() -> int:
    """Count the cores that this process may use."""
    known = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1


def _spread(
    pool: ProcessPoolExecutor, plan: Plan, workers: int, paths: Sequence[Path]
) -> Iterator[Entry]:
    waiting: deque[Future[list[Entry]]] = deque()
    for batch in plan.batch(paths):
        waiting.append(pool.submit(_inspect, plan, batch))
        if len(waiting) > 2 * workers:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


def _inspect(plan: Plan, paths: Sequence[Path]) -> list[Entry]:
    return list(_open(plan).inspect(paths))


@lru_cache(maxsize=1)
def _open(plan: Plan) -> Inspector:
    """Open the source, once in each process; what is wrong with it is an error, and no notice."""
    with hide_notices():
        return plan.open()
