"""What is kept of a training after each epoch: the best weights, and all that it takes to go on."""

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from mscam_tf.errors import RunError
from mscam_tf.files import write_whole
from mscam_tf.records import check_readable
from mscam_tf.runs import RUN_FOLDER
from mscam_tf.training.divergence import DivergedError, find_no_numbers
from mscam_tf.training.history import HISTORY, add_row
from mscam_tf.training.optimization import average_weights
from mscam_tf.training.progress import Progress, read_progress, write_progress

BEST = Path("checkpoints") / "best.weights.h5"
_LOGGER = logging.getLogger(__name__)


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
