"""The command `mscam pod`."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import (
    CONSOLE,
    DATA,
    OUT,
    OVERWRITE,
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
    from mscam_tf.evaluation import Detection, DetectionReport
    from mscam_tf.metrics import DetectionCurve


def pod(
    run: RUN,
    data: DATA,
    out: OUT,
    split: SPLIT = "test",
    objects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV file with the column path and a row an object, with its sizes; by default "
            "the objects.csv or bones.csv beside the manifest. Without one, the boxes.csv and then "
            "the masks are measured.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column of the sizes, such as diameter, length or contrast; or side, width, "
            "length or area of the boxes. By default diameter, or else width.",
        ),
    ] = None,
    hit: Annotated[
        str,
        typer.Option(
            metavar="image|mark",
            help="An object is found if its image is rejected (of several in an image, the largest "
            "counts), or if there is a mark on it.",
        ),
    ] = "image",
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Fit curves by this column too: label, material, ..."),
    ] = None,
    pixel_pitch: Annotated[
        float | None,
        typer.Option(metavar="MM", help="Size of a pixel in mm: sizes in pixels become mm."),
    ] = None,
    link: Annotated[str, typer.Option(metavar="logit|probit", help="Form of the curve.")] = "logit",
    linear: Annotated[
        bool, typer.Option("--linear", help="Fit a curve of the size, not of its logarithm.")
    ] = False,
    skip_bad: SKIP_BAD = False,
    overwrite: OVERWRITE = False,
) -> None:
    """Say how small an object is found: the probability of detection against size.

    a90 is the size of which 90 % are found. a90/95 is the size of which, at a confidence of 95 %,
    at least 90 % are found: this is the figure to state. Both hold at the operating point of the
    run (see `mscam calibrate`), and stand beside the share of good images that are rejected there.
    The curve is that of ASTM E2862 and MIL-HDBK-1823A for hit/miss data. It needs 60 objects or
    more, of sizes from hardly to always found, and some of them missed.

    For test pieces of few sizes, the table says for each size which rate is proven at a confidence
    of 95 %: 29 of 29 prove 90 %, 59 of 59 prove 95 %, and 299 of 299 prove 99 %.

    It writes `pod.json`, `hits.csv` and `pod.png`.

    Example: `mscam pod RUN DATA --out pod`, or `mscam simulate pieces --test-pieces --pixel-pitch
    0.1`, then `mscam pod RUN pieces --split all --size diameter_mm --by material --out pod`
    """
    with explain_errors():
        from mscam_tf.evaluation import measure_detection
        from mscam_tf.runs import open_run, select_samples

        opened = open_run(run)
        samples = select_samples(opened, read_data(data), split, known_labels=False)
        with make_progress() as progress:
            task = progress.add_task("looking", total=len(samples.samples))
            report = measure_detection(
                opened,
                samples,
                out,
                objects=objects,
                size=size,
                hit=hit,
                by=by,
                pixel_pitch=pixel_pitch,
                link=link,
                log=not linear,
                skip_bad=skip_bad,
                overwrite=overwrite,
                on_progress=lambda count: progress.advance(task, count),
            )
        _print_report(report)
        say(f"Wrote {out / 'pod.json'}, {out / 'hits.csv'} and {out / 'pod.png'}")


def _print_report(report: "DetectionReport") -> None:
    rates = {"false_rejects": report.false_rejects, "images_with_false_marks": report.false_marks}
    print_rates({name: rate.to_json() for name, rate in rates.items() if rate is not None})
    columns = ("", "found", "a50", "a90", "a90/95", "lack of fit, p")
    rows = [(one.name, _count(one), *_describe(one.curve)) for one in report.detections]
    CONSOLE.print(make_table(f"sizes are {report.label}", *columns, rows=rows))
    if report.unmarked:
        say(f"{report.unmarked} of the objects that are found have no mark on them.")
    for one in report.detections:
        if one.curve is None:
            say(f"{one.name}: no curve. {one.reason}")
        elif one.curve.penalized:
            say(f"{one.name}: hits and misses do not overlap, so the curve has Firth's penalty.")
    if len(report.models) > 1:
        rows = [(_name(one), *_describe(one), f"{one.log_likelihood:.1f}") for one in report.models]
        columns = ("other forms of the curve", *columns[2:], "log likelihood")
        CONSOLE.print(make_table("", *columns, rows=rows))
    curves = (*(one.curve for one in report.detections if one.curve), *report.models)
    if not all(curve.is_tried(size) for curve in curves for size in curve.figures.values()):
        say(
            "Beyond the largest object and below the smallest a curve is a guess, so no figure is "
            "stated there. Try objects of such sizes too."
        )
    for one in report.detections[1:] or report.detections:
        _print_sizes(one)


def _count(one: "Detection") -> str:
    return f"{int(one.hits.sum())} of {len(one.hits)}"


def _name(curve: "DetectionCurve") -> str:
    return f"{curve.link}, {'log size' if curve.log else 'size'}"


def _describe(curve: "DetectionCurve | None") -> tuple[str, str, str, str]:
    if curve is None:
        return ("-",) * 4
    a50, a90, bound = map(curve.show_size, curve.figures.values())
    return a50, a90, bound, "-" if isnan(curve.misfit) else f"{curve.misfit:.3f}"


def _print_sizes(one: "Detection") -> None:
    rows = []
    for row in one.count_by_size():
        low, high = f"{row['from']:.3g}", f"{row['to']:.3g}"
        size = low if low == high else f"{low} to {high}"
        rows.append((size, f"{row['found']} of {row['n']}", f"{row['proven']:.1%}"))
    columns = ("size", "found", "proven at 95 %: at least")
    CONSOLE.print(make_table(one.name, *columns, rows=rows))
