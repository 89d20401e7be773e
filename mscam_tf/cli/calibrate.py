"""The command `mscam calibrate`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import (
    CONSOLE,
    DATA,
    GOOD,
    RUN,
    SKIP_BAD,
    SPLIT,
    explain_errors,
    make_progress,
    make_table,
    read_data,
    say,
)
from mscam_tf.cli.rates import print_rates

if TYPE_CHECKING:
    from mscam_tf.runs import OperatingPoint


def parse_share(text: Any) -> Any:
    """Read `0.5%` or `0.005`; what is no text stays as it is."""
    if not isinstance(text, str):
        return text
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise typer.BadParameter(f"it looks like 0.5% or 0.005. Received: {text!r}") from None


def parse_scale(text: Any) -> Any:
    """Read `sum`, `sharp` or the number of a scale; what is no text stays as it is."""
    return int(text) if isinstance(text, str) and text.isdecimal() else text


def calibrate(
    run: RUN,
    data: DATA,
    max_false_rejects: Annotated[
        Any,
        typer.Option(
            metavar="SHARE",
            parser=parse_share,
            help="Share of good images that may be rejected at most, such as 0.5% or 0.005.",
        ),
    ] = None,
    max_misses: Annotated[
        Any,
        typer.Option(
            metavar="SHARE",
            parser=parse_share,
            help="Share of the other images that may be accepted at most. Give one of the two.",
        ),
    ] = None,
    split: SPLIT = "validation",
    good: GOOD = None,
    scale: Annotated[
        Any,
        typer.Option(
            metavar="sum|sharp|NUMBER",
            parser=parse_scale,
            help="Which maps are marked: their sum; the sum sharpened by the spots of the image, "
            "for small and faint objects; or those of one scale, of which 1 is the finest.",
        ),
    ] = "sum",
    minimum_area: Annotated[
        float,
        typer.Option(
            min=0, help="Pixels that a marked region must have, as the model sees the image."
        ),
    ] = 0.0,
    skip_bad: SKIP_BAD = False,
) -> None:
    """Choose when an image is rejected, so that a promise about new images holds.

    With --max-false-rejects, good images alone are enough. The threshold is chosen so that at most
    the wanted share of new good images is rejected, at a confidence of 95 %. For 1 % this needs 299
    images, for 0.5 % 598, and for 0.1 % 2,995; with fewer it is refused. Images of one group (a
    part, a film, a fish) count once, and a group is rejected if any of its images is. The images
    must be like those to come, and the run must not have been trained on them.

    The thresholds are kept in the run folder, as `operating_point.json`; and of 99 good images or
    more what they are like, as `drift.json`, so that `mscam inspect` can tell when images change.
    From then on `mscam evaluate` and `mscam explain` say of each image whether it is rejected, and
    `mscam pod` says what is found at this threshold.

    Example: `mscam calibrate RUN DATA --max-false-rejects 0.5%`, or for new images `mscam calibrate
    RUN GOOD --split all --max-false-rejects 0.5%`, where GOOD is a folder with one folder `none`
    """
    with explain_errors():
        from mscam_tf.evaluation import calibrate as calibrate_run
        from mscam_tf.runs import open_run, select_samples

        opened = open_run(run)
        samples = select_samples(opened, read_data(data), split)
        with make_progress() as progress:
            task = progress.add_task("scoring", total=len(samples.samples))
            point = calibrate_run(
                opened,
                samples,
                max_false_rejects=max_false_rejects,
                max_misses=max_misses,
                good=good,
                scale=scale,
                minimum_area=minimum_area,
                skip_bad=skip_bad,
                on_progress=lambda count: progress.advance(task, count),
            )
        _print_point(point)
        say(f"Wrote {run / 'operating_point.json'}")


def _print_point(point: "OperatingPoint") -> None:
    rows = [("an image is rejected from a score of", f"{point.decision_threshold:.3f}")]
    for name, threshold in point.map_thresholds.items():
        rows.append((f"the map of {name} is marked from", f"{threshold:.3f}"))
    unit = "sharp maps in strengths of spots" if point.scale == "sharp" else "in logits"
    CONSOLE.print(make_table(f"operating point, {unit}", "what", "threshold", rows=rows))
    names = ("false_rejects", "misses")
    print_rates({name: point.record[name] for name in names if name in point.record})
