"""The command `mscam pretrain`."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from mscam_tf.cli.console import explain_errors, make_progress, say


def pretrain(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder; what is unfinished in it goes on.")
    ],
    steps: Annotated[
        int,
        typer.Option(min=1, help="In all, a multiple of --save-every; may be raised later."),
    ] = 2400,
    backbone: Annotated[str, typer.Option(help="A name in keras.applications.")] = "DenseNet121",
    image_size: Annotated[
        tuple[int, int], typer.Option(metavar="H W", help="Pixels, multiples of 32.")
    ] = (128, 128),
    batch_size: Annotated[int, typer.Option(min=1)] = 32,
    learning_rate: Annotated[float, typer.Option(help="Constant until the last fifth.")] = 1e-3,
    map_weight: Annotated[
        float, typer.Option(help="Weight of the masks' loss on the maps; 0 for image labels alone.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of initial weights and scenes.")] = 0,
    save_every: Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")] = 100,
    processes: Annotated[
        int | None, typer.Option(min=0, help="That simulate; by default half of the processors.")
    ] = None,
) -> None:
    """Pretrain on endless simulated scenes, by kinds, sizes and places of objects.

    Scenes show bones, dense foreign bodies, wires, voids and cracks in fillets, granular food,
    plates, welds and castings, as many detectors would. The model learns from the image what is
    in it, and from the simulator's masks where its maps should be bright. Stop it at any time:
    the same command goes on from the last checkpoint.

    Writes config.json, history.csv (with scores on fixed scenes), model.keras and weights.npz.
    The weights that come with the package, `--weights xray`, were made so, with these defaults.

    Example: `mscam pretrain --out pretrained`, then
    `mscam train DATA --out RUN --weights pretrained/weights.npz`
    """
    with explain_errors():
        from mscam_tf.pretraining import PretrainConfig
        from mscam_tf.pretraining import pretrain as pretrain_model

        config = PretrainConfig(
            steps=steps,
            backbone=backbone,
            image_size=image_size,
            batch_size=batch_size,
            learning_rate=learning_rate,
            map_weight=map_weight,
            seed=seed,
            save_every=save_every,
        )
        workers = max(1, (os.cpu_count() or 1) // 2) if processes is None else processes
        with make_progress() as progress:
            bar = _make_bar(progress, steps)
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
