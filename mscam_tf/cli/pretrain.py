"""The command `mscam pretrain`."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from mscam_tf.cli.console import explain_errors, make_progress, say
from mscam_tf.cli.options import add_options, make_settings
from mscam_tf.pretraining import PretrainConfig


@add_options(PretrainConfig)
def pretrain(
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", help="Folder to write; a pretraining that it holds goes on."
        ),
    ],
    processes: Annotated[
        int | None,
        typer.Option(
            min=0, help="Number of processes that simulate; by default half of the processors."
        ),
    ] = None,
    **settings: Any,
) -> None:
    """Pretrain on simulated scenes, for weights that trainings can start from.

    Scenes show bones, dense foreign bodies, wires, voids and cracks in fillets, granular food,
    plates, welds and castings, as many different detectors would show them. The model learns from
    the labels what is in a scene, and from the simulator's masks where its maps should be bright.
    You can stop it at any time: the same command goes on from the last checkpoint.

    It writes config.json, history.csv (with scores on fixed scenes), model.keras and weights.npz.
    The weights that come with the package, `--weights xray`, were made with these defaults.

    Example: `mscam pretrain --out pretrained`, then
    `mscam train DATA --out RUN --weights pretrained/weights.npz`
    """
    with explain_errors():
        from mscam_tf.pretraining import pretrain as pretrain_model

        config = make_settings(PretrainConfig, settings)
        workers = max(1, (os.cpu_count() or 1) // 2) if processes is None else processes
        with make_progress() as progress:
            bar = _make_bar(progress, config.steps)
            pretrain_model(out, config, processes=workers, callbacks=[bar])
        say(f"Wrote {out / 'weights.npz'}")


def _make_bar(progress: Any, steps: int) -> Any:
    """Make a Keras callback that moves a bar with every step and prints each probe."""
    import keras

    task = progress.add_task("pretraining", total=steps)

    def show(epoch: int, logs: Any = None) -> None:  # noqa: ARG001
        progress.update(task, completed=logs["step"])
        shown = ("loss", "auroc_bone", "ap_bone", "prevalence_bone")
        numbers = ", ".join(f"{name} {logs[name]:.3f}" for name in shown if name in logs)
        say(f"step {logs['step']}: {numbers}")

    return keras.callbacks.LambdaCallback(
        on_epoch_end=show,
        on_train_batch_end=lambda batch, logs: progress.advance(task),  # noqa: ARG005
    )
