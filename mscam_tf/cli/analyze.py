"""The command `mscam analyze`."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import (
    CONSOLE,
    DATA,
    OUT,
    RUN,
    SKIP_BAD,
    SPLIT,
    explain_errors,
    make_progress,
    make_table,
    read_data,
    say,
)

if TYPE_CHECKING:
    from mscam_tf.analysis import Confusion


def analyze(
    run: RUN,
    data: DATA,
    out: OUT,
    split: SPLIT = "test",
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(
            help="Image or folder of images without labels, to be ranked by how much their labels "
            "would help; may be given several times."
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="LOGITS",
            help="Logits above which a place of a map counts as claimed by its class; by default "
            "half of the upper end of the maps.",
        ),
    ] = None,
    skip_bad: SKIP_BAD = False,
) -> None:
    """Find which classes are confused, whether their maps overlap, and which images would help.

    For each pair of classes that is confused, it says how often, and how much the maps of the two
    classes overlap on the wrong images, compared with the right ones. It writes advice.md (in
    words), confusions.csv, images.csv, overlaps.png and a picture of each confusion. With
    --unlabelled it also writes label_next.csv, with the images whose labels would help most on top.
    An earlier analysis in the folder is replaced.

    Example: `mscam analyze RUN DATA --out analysis --unlabelled new_images/`
    """
    with explain_errors():
        from mscam_tf.analysis import write_analysis
        from mscam_tf.data.manifests import list_images
        from mscam_tf.runs import open_run, select_samples

        opened = open_run(run)
        samples = select_samples(opened, read_data(data), split)
        others = list_images(unlabelled) if unlabelled else []
        with make_progress() as progress:
            total = len(samples.samples) + len(others)
            task = progress.add_task("analysing", total=total)
            confusions = write_analysis(
                opened,
                samples,
                out,
                unlabelled=others,
                threshold=threshold,
                on_progress=lambda count: progress.advance(task, count),
                skip_bad=skip_bad,
            )
        _print_confusions(confusions, len(samples.samples))
        say(f"Wrote {out / 'advice.md'} and more")


def _print_confusions(confusions: "list[Confusion]", count: int) -> None:
    wrong = sum(len(found.images) for found in confusions)
    if not wrong:
        say(f"None of {count} images is wrong.")
        return
    overlaps = ("overlap in place", "if right", "difference", "if the other")
    columns = ("true", "predicted", "images", *overlaps)
    rows = map(_describe, confusions)
    CONSOLE.print(make_table(f"{wrong} of {count} images are wrong", *columns, rows=rows))


def _describe(found: "Confusion") -> tuple[str, ...]:
    means = found.average("place_overlap")
    low, high = found.interval
    return (
        found.true,
        found.predicted,
        f"{len(found.images)} of {found.total}",
        _show(means["wrong"]),
        _show(means["right"]),
        f"{found.difference:+.2f} [{low:+.2f}, {high:+.2f}]" if low == low else "-",
        _show(means["like"]),
    )


def _show(mean: float) -> str:
    """Show a mean over images; there may be none of a kind."""
    return "-" if isnan(mean) else f"{mean:.2f}"
