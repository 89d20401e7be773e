"""Inspect long folders, and folders that a scanner fills, into a folder of rows and pictures."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from mscam_tf.errors import MscamError
from mscam_tf.inspection.clusters import open_cluster
from mscam_tf.inspection.inspector import Entry
from mscam_tf.inspection.plans import Inspect, Plan
from mscam_tf.inspection.processes import open_inspectors
from mscam_tf.inspection.sources import Source
from mscam_tf.inspection.tiles import Framing
from mscam_tf.inspection.watching import Watcher, warn_of_changed
from mscam_tf.inspection.work import Summary, Work, open_work
from mscam_tf.runs import Session
from mscam_tf.settings import Choice, check_value


def inspect_images(
    source: Session | Source,
    paths: Sequence[Path],
    folder: str | Path,
    *,
    framing: Framing | None = None,
    pictures: str = "rejects",
    overwrite: bool = False,
    workers: int = 1,
    engine: str = "local",
    address: str | None = None,
    on_start: Callable[[int], None] | None = None,
    on_entry: Callable[[Entry], None] | None = None,
) -> Summary:
    """Inspect images, and write a row of each, a row of each region, and pictures.

    It writes Parquet files into `images` (path, size, label, score, rejected, logits, regions,
    picture, problem), `regions` and, of frames, `tiles`; pictures into `pictures`; `summary.json`;
    and `inspection.json`, by which the folder is known. A file that cannot be read has a row that
    says why. Called again with the same folder, it goes on with the images that have no row, or
    could not be read and have changed since; those that were inspected must be as they were.

    Args:
        source: The run or the export, open or closed; several workers need a `Source`.
        paths: Image files.
        folder: Where to write.
        framing: How images are cut into tiles, see `inspect_frame`. By default each is taken as a
            whole, and resized to the size of the run as its training did.
        pictures: Of which images to paint pictures: `"rejects"`, `"all"` or `"none"`.
        overwrite: Begin anew where there is an inspection; other files stay.
        workers: Processes that share the work, each with a model of its own. The rows, and their
            order, are those of one. A script must begin with `if __name__ == "__main__"`.
        engine: Where they are: `"local"` on this machine, or `"ray"` on those of a Ray cluster.
        address: Of the cluster, see `open_cluster`.
        on_start: Called with the number of images that are left to inspect.
        on_entry: Called with what became of each image.

    Returns:
        The `Summary` of all rows in the folder.

    Raises:
        OutputError: If the folder holds something else, or another command writes to it.
        RunError: If it was begun with another run or other settings, images have changed since they
            were inspected, or the model gives NaN.
        MscamError: If pyarrow or Ray is not installed, or a worker ended before its work was done.
    """
    plan = Plan(source, Path(folder), framing, pictures)
    with (
        _spread(plan, min(workers, max(1, len(paths))), engine, address) as inspect,
        open_work(plan, folder, paths, overwrite=overwrite) as work,
    ):
        todo = work.choose(paths)
        if on_start is not None:
            on_start(len(todo))
        for entry in work.inspect(inspect, [todo]):
            if on_entry is not None:
                on_entry(entry)
    return work.summarize()


def watch_folders(
    source: Session | Source,
    folders: Sequence[Path],
    folder: str | Path,
    *,
    framing: Framing | None = None,
    pictures: str = "rejects",
    overwrite: bool = False,
    workers: int = 1,
    idle: float | None = None,
    on_entry: Callable[[Entry], None] | None = None,
) -> Summary:
    """Inspect images as they come into folders, as `inspect_images` does, until it is stopped.

    A file is taken when it is complete: unchanged for half a second, and it can be read. One that
    still cannot be read ten seconds after it last changed is a bad file. A path is inspected once:
    give each image a name of its own; a warning tells of files that change later. The column
    `latency` says how many seconds after the last change of a file its verdict was known; that half
    second is part of it.

    Args:
        source: As for `inspect_images`.
        folders: What is watched, with all folders below; they need not be there yet.
        folder: As for `inspect_images`.
        framing: As for `inspect_images`.
        pictures: As for `inspect_images`.
        overwrite: As for `inspect_images`.
        workers: As for `inspect_images`.
        idle: End when no file has come for so many seconds; by default it runs until it is stopped.
        on_entry: As for `inspect_images`.

    Returns:
        As `inspect_images`.

    Raises:
        Exception: As `inspect_images`.
    """
    watcher = Watcher(folders, idle)
    plan = Plan(source, Path(folder), framing, pictures)
    with (
        open_inspectors(plan, workers) as inspect,
        open_work(plan, folder, folders, overwrite=overwrite) as work,
    ):
        for entry in work.inspect(inspect, _choose_new(work, watcher.wait()), watcher):
            if on_entry is not None:
                on_entry(entry)
    return work.summarize()


def _choose_new(work: Work, rounds: Iterable[Sequence[Path]]) -> Iterator[list[Path]]:
    """Choose the images of a line that have no row: it goes on, whatever became of the others."""
    for paths in rounds:
        warn_of_changed(work.find_changed(paths))
        yield work.choose(paths)


def _spread(
    plan: Plan, workers: int, engine: str, address: str | None
) -> AbstractContextManager[Inspect]:
    check_value("engine", engine, Choice(("local", "ray")))
    if engine == "ray":
        return open_cluster(plan, workers, address)
    if address is not None:
        raise MscamError(f'Only engine="ray" has an address. Received: {address=}')
    return open_inspectors(plan, workers)
