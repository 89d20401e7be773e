"""The command `mscam train`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import (
    BOXES,
    DATA,
    OVERWRITE,
    SKIP_BAD,
    explain_errors,
    make_epoch_bar,
    make_progress,
    read_data,
    say,
    say_next,
)
from mscam_tf.cli.options import add_options, change_settings, make_settings
from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError, RunError
from mscam_tf.names import show_place
from mscam_tf.runs import TrainConfig

if TYPE_CHECKING:
    from mscam_tf.runs import Run


@add_options(TrainConfig)
@add_options(ReadOptions)
def train(
    data: DATA,
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="Run folder to create.")],
    boxes: BOXES = None,
    skip_bad: SKIP_BAD = False,
    overwrite: OVERWRITE = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with a training of this run that was stopped, with the settings that it "
            "was begun with. One that is finished is left as it is; where there is none, one "
            "begins.",
        ),
    ] = False,
    devices: Annotated[
        str,
        typer.Option(
            "--devices",
            metavar="one|all|cluster",
            help="What shares the steps: `one` device; `all` of this machine, such as its GPUs; or "
            "`cluster`, those of all machines on which a launcher started this command. More than "
            "one need the JAX backend.",
        ),
    ] = "one",
    **settings: Any,
) -> None:
    """Train a classifier into a run folder.

    Images are checked first, then split 7:1:2 by class (groups stay together), trained with
    light augmentation, and the weights with the lowest validation loss are kept. DenseNet121
    starts from weights that were pretrained on simulated radiographs and come with the package.

    Whatever stops a training, what was done until the end of its last epoch is kept, and the same
    command with `--resume` goes on from there.

    Example: `mscam train DATA --out RUN --epochs 40`
    """
    with explain_errors():
        if settings["window"] and settings["window_percentiles"]:
            raise MscamError("Give --window or --window-percentiles. Received: both")
        from mscam_tf.training import open_team

        team, config = open_team(devices), None
        if resume:
            with team.take_turns():
                config = _recall_config(out, context, settings)
        if config is None:
            config = make_settings(TrainConfig, settings, read=make_settings(ReadOptions, settings))
        options: dict[str, Any] = {"devices": devices, "skip_bad": skip_bad}
        options |= {"overwrite": overwrite, "resume": resume}
        if not team.leads:
            _follow(data, out, config, boxes, **options)
            return
        run = train_with_progress(data, out, config, boxes, **options)
        say_next("evaluate", run.folder, data)


def _follow(data: Path, out: Path, config: TrainConfig, boxes: Path | None, **options: Any) -> None:
    """Train as one of several processes: the first one tells of it, and draws what is drawn."""
    from mscam_tf.training import train as train_run

    logging.getLogger("mscam_tf").setLevel(logging.ERROR)
    train_run(replace(read_data(data), boxes=boxes), out, config, **options)


def _recall_config(
    out: Path, context: typer.Context, settings: dict[str, Any]
) -> TrainConfig | None:
    """Return the settings of the training that goes on, but for the options that are given now."""
    from mscam_tf.training import find_begun

    begun = find_begun(out)
    if begun is None:
        return None
    given = {name: value for name, value in settings.items() if _is_given(context, name)}
    read = change_settings(begun.config.read, given)
    return change_settings(begun.config, given, read=read)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def train_with_progress(
    data: Path, out: Path, config: TrainConfig, boxes: Path | None = None, **options: Any
) -> "Run":
    """Train, with bars for checking and for the epochs."""
    from mscam_tf.plots import plot_history, save_figure
    from mscam_tf.training import train as train_run

    manifest = replace(read_data(data), boxes=boxes)
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
    history, picture = run.folder / "history.csv", run.folder / "history.png"
    # Heads alone are fitted without epochs; a run that was finished before may be read-only.
    if history.exists() and not picture.exists():
        with _say_what_is_missing(run.folder):
            save_figure(plot_history(history), picture)
    _note(run.folder / "skipped.csv", "Some images were left out")
    _note(run.folder / "marks.csv", "The maps learned from masks or boxes of images, too")
    say(f"Trained {run.folder / 'model.keras'}")
    return run


@contextmanager
def _say_what_is_missing(folder: Path) -> Iterator[None]:
    try:
        yield
    except (MscamError, OSError) as error:
        raise RunError(
            f"The run {show_place(folder)} is finished but for its picture, which the same command "
            f"with --resume draws. {error}"
        ) from error


def _note(path: Path, what: str) -> None:
    if path.exists():
        say(f"{what}: {path}")
