"""Trials of Table 1: each a training and its scores, kept in a folder and never done twice."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from mscam_tf.data.labelling import label_binary
from mscam_tf.data.manifests import NO_OBJECT, Manifest, ManifestError, split_manifest
from mscam_tf.evaluation import evaluate
from mscam_tf.experiments.scores import Key, add_scores, list_done
from mscam_tf.models import parse_weights
from mscam_tf.names import show_place
from mscam_tf.runs import Run, TrainConfig, open_run
from mscam_tf.training import find_begun, train

TRIALS = "trials"
_BINARY = (NO_OBJECT, "bone")
_SCRATCH_EPOCHS = 3  # From scratch a training takes so many times as many epochs.


@dataclass(frozen=True)
class Model:
    """A row of Table 1.

    Attributes:
        name: Letter of the row.
        title: What it is, in words.
        model: `"single"` or `"multiscale"`.
        binary: Whether it learns two classes instead of all.
        accuracy: What the paper has.
    """

    name: str
    title: str
    model: str
    binary: bool
    accuracy: float


MODELS = (
    Model("a", "single-scale, two classes", "single", True, 0.790),
    Model("b", "single-scale, four classes", "single", False, 0.838),
    Model("c", "multi-scale, four classes", "multiscale", False, 0.867),
)


@dataclass(frozen=True)
class Trial:
    """One training: a row of the table, initial weights, and a seed of split and training."""

    model: Model
    weights: str
    seed: int

    @property
    def start(self) -> str:
        """Name of the initial weights; that of a file holds its hash."""
        return parse_weights(self.weights).name

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.start, self.model.name, self.seed

    def locate(self, folder: Path) -> Path:
        """Return the trial's run folder, `trials/START/MODEL/seedN`."""
        start, name, seed = self.key
        return folder / TRIALS / start / name / f"seed{seed}"


def list_trials(weights: Sequence[str], seeds: int) -> list[Trial]:
    """List the trials seed by seed, so that a table can be made of those that are there."""
    return [
        Trial(model, start, seed) for start in weights for seed in range(seeds) for model in MODELS
    ]


def run_trials(
    folder: Path,
    data: Manifest,
    fresh: Manifest | None,
    trials: Sequence[Trial],
    config: TrainConfig,
    callbacks: Callable[[Trial], Sequence[keras.callbacks.Callback]] = lambda trial: (),  # noqa: ARG005
) -> Iterator[Trial]:
    """Train and score what has not been yet; a training that was stopped goes on.

    All three models of a seed get the same split. What `scores.csv` lists is done; the predictions
    are in `test/` and `fresh/` of the run.

    Args:
        folder: Where the trials are kept.
        data: All images, with all classes; one of them is `none`.
        fresh: More images to score every model on, from the same source.
        trials: From `list_trials`.
        config: Settings of the trainings but for model, weights and seed; `epochs` from
            pretrained weights, and three times as many from scratch.
        callbacks: Makes more Keras callbacks for the training of a trial.

    Returns:
        An iterator that gives each trial once it is done, or was found done.
    """
    for trial in trials:
        if trial.key not in list_done(folder):
            _run_trial(trial, folder, data, fresh, config, callbacks(trial))
            keras.backend.clear_session()  # Dozens of models would fill the memory.
        yield trial


def check_classes(data: Manifest) -> None:
    """Refuse data on which the three models would not differ.

    Raises:
        ManifestError: If there is no class `none`, or fewer than two others.
    """
    if NO_OBJECT not in data.class_names or len(data.class_names) < 3:
        raise ManifestError(
            f"The experiment needs the class {NO_OBJECT!r} and two others at least. "
            f"Received: {show_place(data.root)} with {data.class_names}"
        )


def configure(trial: Trial, config: TrainConfig) -> TrainConfig:
    """Return the settings of a trial's training."""
    scratch, single = parse_weights(trial.weights).kind == "none", trial.model.model == "single"
    return replace(
        config,
        model=trial.model.model,
        deep_supervision=0.0 if single else config.deep_supervision,
        weights=trial.weights,
        epochs=config.epochs * (_SCRATCH_EPOCHS if scratch else 1),
        seed=trial.seed,
    )


def _run_trial(
    trial: Trial,
    folder: Path,
    data: Manifest,
    fresh: Manifest | None,
    config: TrainConfig,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    place = trial.locate(folder)
    manifest = _label(trial, split_manifest(data, trial.seed))
    run = _train(trial, place, manifest, config, callbacks)
    shutil.rmtree(place / "checkpoints", ignore_errors=True)  # As large as the model itself.
    scored: dict[str, Any] = {"test": manifest.select("test"), "fresh": fresh}
    for part, images in scored.items():
        if images is not None and not (place / part / "metrics.json").exists():
            images = images if part == "test" else _label(trial, images)
            evaluate(run, images, place / part, split=part, resamples=0)
    add_scores(folder, trial.key, place, run.versions)


def _train(
    trial: Trial,
    place: Path,
    manifest: Manifest,
    config: TrainConfig,
    callbacks: Sequence[keras.callbacks.Callback],
) -> Run:
    if (place / "display.json").exists():  # Which is written last.
        return open_run(place)
    if find_begun(place) is not None:
        return train(manifest, place, resume=True, callbacks=callbacks)
    shutil.rmtree(place, ignore_errors=True)
    return train(manifest, place, configure(trial, config), callbacks=callbacks)


def _label(trial: Trial, manifest: Manifest) -> Manifest:
    return label_binary(manifest, _BINARY) if trial.model.binary else manifest
