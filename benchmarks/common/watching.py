"""How long after a file is complete in a watched folder is its verdict known, and its row kept?"""

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import numpy as np


def time_watching(
    export: Path, images: Sequence[Path], folder: Path, interval: float, threads: int
) -> tuple[list[float], list[float]]:
    """Return the seconds from a file's end to its verdict, and to the Parquet file with its row.

    A thread writes the files, each in two parts, at intervals; `watch_folders` runs meanwhile.

    Args:
        export: What inspects.
        images: What is written into the folder that is watched.
        folder: Where that folder, and the inspection, are made.
        interval: Seconds between two files.
        threads: Of the engine.
    """
    from mscam_tf.inspection import open_source, watch_folders

    scans, out, known = folder / "scans", folder / "inspected", dict[str, float]()
    scans.mkdir(parents=True)
    session = open_source(export, threads=threads)
    list(session.explain(images[:2]))  # It warms up.
    complete = dict[str, float]()
    scanner = Thread(target=_write_all, args=(images, scans, interval, complete))
    scanner.start()
    watch_folders(
        session,
        [scans],
        out,
        pictures="none",
        idle=40,  # Longer than rows wait.
        on_entry=lambda entry: known.update({entry.path.name: time.time()}),
    )
    scanner.join()
    kept = _find_rows(out)
    return tuple([times[name] - end for name, end in complete.items()] for times in (known, kept))


def _write_all(
    images: Sequence[Path], folder: Path, interval: float, complete: dict[str, float]
) -> None:
    for number, path in enumerate(images):
        content, name = path.read_bytes(), f"{number:04d}{path.suffix}"
        with (folder / name).open("wb") as file:
            file.write(content[: len(content) // 2])
            file.flush()
            time.sleep(interval / 4)
            file.write(content[len(content) // 2 :])
        complete[name] = time.time()
        time.sleep(3 * interval / 4)


def _find_rows(folder: Path) -> dict[str, float]:
    """Return when the row of each image was in a file."""
    import pyarrow.parquet

    found = {}
    for part in sorted((folder / "images").glob("*.parquet")):
        for path in pyarrow.parquet.read_table(part, columns=["path"])["path"].to_pylist():
            found[Path(path).name] = part.stat().st_mtime
    return found


def say_watching(latencies: tuple[list[float], list[float]], interval: float, threads: int) -> str:
    """Say what `time_watching` found: medians, and what 95 % do not exceed."""
    known, kept = ([*np.quantile(values, [0.5, 0.95])] for values in latencies)
    return (
        f"`--watch`, {len(latencies[0])} images that are written in two parts, one every "
        f"{interval:g} seconds, {threads} thread{'s' * (threads > 1)}: from the end of a file to "
        f"its verdict (a line of `--json`) {known[0]:.2f} seconds in the median, {known[1]:.2f} "
        "for 95 %, of which half a second is the wait that tells that it is complete. Its row is "
        f"in a Parquet file after {kept[0]:.0f} seconds in the median and {kept[1]:.0f} for 95 %: "
        "rows are written every 30 seconds."
    )
