"""The command `mscam reproduce`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import explain_errors, make_epoch_bar, make_progress, read_data, say

if TYPE_CHECKING:
    from mscam_tf.experiments import Trial


def reproduce(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder; what is unfinished in it goes on.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Your own images; by default they are simulated."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trials of each model.")] = 10,
    weights: Annotated[
        list[str] | None,
        typer.Option(help="Start: xray, none, or as for `mscam train`; may be given repeatedly."),
    ] = None,
    backbone: Annotated[str, typer.Option(help="A name in keras.applications.")] = "DenseNet121",
    pooling: Annotated[
        str, typer.Option(help="Of the maps: mean as in the paper, soft, or auto.")
    ] = "auto",
    deep_supervision: Annotated[
        float, typer.Option(help="Of (c): weight of a loss of each scale's own logits.")
    ] = 0.0,
    epochs: Annotated[int, typer.Option(min=1, help="Three times as many from scratch.")] = 8,
    batch_size: Annotated[int, typer.Option(min=1)] = 16,
    precision: Annotated[
        str, typer.Option(help="float32, mixed_float16 or mixed_bfloat16.")
    ] = "float32",
    images: Annotated[int, typer.Option(min=20, help="Simulated images, split 7:1:2.")] = 371,
    fresh: Annotated[
        int, typer.Option(min=0, help="More of them, on which every model is scored.")
    ] = 2000,
    image_size: Annotated[tuple[int, int], typer.Option(metavar="H W", help="Pixels.")] = (
        256,
        256,
    ),
    difficulty: Annotated[float, typer.Option(help="Divides the bones' contrast.")] = 1.0,
) -> None:
    """Repeat the experiment of Lee and Cho (2021): Table 1, Figure 1 and the failure analysis.

    Trains (a) the single-scale model on two classes, (b) the same on all classes, and (c) the
    multi-scale model on all classes, on the same splits, for several seeds. Takes hours without a
    GPU. Stop it at any time: the same command goes on, and no finished training is repeated.

    Writes table1 and differences (CSV, Markdown), scores.csv, figures/, failures/ and index.html.
    More seeds and starts join those that are there.

    Example: `mscam reproduce --out reproduction --seeds 10 --weights xray --weights none`
    """
    with explain_errors():
        from mscam_tf.experiments import MODELS, ReproductionConfig, configure
        from mscam_tf.experiments import reproduce as reproduce_all
        from mscam_tf.runs import TrainConfig
        from mscam_tf.simulation import SimulationConfig

        training = TrainConfig(
            backbone=backbone,
            pooling=pooling,
            deep_supervision=deep_supervision,
            epochs=epochs,
            patience=3 * epochs,  # Of models that are compared, none stops before another.
            balance=False,  # Of two classes, too, a model expects what the test images have.
            batch_size=batch_size,
            precision=precision,
            image_size=image_size if data is None else None,
        )
        config = ReproductionConfig(
            seeds=seeds,
            weights=tuple(weights or ["xray"]),
            images=images,
            fresh=fresh,
            simulation=SimulationConfig(image_size=image_size, difficulty=difficulty),
            training=training,
        )
        with make_progress() as progress:
            simulated = progress.add_task("simulating", total=images + fresh, visible=data is None)
            count = len(MODELS) * seeds * len(config.weights)
            done = progress.add_task("trials", total=count)

            def show(trial: "Trial") -> None:
                progress.advance(done)
                name = f"{trial.weights}, seed {trial.seed}, ({trial.model.name})"
                say(f"done: {name} {trial.model.title}")

            page = reproduce_all(
                out,
                config,
                None if data is None else read_data(data),
                processes=os.cpu_count() or 1,
                callbacks=lambda trial: [
                    make_epoch_bar(progress, configure(trial, training).epochs, keep=False)
                ],
                on_image=lambda count: progress.advance(simulated, count),
                on_trial=show,
            )
        for name in ("table1.md", "differences.md"):
            text = (out / name).read_text(encoding="utf-8")
            say(text)
        say(f"Wrote {page}")
