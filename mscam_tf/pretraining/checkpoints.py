"""The folder of a pretraining: its state, and how it is gone on from."""

import csv
import logging
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from mscam_tf.errors import MscamError, RunError
from mscam_tf.files import read_table, write_json, write_table, write_whole
from mscam_tf.models import build_explainer
from mscam_tf.outputs import Kind, claim
from mscam_tf.pretraining.config import PretrainConfig
from mscam_tf.pretraining.probes import PROBE_SEED, probe
from mscam_tf.records import check_settings
from mscam_tf.simulation import simulate_batch
from mscam_tf.training import add_row, find_no_numbers, write_weights

PROBE_BATCHES = 8
_CONFIG, _HISTORY = "config.json", "history.csv"
_STATE, _BEFORE_FALL = "state.weights.h5", "before_fall.weights.h5"
_FOLDER = Kind("a pretraining", _CONFIG, keys=("steps", "map_weight"), continued=True)

_LOGGER = logging.getLogger(__name__)


class Keeper(keras.callbacks.Callback):
    """After each epoch: probe the classifier on fixed scenes, and keep the state."""

    def __init__(
        self,
        folder: Path,
        config: PretrainConfig,
        classifier: keras.Model,
        batches: int = PROBE_BATCHES,
    ) -> None:
        super().__init__()
        self.folder, self.config = folder, config
        self.explainer = build_explainer(classifier, "native", activation="sigmoid")
        self.stride = config.image_size[0] // self.explainer.output["maps"].shape[1]
        self.scenes = [
            simulate_batch(config.image_size, 32, self.stride, PROBE_SEED, number)
            for number in range(batches)
        ]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Probe, and write what is found and the state; refuse what is no number."""
        what = find_no_numbers(self.model, [logs["loss"]])
        if what:
            raise MscamError(
                f"The pretraining diverged: its {what}. Its last checkpoint is kept; begin anew in "
                "another folder with a lower learning rate (--learning-rate). "
                f"Received: a loss of {logs['loss']}"
            )
        step = int(self.model.optimizer.iterations)
        logs |= {"step": step, **probe(self.explainer, self.scenes)}
        row = {"step": step, **logs}  # The step first.
        add_row(self.folder / _HISTORY, {name: f"{row[name]:.6g}" for name in row})
        write_weights(self.model, self.folder / _STATE)
        _keep_before_fall(self.folder, self.config, step)


def check_folder(folder: Path, config: PretrainConfig) -> None:
    """Refuse a folder of something else; go back to before the fall where steps are to be added."""
    claim(folder, _FOLDER)
    known = check_settings(folder / _CONFIG, asdict(config), free=("steps",))
    if known is None:
        return
    if config.steps < known["steps"]:
        raise MscamError(
            f"{folder} holds a pretraining of {known['steps']} steps: give as many or more, or "
            f"another folder. Received: steps={config.steps}"
        )
    if config.steps > known["steps"] and (folder / _BEFORE_FALL).exists():
        (folder / _BEFORE_FALL).replace(folder / _STATE)


def open_folder(folder: Path, config: PretrainConfig, trainer: keras.Model) -> int:
    """Load the last checkpoint, if there is one, and return its step.

    The settings are noted, and rows of the history that came after that step are dropped.
    """
    resumes = (folder / _CONFIG).exists() and (folder / _STATE).exists()
    if resumes:
        _load_state(trainer, folder / _STATE)
    step = int(trainer.optimizer.iterations)
    if resumes:
        _keep_before_fall(folder, config, step)
    write_json(folder / _CONFIG, asdict(config))
    drop_later_rows(folder / _HISTORY, step)
    return step


def drop_later_rows(path: Path, step: int) -> None:
    """Drop what a history tells of steps that are done once more.

    Raises:
        RunError: If it cannot be read.
    """
    if not path.exists():
        if step:
            _LOGGER.warning("There is no %s: what it told until step %d is lost.", path, step)
        return
    try:
        rows = [row for row in read_table(path) if int(row["step"]) <= step]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise RunError(
            f"{path} cannot be read; move it away to go on without its rows. Expected: numbers in "
            f"the column step. Received: {error!r}"
        ) from error
    if rows:
        write_table(path, rows)
    else:
        path.unlink()


def _load_state(trainer: keras.Model, path: Path) -> None:
    try:
        trainer.load_weights(path)
    except (KeyError, OSError, ValueError) as error:
        raise MscamError(f"{path} cannot be read; remove it to begin anew: {error}") from error


def _keep_before_fall(folder: Path, config: PretrainConfig, step: int) -> None:
    """Keep a copy of the last checkpoint before the rate falls, to extend the pretraining from."""
    if step <= config.constant_steps < step + config.save_every:
        with write_whole(folder / _BEFORE_FALL) as partial:
            shutil.copyfile(folder / _STATE, partial)
