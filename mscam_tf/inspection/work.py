"""An inspection that goes on: its folder, its rows, and what it has come to."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mscam_tf.drift import ROW, DriftSummary, open_watch, read_reference
from mscam_tf.errors import RunError
from mscam_tf.files import write_json
from mscam_tf.folders import drop_partial_files
from mscam_tf.inspection.inspector import Entry
from mscam_tf.inspection.plans import PICTURES, Inspect, Plan
from mscam_tf.inspection.recording import TABLES, Recorder
from mscam_tf.inspection.rows import find_modified, name_path
from mscam_tf.inspection.sources import hash_source
from mscam_tf.inspection.watching import Watcher
from mscam_tf.locks import hold
from mscam_tf.outputs import Kind, claim
from mscam_tf.records import check_settings
from mscam_tf.runs import read_operating_point
from mscam_tf.swaps import make_folder, owns

_SETTINGS, _SUMMARY = "inspection.json", "summary.json"
INSPECTION_FOLDER = Kind(
    "an inspection",
    _SETTINGS,
    keys=("source_sha256", "operating_point", "framing"),
    entries=(
        *(_SETTINGS, _SUMMARY, PICTURES, *TABLES),
        *(f"{PICTURES}/*_{'[0-9a-f]' * 8}.png", *(f"{name}/[0-9]*.parquet" for name in TABLES)),
    ),
    continued=True,
)


@dataclass(frozen=True)
class Summary:
    """What an inspection came to, over all images that have a row in its folder.

    Attributes:
        images: How many images have a row.
        accepted: How many of them are accepted.
        rejected: How many are rejected.
        without_verdict: How many have none, as it is not known which images are good.
        unreadable: How many cannot be read.
        regions: How many regions they have.
        labels: How many images have each label.
        inspected: How many images were inspected this time.
        seconds: How long that took.
        drift: Which images and periods are unlike the reference of the run; `None` if it keeps
            none, and of frames.
    """

    images: int
    accepted: int
    rejected: int
    without_verdict: int
    unreadable: int
    regions: int
    labels: dict[str, int]
    inspected: int
    seconds: float
    drift: DriftSummary | None

    @property
    def status(self) -> int:
        """What `mscam inspect` ends with: 4 if a file is unreadable, 3 if one is rejected, or 0."""
        if self.unreadable:
            return 4
        return 3 if self.rejected else 0


class Work:
    """An inspection that goes on, in a folder that is held.

    Args:
        plan: How images are inspected.
        folder: Where rows are written.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._folder = folder
        self._recorder = Recorder(folder)
        self._watch = None if plan.framing else open_watch(plan.run)
        if self._watch is not None:  # It goes on as if there had been no stop.
            for row in self._recorder.read_images(*ROW):
                self._watch.add(row)
        self._start, self._inspected = time.monotonic(), 0

    def choose(self, paths: Sequence[Path]) -> list[Path]:
        """Return the images that have no row; pictures of this very folder are none.

        The row of an image that could not be read is taken back, if its file is another now.
        """
        own = name_path(self._folder / "x")[:-1]
        named = {name_path(path): path for path in paths}
        unreadable = [name for name in named if name in self._recorder.unreadable]
        self._recorder.drop_unreadable({n for n in unreadable if self._has_changed(n, named[n])})
        done = self._recorder.done
        return [p for name, p in named.items() if name not in done and not name.startswith(own)]

    def find_changed(self, paths: Iterable[Path]) -> list[Path]:
        """Return the images that were inspected, but as another file than is there now."""
        named = ((name_path(path), path) for path in paths)
        unreadable = self._recorder.unreadable
        return [path for n, path in named if n not in unreadable and self._has_changed(n, path)]

    def _has_changed(self, name: str, path: Path) -> bool:
        """Whether an image has a row, of another file than is there now."""
        done = self._recorder.done
        return name in done and find_modified(path) not in (None, done[name])

    def inspect(
        self,
        inspect: Inspect,
        rounds: Iterable[Sequence[Path]],
        watcher: Watcher | None = None,
    ) -> Iterator[Entry]:
        """Inspect lists of chosen images; give what became of each, once it has a row."""
        for paths in rounds:
            for entry in inspect(paths):
                if watcher is not None:
                    if entry.row["problem"] is not None and watcher.may_grow(entry.path):
                        continue
                    entry.row["latency"] = watcher.take_latency(entry.path)
                self._inspected += 1
                written = self._recorder.add(entry.row, entry.regions, entry.tiles)
                moved = self._watch.add(entry.row) if self._watch else None
                self._keep(written)
                yield replace(entry, moved=moved)
            self._keep(self._recorder.tick())

    def summarize(self) -> Summary:
        """Return what the inspection has come to."""
        counts = self._recorder.counts
        outcomes = ("accepted", "rejected", "without_verdict", "unreadable")
        return Summary(
            images=sum(counts[name] for name in outcomes),
            **{name: counts[name] for name in (*outcomes, "regions")},
            labels=dict(self._recorder.labels),
            inspected=self._inspected,
            seconds=round(time.monotonic() - self._start, 3),
            drift=self._watch.summarize() if self._watch else None,
        )

    def finish(self, *, complete: bool) -> None:
        """Write what is not written yet."""
        self._recorder.flush()
        self._write_summary(complete)

    def _keep(self, written: bool) -> None:
        if written:
            self._write_summary(complete=False)

    def _write_summary(self, complete: bool) -> None:
        summary = self.summarize()
        values = {**asdict(summary), "status": summary.status, "complete": complete}
        write_json(self._folder / _SUMMARY, values)


