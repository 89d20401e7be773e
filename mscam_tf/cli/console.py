"""What the commands share: arguments, progress bars, and errors in one message."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

CONSOLE = Console()

DATA = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Folder with one folder per class, or a CSV file with the columns "
        "path,label[,group][,split], or tfds:NAME of a data set of TensorFlow Datasets.",
        show_default=False,
    ),
]
OVERWRITE = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


def make_progress() -> Progress:
    """Make the progress display of all long work."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=CONSOLE,
    )


@contextmanager
def explain_errors() -> Iterator[None]:
    """Turn the errors a user can mend into one message and exit status 1."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        with _hide_notices():
            import tensorflow as tf

            tf.config.list_physical_devices()
            tf.get_logger().setLevel(logging.ERROR)  # Retracing is no matter of the user's.
        yield
    except (ValueError, OSError) as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(1) from None


@contextmanager
def _hide_notices() -> Iterator[None]:
    """Keep TensorFlow's notices while it loads from the user; TF_CPP_MIN_LOG_LEVEL=0 shows them.

    It writes them to the file descriptor, before any log level takes effect.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") == "0":
        yield
        return
    standard_error = os.dup(2)
    with Path(os.devnull).open("w") as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
