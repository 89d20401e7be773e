"""The command `mscam reproduce`."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import explain_errors, make_epoch_bar, make_progress, read_data, say
from mscam_tf.cli.options import add_options, make_settings, pick
from mscam_tf.experiments import ReproductionConfig

if TYPE_CHECKING:
    from mscam_tf.experiments import Trial


_DEFAULTS = ReproductionConfig()
_TRAINING = ("backbone", "pooling", "deep_supervision", "epochs", "batch_size", "precision")
_SIMULATION = ("image_size", "difficulty")


@add_options(
    _DEFAULTS,
    weights={
        "type": list[str],
        "parser": None,
        "metavar": "START",
        "help": "What the trainings start from: `xray`, `none`, or as for `mscam train`. Give the "
        "option again for more starts.",
    },
)
@add_options(
    _DEFAULTS.training,
    _TRAINING,
    epochs={"help": "Number of epochs of a training; three times as many from scratch."},
)
@add_options(_DEFAULTS.simulation, _SIMULATION)
def reproduce(
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", help="Folder to write; a reproduction that it holds goes on."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Your own images; by default they are simulated."),
    ] = None,
    **settings: Any,
) -> None:
    """Repeat the experiment of Lee and Cho (2021): Table 1, Figure 1 and the failure analysis.

    It trains (a) the single-scale model on two classes, (b) the single-scale model on all classes,
    and (c) the multi-scale model on all classes, on the same splits, for several seeds. This takes
    hours without a GPU. You can stop it at any time: the same command goes on, and repeats no
    training that is finished.

    It writes table1 and differences (CSV, Markdown), scores.csv, figures/, failures/, index.html.
    More seeds and weights, given later, are added to those that are there.

    Example: `mscam reproduce --out reproduction --seeds 10 --weights xray --weights none`
    """
    with explain_errors():
        from mscam_tf.experiments import MODELS, configure
        from mscam_tf.experiments import reproduce as reproduce_all

        config = _configure(settings, simulated=data is None)
        training, images = config.training, config.images + config.fresh
        with make_progress() as progress:
            simulated = progress.add_task("simulating", total=images, visible=data is None)
            count = len(MODELS) * config.seeds * len(config.weights)
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


def _configure(settings: Mapping[str, Any], *, simulated: bool) -> ReproductionConfig:
    training = replace(
        _DEFAULTS.training,
        **pick(settings, _TRAINING),
        patience=3 * settings["epochs"],  # Of models that are compared, none stops before another.
        image_size=settings["image_size"] if simulated else None,
    )
    simulation = replace(_DEFAULTS.simulation, **pick(settings, _SIMULATION))
    return make_settings(ReproductionConfig, settings, training=training, simulation=simulation)
