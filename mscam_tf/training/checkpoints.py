"""What is kept of a training after each epoch: the best weights, and all that it takes to go on."""

import io
import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from mscam_tf.errors import RunError
from mscam_tf.files import write_json, write_whole
from mscam_tf.outputs import check_readable, read_json
from mscam_tf.runs import RUN_FOLDER
from mscam_tf.training.divergence import DivergedError, find_no_numbers
from mscam_tf.training.history import HISTORY, add_row
from mscam_tf.training.optimization import average_weights

BEST = Path("checkpoints") / "best.weights.h5"
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        epoch: Epochs that are done.
        best: Lowest validation loss.
        lowest: The lowest since the last time that the optimizer began anew.
        waited: Epochs since then.
        stopped: Whether it waited long enough, and is at its end.
    """

    epoch: int = 0
    best: float = math.inf
    lowest: float = math.inf
    waited: int = 0
    stopped: bool = False

    def add(self, loss: float, patience: int | None) -> "Progress":
        """Return the progress after one more epoch with this validation loss.

        Examples:
            >>> Progress().add(0.5, patience=1).add(0.7, patience=1)
            Progress(epoch=2, best=0.5, lowest=0.5, waited=1, stopped=True)
        """
        waited = 0 if loss < self.lowest else self.waited + 1
        stopped = patience is not None and waited >= patience
        lowest = min(self.lowest, loss)
        return Progress(self.epoch + 1, min(self.best, loss), lowest, waited, stopped)


class Keeper(keras.callbacks.Callback):
    """After each epoch: note its numbers, keep the best weights and the state, or stop.

    It comes after `average_weights`, whose averages it keeps.

    Args:
        folder: The run folder.
        progress: What was done before.
        patience: Epochs without a lower validation loss after which the training ends.
        classifier: Whose weights are kept; by default of the model that is trained. One that has
            layers for the training alone has more.
    """

    def __init__(
        self,
        folder: Path,
        progress: Progress,
        patience: int | None = None,
        classifier: keras.Model | None = None,
    ) -> None:
        super().__init__()
        self.folder, self.classifier = folder, classifier
        self.progress, self.patience = progress, patience

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the row of the history, the weights if they are better, and the state."""
        logs = logs or {}
        add_row(self.folder / HISTORY, {"epoch": epoch, **{n: logs[n] for n in sorted(logs)}})
        self._check_numbers(epoch, logs)
        better = logs["val_loss"] < self.progress.best
        if better:
            write_weights(self.classifier or self.model, self.folder / BEST)
        self.progress = self.progress.add(float(logs["val_loss"]), self.patience)
        save_state(self.model, self.folder, self.progress)
        if self.progress.stopped:
            self.model.stop_training = True

    def _check_numbers(self, epoch: int, logs: dict[str, Any]) -> None:
        losses = {name: float(logs[name]) for name in ("loss", "val_loss") if name in logs}
        what = find_no_numbers(self.model, losses.values())
        kept = f"; the best weights are kept in {self.folder / BEST}" if self.progress.epoch else ""
        if what:
            raise DivergedError(f" in epoch {epoch + 1}: its {what}{kept}", losses)


def save_state(model: keras.Model, folder: Path, progress: Progress) -> None:
    """Keep all variables of a compiled model, its optimizer's too, the history, and how far it is.

    The former state is removed once the new one is whole.
    """
    path = _name_state(folder, progress)
    arrays = {name: keras.ops.convert_to_numpy(v) for name, v in _list_variables(model).items()}
    history = folder / HISTORY
    rows = history.read_bytes() if history.exists() else b""
    arrays["history"] = np.frombuffer(rows, np.uint8)
    with write_whole(path) as partial:
        np.savez(partial, **arrays)
    write_progress(folder, progress)
    _drop_arrays(folder, but=path)


def write_progress(folder: Path, progress: Progress) -> None:
    """Write how far a training is: from now on it can be gone on with."""
    write_json(folder / RUN_FOLDER.state, asdict(progress))


