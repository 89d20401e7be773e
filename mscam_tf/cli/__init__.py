"""The command `mscam`: parses, calls, prints. Nothing heavy is imported until it is needed."""

from collections.abc import Callable
from typing import Annotated

import typer

from mscam_tf.cli.analyze import analyze
from mscam_tf.cli.calibrate import calibrate
from mscam_tf.cli.check import check
from mscam_tf.cli.console import set_up
from mscam_tf.cli.demo import demo
from mscam_tf.cli.evaluate import evaluate
from mscam_tf.cli.explain import explain
from mscam_tf.cli.export import export
from mscam_tf.cli.inspect import inspect
from mscam_tf.cli.locate import locate
from mscam_tf.cli.pod import pod
from mscam_tf.cli.pretrain import pretrain
from mscam_tf.cli.relabel import relabel
from mscam_tf.cli.reproduce import reproduce
from mscam_tf.cli.simulate import simulate
from mscam_tf.cli.sizes import Command
from mscam_tf.cli.split import split
from mscam_tf.cli.tile import tile
from mscam_tf.cli.train import train

app = typer.Typer(
    name="mscam",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""
Train a classifier for radiographs that shows **where** it looked and **at which scale**.

A first session, on a folder with one folder of images per class:

    mscam train DATA --out RUN

    mscam evaluate RUN DATA

    mscam explain RUN DATA/bone --out maps

No images yet? `mscam demo` shows all of it on simulated ones, and `mscam simulate DIR` makes more.

Before training, `mscam check DATA` finds broken files and copies that would leak from training
into the scores. `mscam split`, `mscam relabel` and `mscam tile` prepare data: see their `--help`.
""",
)


@app.callback()
def main(
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", help="Show where in the code an error arose; put it before the command."
        ),
    ] = False,
) -> None:
    """Make ready for any of the commands."""
    set_up(debug=debug)


_COMMANDS: tuple[Callable[..., None], ...] = (
    *(train, evaluate, explain, locate, analyze, calibrate, pod, export, inspect, demo),
    *(check, split, relabel, tile, simulate, pretrain, reproduce),
)
for _command in _COMMANDS:
    app.command(cls=Command)(_command)