@contextmanager
def open_work(
    plan: Plan, folder: str | Path, inputs: Sequence[Path], *, overwrite: bool = False
) -> Iterator[Work]:
    """Begin an inspection in a folder, or go on with it; what is known is written at the end.

    Args:
        plan: How images are inspected.
        folder: Where rows are written.
        inputs: What is inspected: images, or folders that are watched.
        overwrite: Begin anew.

    Raises:
        OutputError: If the folder holds something else, or another command writes to it.
        RunError: If it was begun with other settings, or images have changed since they were
            inspected.
    """
    folder = Path(folder)
    claim(folder, INSPECTION_FOLDER, overwrite=overwrite, inputs=inputs)
    with make_folder(folder), hold(folder):
        for name in (*TABLES, PICTURES):
            drop_partial_files(folder / name)
        if overwrite:
            _clear(folder)
        settings = _describe(plan)
        check_settings(folder / _SETTINGS, settings, free=("source",))
        work = Work(plan, folder)
        _check_unchanged(work.find_changed(inputs))
        write_json(folder / _SETTINGS, settings)
        try:
            yield work
        except BaseException:
            work.finish(complete=False)
            raise
        work.finish(complete=True)


def _check_unchanged(changed: Sequence[Path]) -> None:
    """Refuse to take verdicts on other images for those of the files that are there now."""
    if changed:
        raise RunError(
            "Images that were inspected must be as they were then. Choose another place, or add "
            "--overwrite (overwrite=True) to inspect all anew. "
            f"Received: {len(changed)} that have changed since, such as {changed[0]}"
        )


def _describe(plan: Plan) -> dict[str, Any]:
    run, framing = plan.run, plan.framing
    point, reference = read_operating_point(run), read_reference(run)
    return {
        "source": str(run.folder.resolve()),
        "source_sha256": hash_source(run),
        "fast": getattr(plan.source, "fast", False) or None,  # Older inspections have none.
        "class_names": run.class_names,
        "operating_point": None if point is None else asdict(point),
        "framing": None if framing is None else asdict(framing),
        "drift_reference": None if reference is None else reference.sha256,
    }


def _clear(folder: Path) -> None:
    """Remove an inspection; the file by which it is known last, so that a stop can be mended."""
    for name in (*TABLES, PICTURES):
        for path in (folder / name).glob("*"):
            if owns(f"{name}/{path.name}", INSPECTION_FOLDER.entries):
                path.unlink()
        with suppress(OSError):  # Something of somebody's is there, or nothing.
            (folder / name).rmdir()
    for name in (_SUMMARY, _SETTINGS):
        (folder / name).unlink(missing_ok=True)
