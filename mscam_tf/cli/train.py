"""The command `mscam train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import (
    DATA,
    INVERT,
    MAX_PIXELS,
    OVERWRITE,
    PAGE,
    SKIP_BAD,
    WINDOW,
    explain_errors,
    make_epoch_bar,
    make_progress,
    read_data,
    say,
)
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from mscam_tf.runs import Run, TrainConfig


def train(
    data: DATA,
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="Run folder to create.")],
    model: Annotated[str, typer.Option(help="multiscale, or single (the plain baseline).")] = (
        "multiscale"
    ),
    backbone: Annotated[str, typer.Option(help="A name in keras.applications.")] = "DenseNet121",
    weights: Annotated[
        str,
        typer.Option(
            help="Start: xray (comes with the package, DenseNet121), imagenet, none, or an .npz "
            "file of `mscam pretrain`, a .weights.h5, .h5 or .keras file; auto is xray for "
            "DenseNet121, otherwise none."
        ),
    ] = "auto",
    taps: Annotated[
        str | None,
        typer.Option(metavar="LAYER,...", help="Of the backbone, the finest first; see the docs."),
    ] = None,
    normalization: Annotated[
        str, typer.Option(help="Of the relevance: penalty, or softmax (convex by construction).")
    ] = "penalty",
    penalty: Annotated[str, typer.Option(help="squared, absolute, or signed as printed.")] = (
        "squared"
    ),
    penalty_weight: Annotated[float, typer.Option(help="Lambda of the penalty.")] = 1.0,
    pooling: Annotated[
        str,
        typer.Option(help="Of the maps: mean, or soft (strong places count more); auto as xray."),
    ] = "auto",
    unit_norm_heads: Annotated[
        bool, typer.Option("--unit-norm-heads", help="Let the relevance alone carry the strength.")
    ] = False,
    deep_supervision: Annotated[
        float, typer.Option(help="Weight of a loss of each scale's own logits; 0 is none.")
    ] = 0.0,
    image_size: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="H W", help="Pixels; by default the images' own, within 128 to 256."),
    ] = None,
    several: Annotated[
        bool, typer.Option("--several", help="Labels name several findings: bone|metal, or none.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs at most.")] = 20,
    balance: Annotated[
        bool, typer.Option(help="Classes of unequal size count alike in training.")
    ] = True,
    batch_size: Annotated[int, typer.Option(min=1)] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak of the schedule.")] = 3e-4,
    dropout: Annotated[float, typer.Option(help="Before the heads.")] = 0.0,
    patience: Annotated[int, typer.Option(min=1, help="Epochs to wait for a better loss.")] = 10,
    seed: Annotated[int, typer.Option(help="Of split, weights, order and augmentation.")] = 0,
    precision: Annotated[
        str, typer.Option(help="float32, mixed_float16 or mixed_bfloat16.")
    ] = "float32",
    xla: Annotated[bool, typer.Option("--xla", help="Compile the training step.")] = False,
    window: WINDOW = None,
    window_percentiles: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="Fit the window to the training images: 0.1 99.9."),
    ] = None,
    invert: INVERT = False,
    page: PAGE = None,
    max_pixels: MAX_PIXELS = 100_000_000,
    skip_bad: SKIP_BAD = False,
    overwrite: OVERWRITE = False,
) -> None:
    """Train a classifier into a run folder.

    Images are checked first, then split 7:1:2 by class (groups stay together), trained with
    light augmentation, and the weights with the lowest validation loss are kept. DenseNet121
    starts from weights that were pretrained on simulated radiographs and come with the package.

    Example: `mscam train DATA --out RUN --epochs 40`
    """
    with explain_errors():
        from mscam_tf.data.reading import ReadOptions
        from mscam_tf.runs import TrainConfig

        if window and window_percentiles:
            raise MscamError("Give --window or --window-percentiles. Received: both")
        config = TrainConfig(
            model=model,
            backbone=backbone,
            weights=None if weights == "none" else weights,
            taps=tuple(taps.split(",")) if taps else None,
            normalization=normalization,
            penalty=penalty,
            penalty_weight=penalty_weight,
            pooling=pooling,
            unit_norm_heads=unit_norm_heads,
            deep_supervision=deep_supervision,
            image_size=image_size,
            several=several,
            epochs=epochs,
            batch_size=batch_size,
            balance=balance,
            learning_rate=learning_rate,
            dropout=dropout,
            patience=patience,
            seed=seed,
            precision=precision,
            xla=xla,
            read=ReadOptions(window, invert, page, max_pixels),
            window_percentiles=window_percentiles,
        )
        run = train_with_progress(data, out, config, overwrite=overwrite, skip_bad=skip_bad)
        say(f"Next: mscam evaluate {run.folder} {data}")


def train_with_progress(data: Path, out: Path, config: "TrainConfig", **options: bool) -> "Run":
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
