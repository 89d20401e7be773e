"""Commands about a run: train, evaluate, explain, demo."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mscam_tf.cli.console import (
    CONSOLE,
    DATA,
    INVERT,
    MAX_PIXELS,
    OVERWRITE,
    PAGE,
    RUN,
    SKIP_BAD,
    WINDOW,
    explain_errors,
    make_epoch_bar,
    make_progress,
    read_data,
)

if TYPE_CHECKING:
    from mscam_tf.config import TrainConfig
    from mscam_tf.evaluation import Scores
    from mscam_tf.runs import Run


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
        from mscam_tf.config import TrainConfig
        from mscam_tf.data.images import ReadOptions

        if window and window_percentiles:
            raise ValueError("Give --window or --window-percentiles. Received: both")
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
        run = _train(data, out, config, overwrite=overwrite, skip_bad=skip_bad)
        CONSOLE.print(f"Next: mscam evaluate {run.folder} {data}", highlight=False)


def evaluate(
    run: RUN,
    data: DATA,
    split: Annotated[
        str, typer.Option(help="train, validation or test of the run; all for other data.")
    ] = "test",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="By default the run folder.")
    ] = None,
    skip_bad: SKIP_BAD = False,
) -> None:
    """Score a run: each metric with its 95 % bootstrap interval.

    The recall of a class is how many of its images are found. With two classes, the other images
    with a defect are missed, and the other good parts are falsely rejected.

    Writes `metrics.json`, `predictions.csv` and `confusion.png`.

    Example: `mscam evaluate RUN DATA --split test`
    """
    with explain_errors():
        from mscam_tf.runs import open_run

        _evaluate(open_run(run), data, split, out or run, skip_bad=skip_bad)


def explain(
    run: RUN,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Images, folders of images, or CSV manifests."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write.")],
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Of a DATA: only its images in train, validation, test or all."
        ),
    ] = None,
    flips: Annotated[
        bool,
        typer.Option(
            "--flips",
            help="Average over each image's four mirror images: points at faint objects more "
            "often, takes four times as long.",
        ),
    ] = False,
    skip_bad: SKIP_BAD = False,
    overwrite: OVERWRITE = False,
) -> None:
    """Show where the model looked, at which scale, and how each score comes about.

    Writes for each image an overlay and its scales side by side; a sheet of all, the relevance
    of each scale, and `explanations.csv`. Red is evidence for the predicted class, blue against
    it, and where neither is, the image shows. The colours, in logits, are the same for all images,
    and red as far as blue: what is red for all classes alike speaks for none.

    Example: `mscam explain RUN image.png folder/ --out maps`, or `mscam explain RUN DATA --split
    test --out maps`
    """
    with explain_errors():
        from mscam_tf.evaluation import select_samples
        from mscam_tf.explanation import list_images
        from mscam_tf.runs import open_run

        opened = open_run(run)
        if split is None:
            paths = list_images(images)
        else:
            parts = [select_samples(opened, read_data(data), split) for data in images]
            paths = [path for part in parts for path in part.paths]
        options = {"skip_bad": skip_bad, "overwrite": overwrite, "flips": flips}
        _explain(opened, paths, out, echo=True, **options)


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write.")] = (
        Path("demo")
    ),
    overwrite: OVERWRITE = False,
) -> None:
    """Simulate radiographs of fillets, train on them, score, and draw maps: a few minutes.

    The training starts from the weights that come with the package.
    """
    with explain_errors():
        from mscam_tf.config import TrainConfig
        from mscam_tf.data.manifest import read_manifest
        from mscam_tf.data.simulation import Plan, SimulationConfig, write_radiographs
        from mscam_tf.files import write_whole_folder
        from mscam_tf.gallery import check_explanations_free
        from mscam_tf.runs import RunError, check_free

        check_free(out / "run", overwrite)
        check_explanations_free(out / "maps", overwrite)
        data = out / "simulated_radiographs"
        if data.exists() and not overwrite:
            raise RunError(f"{data} exists; choose another folder, or add --overwrite.")
        patch = SimulationConfig(image_size=(128, 128), difficulty=0.3)
        with write_whole_folder(data) as partial:
            write_radiographs(partial, Plan(_DEMO_IMAGES, patch))
        config = TrainConfig(epochs=_DEMO_EPOCHS, patience=_DEMO_EPOCHS)
        run = _train(data, out / "run", config, overwrite=overwrite)
        _evaluate(run, data, "test", run.folder)
        test = read_manifest(run.split_file).select("test")
        paths = [data / sample.path for sample in test.samples[::2]]
        _explain(run, paths, out / "maps", overwrite=overwrite)


_DEMO_IMAGES, _DEMO_EPOCHS = 200, 5


def _train(data: Path, out: Path, config: "TrainConfig", **options: bool) -> "Run":
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
    CONSOLE.print(f"Trained {run.folder / 'model.keras'}", highlight=False)
    return run


def _note_skipped(path: Path) -> None:
    if path.exists():
        CONSOLE.print(f"Some images were left out: {path}", highlight=False)


def _evaluate(run: "Run", data: Path, split: str, out: Path, *, skip_bad: bool = False) -> None:
    from mscam_tf.evaluation import evaluate as evaluate_run
    from mscam_tf.evaluation import select_samples
    from mscam_tf.plots import plot_confusion_matrix, save_figure

    samples = select_samples(run, read_data(data), split)
    with CONSOLE.status(f"scoring {len(samples.samples)} images"):
        scores = evaluate_run(run, samples, out, split=split, skip_bad=skip_bad)
    if scores.confusion.ndim == 2:
        figure = plot_confusion_matrix(scores.confusion, scores.class_names)
        save_figure(figure, out / "confusion.png")
    _print_scores(scores, split)
    CONSOLE.print(f"Wrote {out / 'metrics.json'}", highlight=False)


def _explain(
    run: "Run", paths: list[Path], out: Path, *, echo: bool = False, **options: bool
) -> None:
    from mscam_tf.explanation import Explanation
    from mscam_tf.gallery import write_explanations

    with make_progress() as progress:
        task = progress.add_task("explaining", total=len(paths))

        def show(explanation: Explanation) -> None:
            progress.advance(task)
            if echo:
                line = f"{explanation.path.name}: {explanation.describe()}"
                progress.console.print(line, highlight=False)

        write_explanations(run, paths, out, show, **options)
    CONSOLE.print(f"Wrote {out / 'sheet.png'} and more", highlight=False)


def _print_scores(scores: "Scores", split: str) -> None:
    table = Table(title=f"{scores.num_images} images ({split})")
    for column in ("metric", "value", "95 % interval"):
        table.add_column(column)
    for name, values in scores.metrics.items():
        low, value, high = (f"{values[key]:.3f}" for key in ("low", "value", "high"))
        known = (value, f"{low} to {high}") if value != "nan" else ("-", "-")
        table.add_row(name.replace("_", " ", 1), *known)
    CONSOLE.print(table)
    if scores.metrics["accuracy"]["value"] == 1:
        bound = min(1.0, 3 / scores.num_images)
        CONSOLE.print(f"No error seen: the error rate may still be up to {bound:.1%} (3 / n).")
