"""Spread an inspection over the machines of a Ray cluster, by Ray Data."""

import logging
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from mscam_tf.deployment import need
from mscam_tf.errors import MscamError
from mscam_tf.inspection.inspector import Entry, Inspector
from mscam_tf.inspection.plans import Inspect, Plan
from mscam_tf.inspection.sources import is_export
from mscam_tf.notices import hide_notices

_BLOCKS = 4096  # The most parts that Ray makes of the images: each costs it some work.
_STORE = 200_000_000  # Bytes that a Ray of our own keeps for entries, which are small.


@contextmanager
def open_cluster(plan: Plan, workers: int, address: str | None = None) -> Iterator[Inspect]:
    """Open what inspects images on a cluster of Ray, or by a Ray that is started here.

    Each worker is an actor that opens the source once. Ray says where it runs, holds back images
    while workers are busy, and gives the work of one that died to another. Entries come in the
    order of the images.

    Args:
        plan: How images are inspected. All machines see its folders under the same paths.
        workers: How many actors. Each takes as many cores as its export has threads: one, unless
            the source says another number.
        address: Of the cluster, such as `"auto"`; by default Ray is started on this machine.

    Returns:
        A context manager that gives the function which inspects images.

    Raises:
        MscamError: If Ray is not installed, nothing answers at the address, or the source is open.
        RunError: If the source cannot be opened.
    """
    ray = need("ray", "ray")
    need("ray.data", "ray")
    threads = plan.closed_source.threads or 1
    plan = _prepare(plan, threads)
    _connect(ray, workers * threads, address)
    try:
        yield partial(_spread, ray, plan, workers, threads)
    finally:
        ray.shutdown()


def _prepare(plan: Plan, threads: int) -> Plan:
    """Make a plan good for other machines and folders, where workers begin."""
    source = replace(plan.closed_source, folder=plan.closed_source.folder.absolute())
    if is_export(source.folder):
        source = replace(source, threads=threads)
    return replace(plan, source=source, folder=plan.folder.absolute())


def _connect(ray: Any, cores: int, address: str | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # What a line does stays there.
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    own = {"num_cpus": cores, "object_store_memory": _STORE, "include_dashboard": False}
    with _keep_handlers():
        try:
            ray.init(
                address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if address else own),
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise MscamError(f"Ray cannot be reached: {error}. Received: {address=}") from error


@contextmanager
def _keep_handlers() -> Iterator[None]:
    """Keep what this process does when it is told to end: Ray would have it crash."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, kept)


def _spread(
    ray: Any, plan: Plan, workers: int, threads: int, paths: Sequence[Path]
) -> Iterator[Entry]:
    batches = plan.batch(paths)
    if not batches:
        return
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    # Names of files may be no UTF-8, which a table of Ray's must be: they go as bytes.
    rows = [{"paths": pickle.dumps([path.absolute() for path in batch])} for batch in batches]
    data = ray.data.from_items(rows, override_num_blocks=min(len(rows), _BLOCKS)).map(
        _Worker,
        fn_constructor_args=(plan,),
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=threads,
    )
    for batch, row in zip(batches, data.iter_rows(), strict=True):
        outcome = pickle.loads(row["outcome"])
        if isinstance(outcome, Exception):
            raise outcome
        yield from (replace(entry, path=path) for path, entry in zip(batch, outcome, strict=True))


class _Worker:
    """An actor: it opens the source at its first batch, and keeps it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        """Inspect a batch; what is wrong is an outcome too, as Ray would hide what it says."""
        outcome: list[Entry] | Exception
        try:
            outcome = list(self._inspector.inspect(pickle.loads(row["paths"])))
        except (MscamError, OSError) as error:
            outcome = error
        return {"outcome": pickle.dumps(outcome)}

    @cached_property
    def _inspector(self) -> Inspector:
        with hide_notices():
            return self._plan.open()
