"""The command `mscam`: parses, calls, prints. Nothing heavy is imported until it is needed."""

import typer

from mscam_tf.cli import runs
from mscam_tf.cli.simulate import simulate

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

Or `mscam demo`, which makes its own images.
""",
)

for _command in (simulate, runs.train, runs.evaluate, runs.explain, runs.demo):
    app.command()(_command)
