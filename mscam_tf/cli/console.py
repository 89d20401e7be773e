"""What the commands share: arguments, progress bars, and errors in one message."""

import io
import logging
import os
import shlex
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from mscam_tf.cli.stopping import stop_by_signals
from mscam_tf.errors import MscamError
from mscam_tf.names import clean
from mscam_tf.notices import hide_notices

if TYPE_CHECKING:
    from mscam_tf.data.manifests import Manifest

CONSOLE = Console(markup=False, highlight=False, emoji=False)  # What is printed is data.
_ERRORS = Console(stderr=True, markup=False, highlight=False, emoji=False)
_STATE = {"debug": False}
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
OUT = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")]
_SPLIT = "Images to take: train, validation or test of the run's split; all for other data."
SPLIT = Annotated[str, typer.Option("--split", metavar="NAME", help=_SPLIT)]
SPLIT_OR_ALL = Annotated[
    str | None,
    typer.Option("--split", metavar="NAME", help=f"{_SPLIT} By default test, and all for `xray`."),
]
GOOD = Annotated[
    str | None,
    typer.Option("--good", metavar="CLASS", help="The class of good images; by default none."),
]
FLIPS = Annotated[
    bool,
    typer.Option(
        "--flips",
        help="Average the maps over the four mirror images of each image. They point at faint "
        "objects more often, and take four times as long.",
    ),
]
OVERWRITE = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace what an earlier run of this command wrote there."),
]
BOXES = Annotated[
    Path | None,
    typer.Option(
        "--boxes",
        metavar="FILE",
        help="Boxes of the objects: a CSV file with the columns path,x_min,y_min,x_max,y_max; a "
        "COCO file (.json); or a folder of YOLO (.txt) or Pascal VOC (.xml) files. By default the "
        "boxes.csv beside the images.",
    ),
]
SKIP_BAD = Annotated[
    bool,
    typer.Option(
        "--skip-bad", help="Leave out images that cannot be read, and list them in a file."
    ),
]


def read_data(source: Path) -> "Manifest":
    """Read the labelled images of a DATA argument."""
    from mscam_tf.data.manifests import read_manifest
    from mscam_tf.datasets import resolve_source

    return read_manifest(resolve_source(source))


def set_up(*, debug: bool) -> None:
    """Make ready for a command: the log, what is printed, and what ends it."""
    _STATE["debug"] = debug
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # A code page lacks most letters.
    stop_by_signals()


def say(text: str, *, error: bool = False) -> None:
    """Print a text as it stands, in one piece: paths, which people copy, are not broken.

    Names of files and classes are data: nothing in them is taken for markup, an emoji, or a
    command to the terminal.
    """
    (_ERRORS if error else CONSOLE).print(clean(text), soft_wrap=True)


def say_next(command: str, *places: Path) -> None:
    """Say the command that comes next, as a shell takes it."""
    # A name that begins with a dash would be taken for an option.
    names = [f"./{place}" if str(place).startswith("-") else str(place) for place in places]
    say(f"Next: {shlex.join(['mscam', command, *names])}")


def make_table(title: str, *columns: str, rows: Iterable[Sequence[str]] = ()) -> Table:
    """Make a table of texts, which are shown as they stand, and whole: two may begin alike."""
    table = Table(*(Column(clean(name), overflow="fold") for name in columns), title=title)
    for row in rows:
        table.add_row(*map(clean, row))
    return table


def make_progress() -> Progress:
    """Make the progress display of all long work."""
    return Progress(
        TextColumn("{task.description}", markup=False),
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
        name = f"epoch {epoch + 1}/{epochs}"  # A training that goes on begins in the middle.
        progress.update(state["task"], description=name, completed=epoch * total)

    def end(epoch: int, logs: Any = None) -> None:
        numbers = ", ".join(f"{name} {logs[name]:.3f}" for name in _SHOWN if name in logs)
        say(f"epoch {epoch + 1}/{epochs}: {numbers}")

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
    """Turn the errors a user can mend into one message and exit status 1; show others as bugs.

    `mscam --debug COMMAND` shows the traceback of all. Commands that do without TensorFlow answer
    seconds earlier if it is not loaded.
    """
    try:
        if tensorflow:
            _load_tensorflow()
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        say("Stopped.", error=True)
        raise typer.Exit(130) from None
    except (MscamError, OSError) as error:
        if _STATE["debug"]:
            traceback.print_exc()
        _ERRORS.print("Error: ", style="bold red", end="")
        say(str(error), error=True)
        raise typer.Exit(1) from None
    except ModuleNotFoundError as error:
        if _STATE["debug"] or str(error.name).startswith("mscam_tf"):
            traceback.print_exc()
        say(f"The Python package {error.name} is not installed, or not whole: {error}", error=True)
        raise typer.Exit(1) from None
    except MemoryError as error:
        if _STATE["debug"]:
            traceback.print_exc()
        more = "Take smaller images, tiles or batches, or fewer workers."
        say(f"Error: The memory is full. {more} {error}".rstrip(), error=True)
        raise typer.Exit(1) from None
    except Exception:
        traceback.print_exc()
        say(
            "This is a fault of mscam itself, not of what you gave it. Please report it, with the "
            "lines above and the command.",
            error=True,
        )
        raise typer.Exit(1) from None


def _load_tensorflow() -> None:
    with hide_notices():
        _load_keras()
        import tensorflow as tf

        tf.config.list_physical_devices()
        tf.get_logger().setLevel(logging.ERROR)  # Retracing is no matter of the user's.


def _load_keras() -> None:
    try:
        import keras  # noqa: F401
    except (ValueError, ModuleNotFoundError) as error:  # It lacks the backend of its settings.
        if getattr(error, "name", None) == "keras":
            raise
        raise MscamError(
            f"Keras cannot start: {error}. Set the variable KERAS_BACKEND to tensorflow. "
            f"Received: KERAS_BACKEND={os.environ.get('KERAS_BACKEND', '')!r}"
        ) from error