def restore_state(model: keras.Model, folder: Path, progress: Progress, *, anew: bool) -> None:
    """Bring a compiled model back to where it was after an epoch.

    Args:
        model: The model, as it was when the state was saved.
        folder: The run folder.
        progress: How far the training is.
        anew: Whether only the weights are taken: the averaged ones, from which another optimizer
            begins.

    Raises:
        RunError: If the state cannot be read, or is one of another model.
    """
    if not model.optimizer.built:  # That of half precision, around the one that is.
        model.optimizer.build(model.trainable_variables)
    with _open_state(folder, progress) as arrays:
        for name, variable in _list_variables(model, optimizer=not anew).items():
            variable.assign(arrays[name])
    if not anew:
        # The averages were in the place of the weights, and these in theirs: Keras' swap.
        swap = average_weights()
        swap.set_model(model)
        swap.on_test_begin()


def restore_history(folder: Path, progress: Progress) -> None:
    """Bring the history back to what it was after an epoch, whatever became of the file.

    Raises:
        RunError: If the state cannot be read.
    """
    with _open_state(folder, progress) as arrays:
        rows = arrays["history"].tobytes()
    with write_whole(folder / HISTORY) as partial:
        partial.write_bytes(rows)


def read_progress(folder: Path) -> Progress:
    """Return how far the training in a folder is; nothing done where there is no state."""
    path = folder / RUN_FOLDER.state
    if not path.exists():
        return Progress()
    values = read_json(path)
    kinds = {field.name: field.type for field in fields(Progress)}
    if not isinstance(values, dict) or {n: type(v) for n, v in values.items()} != kinds:
        raise RunError(f"{path} was not written by this version of mscam-tf. Received: {values}")
    return Progress(**values)


def drop_state(folder: Path) -> None:
    """Remove the state of a training that is finished."""
    (folder / RUN_FOLDER.state).unlink(missing_ok=True)
    _drop_arrays(folder)


@contextmanager
def say_where_it_lies(folder: Path) -> Iterator[None]:
    """If the block is stopped, say how much is kept and how to go on with it."""
    try:
        yield
    except DivergedError:
        raise
    except BaseException:
        progress = read_progress(folder)
        if progress.epoch or progress.stopped:
            _LOGGER.warning(
                "The training was stopped. What was done until %s is kept in %s; --resume "
                "(resume=True) goes on with it.",
                f"the end of epoch {progress.epoch}" if progress.epoch else "the heads were fitted",
                folder,
            )
        raise


def write_weights(model: keras.Model, path: Path) -> None:
    """Write the weights of a model as a `.weights.h5` file, whole or not at all.

    They are put together in memory: HDF5 ends the whole process some time after it met a full disk.
    """
    memory = _Memory()
    model.save_weights(memory)
    with write_whole(path) as partial:
        partial.write_bytes(memory.getbuffer())


def read_weights(model: keras.Model, path: Path) -> None:
    """Load weights that `write_weights` wrote.

    Raises:
        RunError: If the file cannot be read, or holds those of another model.
    """
    check_readable(path)
    try:
        model.load_weights(path)
    except (KeyError, OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read; begin anew with --overwrite: {error}") from error


class _Memory(io.BytesIO):
    def __str__(self) -> str:
        return "memory.weights.h5"  # Keras looks at the ending.


def _list_variables(model: keras.Model, *, optimizer: bool = True) -> dict[str, Any]:
    """List the variables: seeds of dropout, which Keras' files lack, are among those of a model."""
    kinds = {"model": model.variables}
    if optimizer:
        kinds["optimizer"] = model.optimizer.variables
    return {f"{kind}{i}": v for kind, some in kinds.items() for i, v in enumerate(some)}


@contextmanager
def _open_state(folder: Path, progress: Progress) -> Iterator[Mapping[str, np.ndarray]]:
    path = _name_state(folder, progress)
    check_readable(path)
    try:
        # Opened here: NumPy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except (BadZipFile, EOFError, KeyError, OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read; begin anew with --overwrite: {error}") from error


def _drop_arrays(folder: Path, but: Path | None = None) -> None:
    for path in (folder / RUN_FOLDER.state).parent.glob("epoch*.npz"):
        if path != but:
            path.unlink()


def _name_state(folder: Path, progress: Progress) -> Path:
    return (folder / RUN_FOLDER.state).with_name(f"epoch{progress.epoch}.npz")
