"""Fit the model of a run: its heads on a frozen backbone first, if they are to, then all of it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mscam_tf.data.manifests import Manifest, sample_classes
from mscam_tf.fused_norms import fuse_norms
from mscam_tf.models import initialize_heads
from mscam_tf.runs import Run, TrainConfig
from mscam_tf.training.building import build_classifier
from mscam_tf.training.callbacks import RelevanceLogger
from mscam_tf.training.checkpoints import (
    BEST,
    Keeper,
    read_weights,
    restore_history,
    restore_state,
)
from mscam_tf.training.deep_supervision import show_heads
from mscam_tf.training.distributing import ALONE, Team
from mscam_tf.training.map_supervision import supervise_maps
from mscam_tf.training.marks import Marks, split_marks
from mscam_tf.training.optimization import average_weights, compile_classifier, make_schedule
from mscam_tf.training.preparation import make_split_dataset
from mscam_tf.training.progress import Progress, read_progress, write_progress
from mscam_tf.training.tuning import say_what_is_kept, tune_heads

_HEAD_LEARNING_RATE = 1e-3  # While only the new heads train, on a frozen backbone.
_HEAD_IMAGES = 512  # Enough to fit heads in the span of the pretrained ones.


@dataclass(frozen=True)
class _Phase:
    """Epochs from `first` to before `last` with one optimizer."""

    first: int
    last: int
    learning_rate: Any
    patience: int | None = None

    @property
    def frozen(self) -> bool:
        """Whether the backbone stays as it is: the heads settle, and nothing is stopped early."""
        return self.patience is None


def fit(
    model: keras.Model,
    run: Run,
    manifest: Manifest,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    marks: Marks | None = None,
    team: Team = ALONE,
) -> None:
    """Fit a model to the images of a run, from the epoch on that the run has come to.

    Args:
        model: What `build_classifier` makes of the settings of the run.
        run: The run, whose folder may hold the state of a training that was stopped.
        manifest: Its images, with splits.
        callbacks: More Keras callbacks.
        marks: Which objects are marked in the images, in their order; `None` to learn from the
            labels alone.
        team: Devices that share the steps.

    Raises:
        RunError: If the training diverges.
    """
    deep = run.config.deep_supervision if run.config.model == "multiscale" else 0.0
    places = {} if marks is None else split_marks(marks, manifest)
    begun = progress = read_progress(run.folder)
    if begun.epoch or begun.stopped:
        read_weights(model, run.folder / BEST)  # The end needs them: no work before they are known.
    if begun.epoch:
        restore_history(run.folder, begun)
    elif not begun.stopped:  # Of no epoch: the heads alone were fitted.
        _start_heads(model, run, manifest.select("train"))
        if run.config.tune != "all":
            fitted = tune_heads(model, run, manifest, deep)
            progress = Progress() if places else fitted  # Its loss is of the labels alone.
    if run.config.tune == "heads":
        write_progress(run.folder, replace(progress, stopped=True))
        return
    with team.scope():
        shared = model if team.devices == 1 else _spread(model, run, team)
        trainer = show_heads(shared) if deep else shared  # The same layers.
        if places:
            objects = places["train"].objects
            trainer = supervise_maps(shared, trainer.output, objects, run.config.map_weight)
        datasets = _feed(run, manifest, begun.epoch, places, team)
        for phase in _list_phases(run.config, len(datasets["x"])):
            if progress.stopped or progress.epoch >= phase.last:
                continue
            with _freeze(shared, phase):
                _compile(trainer, run, phase, deep)
                if begun.epoch and begun.epoch >= phase.first:
                    anew = begun.epoch == phase.first
                    restore_state(trainer, run.folder, begun, anew=anew)
                if progress.epoch == phase.first:
                    progress = replace(progress, lowest=math.inf, waited=0)
                keeper = Keeper(run.folder, progress, phase.patience, shared)
                _fit_phase(trainer, run, phase, keeper, datasets, callbacks)
                progress = keeper.progress
    if run.config.tune == "auto":
        say_what_is_kept(run, progress, comparable=not places)


def _fit_phase(
    trainer: keras.Model,
    run: Run,
    phase: _Phase,
    keeper: Keeper,
    datasets: dict[str, Any],
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    common = [
        average_weights(),
        keras.callbacks.TerminateOnNaN(),
        RelevanceLogger(run.class_names),
        keeper,
        keras.callbacks.TensorBoard(run.folder / "tensorboard", write_graph=False),
    ]
    with fuse_norms(trainer):
        _build_losses(trainer, datasets["validation_data"])
        trainer.fit(
            **datasets,
            shuffle=False,  # The dataset shuffles itself.
            verbose=0,
            epochs=phase.last,
            initial_epoch=keeper.progress.epoch,
            callbacks=[*common, *callbacks],
        )


def _build_losses(trainer: keras.Model, held_out: tf.data.Dataset) -> None:
    """Make the losses and metrics of a model.

    Where there are none yet, Keras on JAX takes a batch of the training for it: of an epoch that
    would be lost, and of random states that the next one would draw from at the same time.
    """
    if keras.backend.backend() == "jax":
        trainer.test_on_batch(*next(held_out.as_numpy_iterator()))
        trainer.reset_metrics()


def _compile(trainer: keras.Model, run: Run, phase: _Phase, deep: float) -> None:
    compile_classifier(
        trainer,
        phase.learning_rate,
        task=run.task,
        deep_supervision=deep,
        weight_decay=run.config.weight_decay,
        jit_compile=run.config.xla,
    )


@contextmanager
def _freeze(model: keras.Model, phase: _Phase) -> Iterator[None]:
    if not phase.frozen:
        yield
        return
    backbone = model.get_layer("backbone")
    backbone.trainable = False
    try:
        yield
    finally:
        backbone.trainable = True


def _spread(model: keras.Model, run: Run, team: Team) -> keras.Model:
    """Build the model once more, on all devices: what was done before was done on one."""
    shared = build_classifier(run.config, len(run.class_names), None)
    team.copy(model, shared)
    return shared


def _feed(
    run: Run, manifest: Manifest, epoch: int, marks: Mapping[str, Marks], team: Team
) -> dict[str, Any]:
    """Make the datasets of a training; what weighs a class weighs it in the validation too."""
    train, validation = manifest.select("train"), manifest.select("validation")
    weights = run.task.weigh_classes(train) if run.config.balance else None
    common: dict[str, Any] = {"divisor": team.devices}
    held_out = make_split_dataset(run, validation, marks=marks.get("validation"), **common)
    if weights is not None or team.devices > 1:
        held_out = _weigh(held_out, run, len(validation.samples), weights, team)
    fed = make_split_dataset(
        run, train, training=True, first_epoch=epoch, marks=marks.get("train"), **common
    )
    return {
        "x": team.share(fed),
        "validation_data": team.share(held_out),
        "class_weight": weights,
    }


def _weigh(
    dataset: tf.data.Dataset, run: Run, size: int, weights: Mapping[int, float] | None, team: Team
) -> tf.data.Dataset:
    """Weigh the images of a validation by their class; those that only fill a batch by nothing.

    A loss is the mean over all, these included: so the others weigh the more.
    """
    fed = size + -size % team.devices
    shares = np.where(np.arange(fed) < size, fed / size, 0).astype(np.float32)
    table = None if weights is None else [weights[index] for index in range(len(weights))]

    def weigh(batch: tuple[Any, tf.Tensor], share: tf.Tensor) -> tuple[Any, tf.Tensor, tf.Tensor]:
        images, labels = batch
        if isinstance(images, dict):
            images = images | {"counts": images["counts"] * share[:, None]}
        of_class = 1.0 if table is None else tf.gather(tf.constant(table, tf.float32), labels)
        return images, labels, of_class * share

    counted = tf.data.Dataset.from_tensor_slices(shares).batch(run.config.batch_size)
    return tf.data.Dataset.zip(dataset, counted).map(weigh)


def _start_heads(model: keras.Model, run: Run, manifest: Manifest) -> None:
    """Fit the heads to some of the training images, of each class alike many."""
    pretrained = run.config.start.read() if run.config.starts_heads else None
    if pretrained is None:
        return
    few = sample_classes(manifest, _HEAD_IMAGES, run.config.seed)
    images = make_split_dataset(run, few).map(lambda images, _: images)
    initialize_heads(model, images, run.task.encode(few), pretrained)


def _list_phases(config: TrainConfig, steps: int) -> Iterator[_Phase]:
    frozen = min(config.frozen_epochs or 0, config.epochs) if config.weights else 0
    if frozen:
        yield _Phase(0, frozen, _HEAD_LEARNING_RATE)
    if config.epochs > frozen:
        rate = make_schedule(config.learning_rate, steps * (config.epochs - frozen))
        yield _Phase(frozen, config.epochs, rate, config.patience)
