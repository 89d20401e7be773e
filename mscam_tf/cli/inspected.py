"""What `mscam inspect` shows."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer
from rich.progress import Progress, TaskID

from mscam_tf.cli.console import say

if TYPE_CHECKING:
    from mscam_tf.drift import DriftSummary, Period
    from mscam_tf.inspection import Entry, Summary


@dataclass
class Display:
    """Shows what becomes of images: a bar, or lines of JSON, and notes."""

    progress: Progress
    image_size: tuple[int, int]
    lines: TextIO | None  # Where lines of JSON go.
    count: int = 0
    resized: bool = False
    constant: int = 0
    start: float = field(default_factory=time.monotonic)
    task: TaskID | None = None

    def begin(self, total: int | None) -> None:
        """Begin with this number of images; `None` if nobody knows it."""
        self.start = time.monotonic()
        self.task = self.progress.add_task("inspecting", total=total)

    def show(self, entry: "Entry") -> None:
        """Show what became of an image."""
        self.count += 1
        if self.lines is not None:
            typer.echo(json.dumps({**entry.row, "regions": entry.regions}), file=self.lines)
        if entry.row["problem"] is not None:
            say(f"Cannot be read: {entry.path}: {entry.row['problem']}", error=True)
        elif entry.resized and not self.resized:
            self.resized = True
            height, width = self.image_size
            say(
                f"Images of another size than {height} x {width}, such as {entry.path}, are "
                "resized to it, as in the training of the run; --frames inspects larger ones in "
                "tiles.",
                error=True,
            )
        self.constant += entry.constant
        if entry.constant and self.constant == 1:
            say(
                f"{entry.path} shows nothing, as it is stored or by the window: all its pixels are "
                "alike, and its verdict says nothing. Others like it are counted at the end.",
                error=True,
            )
        if entry.moved is not None:
            say(say_period(entry.moved), error=True)
        if self.task is not None:
            rate = self.count / max(time.monotonic() - self.start, 1e-9)
            self.progress.update(
                self.task, advance=1, description=f"inspecting, {rate:.1f} images/s"
            )

    def finish(self) -> None:
        """Count the images that show nothing."""
        if self.constant:
            say(f"{self.constant} images show nothing: all their pixels are alike", error=True)


def say_period(period: "Period") -> str:
    """Say which images moved away from the reference, and how."""
    moved = ", ".join(f"{name} {side}" for name, side in period.features.items())
    return f"Drift since {period.first}, in {period.images} images: {moved} the reference"


def print_summary(summary: "Summary", out: Path, *, frames: bool, error: bool) -> None:
    """Print what an inspection came to, and what watching for drift did."""
    parts = [f"{summary.accepted} accepted", f"{summary.rejected} rejected"]
    parts += [f"{summary.without_verdict} without a verdict"] * bool(summary.without_verdict)
    parts += [f"{summary.unreadable} that cannot be read"] * bool(summary.unreadable)
    say(f"{summary.images} images: {', '.join(parts)}; {summary.regions} regions", error=error)
    rate = summary.inspected / max(summary.seconds, 1e-9)
    say(f"Inspected {summary.inspected} now, {rate:.1f} images a second. Wrote {out}", error=error)
    if summary.without_verdict:
        say(
            "This run does not know which images are good, so none is rejected. Train it with a "
            "class none, or choose the class by `mscam calibrate RUN DATA --good CLASS`.",
            error=True,
        )
    _print_drift(summary.drift, frames, error)


def _print_drift(drift: "DriftSummary | None", frames: bool, error: bool) -> None:
    if drift is None:
        say(
            "Drift is not watched: "
            + (
                "frames are not compared with the reference, which is of whole images or of "
                "patches. Cut patches by `mscam tile`, and inspect these as images."
                if frames
                else "the run keeps no reference. `mscam calibrate RUN DATA` makes one of 99 good "
                "images or more; then export the run anew."
            ),
            error=error,
        )
        return
    counts = ", ".join(f"{count} by {name}" for name, count in drift.features.items())
    say(
        f"Drift: {drift.unlike} of {drift.images} images are unlike the reference"
        f"{f' ({counts})' if counts else ''}; of images like it, 1 in 100 is",
        error=error,
    )
    moved = sum(period.images for period in drift.periods) // drift.period
    say(f"Drift: {moved} of {drift.judged} periods of {drift.period} images moved", error=error)
    for period in drift.periods:
        say(say_period(period), error=error)
