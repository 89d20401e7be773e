"""Share the steps of a training among devices: of one machine, or of several.

Every process runs the same training, each on its part of every batch; the first alone writes.
"""

import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mscam_tf.errors import MscamError, RunError
from mscam_tf.folders import find_unfinished
from mscam_tf.runs import RUN_FOLDER

_LOST = re.compile("Gloo|NCCL|coordination service")  # Who tells JAX of the other processes.


@dataclass(frozen=True)
class Team:
    """The devices that share the steps of a training, and the processes that hold them.

    Attributes:
        devices: How many devices there are, of all processes.
        processes: How many processes there are.
        process: The number of this one, from 0.
    """

    devices: int = 1
    processes: int = 1
    process: int = 0

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.process == 0

    def check(self, batch_size: int, images: int) -> None:
        """Refuse batches that cannot be shared.

        Args:
            batch_size: Images in a step, of all devices.
            images: Images to train on.

        Raises:
            MscamError: If the devices cannot have alike many, or there are too few for all.
        """
        if batch_size % self.devices:
            raise MscamError(
                f"`batch_size` must be a multiple of the {self.devices} devices that share a "
                f"batch. Received: batch_size={batch_size}"
            )
        if images < self.devices:
            raise MscamError(
                f"Each of {self.devices} devices needs an image to train on. "
                f"Received: {images} images"
            )

    def scope(self) -> AbstractContextManager[Any]:
        """Let models that are built, and fitted, in the block live on all devices."""
        if self.devices == 1:
            return nullcontext()
        scope: AbstractContextManager[Any]
        scope = keras.distribution.DataParallel(auto_shard_dataset=False).scope()
        return scope

    def share(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """Return the part of this process of each batch; all have alike many rows."""
        if self.processes == 1:
            return dataset

        def take(rows: tf.Tensor) -> tf.Tensor:
            part = tf.shape(rows)[0] // self.processes
            return rows[self.process * part : (self.process + 1) * part]

        return dataset.map(lambda *batch: tf.nest.map_structure(take, batch))

    def copy(self, source: keras.Model, target: keras.Model) -> None:
        """Give a model that lives on all devices the variables of one that lives here.

        Those of the first process: another machine may have come to others, by rounding.
        """
        values = [keras.ops.convert_to_numpy(variable) for variable in source.variables]
        if self.processes > 1:
            from jax.experimental import multihost_utils

            values = multihost_utils.broadcast_one_to_all(values)
        for variable, value in zip(target.variables, values, strict=True):
            variable.assign(value)

    @contextmanager
    def agree(self) -> Iterator[None]:
        """Wait for all processes at the end of the block, and stop all if one stops in it.

        Raises:
            RunError: If another process stopped.
        """
        try:
            yield
        except Exception:
            self._gather(0)
            raise
        going = self._gather(1)
        if not going.all():
            raise RunError(
                "Another process of the training stopped; it says why. "
                f"Received: process={int(going.argmin())}"
            )

    @contextmanager
    def name_loss(self) -> Iterator[None]:
        """Say that another process ended, where JAX says what became of a connection.

        Raises:
            RunError: If so.
        """
        try:
            yield
        except (RuntimeError, ValueError) as error:
            if self.processes == 1 or not _LOST.search(str(error)):
                raise
            raise RunError(
                "Another process of the training ended, or cannot be reached. End what is left of "
                "them, and start all again with --resume (resume=True). "
                f"Received: {str(error).splitlines()[0]}"
            ) from error

    @contextmanager
    def take_turns(self) -> Iterator[None]:
        """Run the block in one process after another: those that look into a folder hold it."""
        for turn in range(self.processes):
            with self.agree():
                if turn == self.process:
                    yield

    def check_same(self, **values: Any) -> None:
        """Refuse processes that would train differently, each of which would wait for the others.

        Raises:
            RunError: If something differs; it is named.
        """
        for name, value in values.items():
            found = self._gather(zlib.crc32(repr(value).encode()))
            if (found != found[0]).any():
                raise RunError(
                    f"All processes must have the same {name}: DATA and RUN must lie where all "
                    "machines see them, and the command be the same. "
                    f"Received: {len(set(found.tolist()))} different ones"
                )

    @contextmanager
    def open(self, folder: Path, *, resume: bool) -> Iterator[Path]:
        """Give the folder itself to the first process, and to others one that nobody keeps.

        Args:
            folder: The run folder.
            resume: Whether the training goes on with what is there, of which all need a copy.
        """
        if self.leads:
            with self.take_turns():
                pass
            yield folder
            return
        with tempfile.TemporaryDirectory(prefix="mscam") as place:
            own = Path(place) / "run"
            with self.take_turns():
                begun = find_unfinished(folder, RUN_FOLDER.state) or folder
                if resume and begun.is_dir():
                    shutil.copytree(begun, own, ignore=shutil.ignore_patterns("tensorboard"))
            yield own

    def _gather(self, value: int) -> np.ndarray:
        """Return what each process says, once all have said it."""
        if self.processes == 1:
            return np.array([value])
        from jax.experimental import multihost_utils

        found: np.ndarray = multihost_utils.process_allgather(np.uint32(value))
        return found


ALONE = Team()
