"""Say in words what an inspection came to."""

from pathlib import Path
from typing import TYPE_CHECKING

from mscam_tf.cli.console import say

if TYPE_CHECKING:
    from mscam_tf.drift import DriftSummary, Period
    from mscam_tf.inspection import Summary


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
                "frames are not compared with a reference."
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
