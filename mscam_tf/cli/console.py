"""What the commands share: arguments, progress bars, and errors in one message."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from mscam_tf.data.manifests import Manifest

CONSOLE = Console()
_SHOWN = ("loss", "relevance_penalty", "accuracy", "val_loss", "val_accuracy")

DATA = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Folder with one folder per class, or a CSV file with the columns "
        "path,label[,group][,split][,mask], or tfds:NAME of a data set of TensorFlow Datasets.",
        show_default=False,
    ),
]
RUN = Annotated[
    Path, typer.Argument(metavar="RUN", help="Run folder of `mscam train`.", show_default=False)
]
OVERWRITE = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
SKIP_BAD = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out images that cannot be read, and list them.")
]


def read_data(source: Path) -> "Manifest":
    """Read the labelled images of a DATA argument."""
    from mscam_tf.data.manifests import read_manifest
    from mscam_tf.datasets import resolve_source

    return read_manifest(resolve_source(source))


def make_progress() -> Progress:
    """Make the progress display of all long work."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=CONSOLE,
    )


def make_epoch_bar(progress: Progress, epochs: int, *, keep: bool = True) -> Any:
    """Make a Keras callback that moves a bar with every step and prints a line every epoch.

    Where many trainings follow each other, the bar of each goes with it.
    """
    import keras

    state: dict[str, Any] = {}

    def begin(epoch: int, logs: Any = None) -> None:  # noqa: ARG001
        total = callback.params.get("steps") or 1
        if "task" not in state:
            state["task"] = progress.add_task("training", total=epochs * total)
        progress.update(state["task"], description=f"epoch {epoch + 1}/{epochs}")

    def end(epoch: int, logs: Any = None) -> None:
        numbers = ", ".join(f"{name} {logs[name]:.3f}" for name in _SHOWN if name in logs)
        progress.console.print(f"epoch {epoch + 1}/{epochs}: {numbers}", highlight=False)

    def finish(logs: Any = None) -> None:  # noqa: ARG001
        if not keep:
            progress.remove_task(state.pop("task"))

    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=begin,
        on_epoch_end=end,
        on_train_end=finish,
        on_train_batch_end=lambda batch, logs: progress.advance(state["task"]),  # noqa: ARG005
    )
    return callback


@contextmanager
def explain_errors(*, tensorflow: bool = True) -> Iterator[None]:
    """Turn the errors a user can mend into one message and exit status 1.

    Commands that do without TensorFlow answer seconds earlier if it is not loaded.
    """
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        if tensorflow:
            _load_tensorflow()
        yield
    except (ValueError, OSError) as error:
        message = f"[bold red]Error:[/] {escape(str(error))}"
        # No line breaks within paths, which people copy.
        Console(stderr=True).print(message, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _load_tensorflow() -> None:
    with _hide_notices():
        import tensorflow as tf

        tf.config.list_physical_devices()
        tf.get_logger().setLevel(logging.ERROR)  # Retracing is no matter of the user's.


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
