"""The command `mscam train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import (
    DATA,
    OVERWRITE,
    SKIP_BAD,
    explain_errors,
    make_epoch_bar,
    make_progress,
    read_data,
    say,
)
from mscam_tf.cli.options import add_options, make_settings
from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError
from mscam_tf.runs import TrainConfig

if TYPE_CHECKING:
    from mscam_tf.runs import Run


@add_options(TrainConfig)
@add_options(ReadOptions)
def train(
    data: DATA,
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="Run folder to create.")],
    skip_bad: SKIP_BAD = False,
    overwrite: OVERWRITE = False,
    **settings: Any,
) -> None:
    """Train a classifier into a run folder.

    Images are checked first, then split 7:1:2 by class (groups stay together), trained with
    light augmentation, and the weights with the lowest validation loss are kept. DenseNet121
    starts from weights that were pretrained on simulated radiographs and come with the package.

    Example: `mscam train DATA --out RUN --epochs 40`
    """
    with explain_errors():
        if settings["window"] and settings["window_percentiles"]:
            raise MscamError("Give --window or --window-percentiles. Received: both")
        read = make_settings(ReadOptions, settings)
        config = make_settings(TrainConfig, settings, read=read)
        run = train_with_progress(data, out, config, overwrite=overwrite, skip_bad=skip_bad)
        say(f"Next: mscam evaluate {run.folder} {data}")


def train_with_progress(data: Path, out: Path, config: TrainConfig, **options: bool) -> "Run":
    """Train, with bars for checking and for the epochs."""
    from mscam_tf.plots import plot_history, save_figure
    from mscam_tf.training import train as train_run

    manifest = read_data(data)
    with make_progress() as progress:
        checked = progress.add_task("checking images", total=len(manifest.samples))
        run = train_run(
            manifest,
            out,
            config,
            **options,
            callbacks=[make_epoch_bar(progress, config.epochs)],
            on_check=lambda count: progress.advance(checked, count),
        )
    save_figure(plot_history(run.folder / "history.csv"), run.folder / "history.png")
    _note_skipped(run.folder / "skipped.csv")
    say(f"Trained {run.folder / 'model.keras'}")
    return run


def _note_skipped(path: Path) -> None:
    if path.exists():
        say(f"Some images were left out: {path}")
