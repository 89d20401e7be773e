"""The command `mscam evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import (
    CONSOLE,
    DATA,
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
    from mscam_tf.evaluation import Scores
    from mscam_tf.runs import Run

RESAMPLES = 1000


def evaluate(
    run: RUN,
    data: DATA,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder to write; by default the run folder."),
    ] = None,
    split: SPLIT = "test",
    skip_bad: SKIP_BAD = False,
    overwrite: OVERWRITE = False,
) -> None:
    """Score a run on labelled images: each metric with its 95 % bootstrap interval.

    The recall of a class is the share of its images that are found. With two classes, the rest of
    the images with a defect are missed, and the rest of the good parts are falsely rejected.

    The verdict on an image is that of the run's operating point: see `mscam calibrate`. Without
    one, an image is rejected if another class than `none` is the likelier one.

    It writes `metrics.json`, `predictions.csv` and `confusion.png`. Earlier scores of the same data
    and split are replaced; those of others only with `--overwrite`.

    Example: `mscam evaluate RUN DATA --split test`
    """
    with explain_errors():
        from mscam_tf.runs import open_run

        evaluate_with_progress(
            open_run(run), data, split, out or run, skip_bad=skip_bad, overwrite=overwrite
        )


def evaluate_with_progress(
    run: "Run",
    data: Path,
    split: str,
    out: Path,
    *,
    skip_bad: bool = False,
    overwrite: bool = False,
) -> None:
    """Score a run and print the table."""
    from mscam_tf.evaluation import evaluate as evaluate_run
    from mscam_tf.runs import select_samples

    samples = select_samples(run, read_data(data), split)
    with make_progress() as progress:
        task = progress.add_task("scoring", total=len(samples.samples))
        intervals = progress.add_task("intervals", total=RESAMPLES)
        scores = evaluate_run(
            run,
            samples,
            out,
            split=split,
            resamples=RESAMPLES,
            skip_bad=skip_bad,
            overwrite=overwrite,
            on_progress=lambda count: progress.advance(task, count),
            on_resample=lambda count: progress.advance(intervals, count),
        )
    _print_scores(scores, split)
    say(f"Wrote {out / 'metrics.json'}")


def _print_scores(scores: "Scores", split: str) -> None:
    rows = []
    for name, values in scores.metrics.items():
        low, value, high = (f"{values[key]:.3f}" for key in ("low", "value", "high"))
        known = (value, f"{low} to {high}") if value != "nan" else ("-", "-")
        rows.append((name.replace("_", " ", 1), *known))
    title = f"{scores.num_images} images ({split})"
    CONSOLE.print(make_table(title, "metric", "value", "95 % interval", rows=rows))
    if scores.rates:
        print_rates({name: rate.to_json() for name, rate in scores.rates.items()})
    if scores.metrics["accuracy"]["value"] == 1:
        n, what = scores.num_groups, "groups" if scores.num_groups < scores.num_images else "images"
        bound = min(1.0, 3 / n)
        say(
            f"There was no error, but the error rate may still be up to {bound:.1%} "
            f"(3 / n, with n = {n} {what})."
        )
