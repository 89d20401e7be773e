"""How far a training is."""

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from mscam_tf.errors import RunError
from mscam_tf.files import write_json
from mscam_tf.records import read_json
from mscam_tf.runs import RUN_FOLDER


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


def write_progress(folder: Path, progress: Progress) -> None:
    """Write how far a training is: from now on it can be gone on with."""
    write_json(folder / RUN_FOLDER.state, asdict(progress))


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
