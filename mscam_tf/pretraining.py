"""Pretrain on simulated scenes: kinds and sizes from the image, and places from the masks."""

import csv
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from sklearn.metrics import average_precision_score, roc_auc_score

from mscam_tf.calibration import pool_softly
from mscam_tf.cam import build_explainer
from mscam_tf.data.simulation.scenes import TARGETS
from mscam_tf.data.simulation.stream import SceneBatch, simulate_batch, stream_batches
from mscam_tf.files import write_json, write_whole
from mscam_tf.fitting import NOT_DECAYED
from mscam_tf.layers import RelevanceCombine
from mscam_tf.models import build_multiscale_classifier
from mscam_tf.pretrained import write_pretrained
from mscam_tf.runs import check_settings
from mscam_tf.supervision import (
    MapCalibration,
    make_map_targets,
    name_maps,
    weighted_cross_entropy,
)

_PROBE_SEED, _PROBE_BATCHES = 10**6, 8  # Scenes that no training seed reaches.
_CALIBRATION_SCENES = 2000
_WARM_UP = 100  # Steps.
_FALL = 0.2  # Share of the steps, at the end, over which the rate falls.
_CONFIG, _HISTORY = "config.json", "history.csv"
_STATE, _BEFORE_FALL = "state.weights.h5", "before_fall.weights.h5"


@dataclass(frozen=True)
class PretrainConfig:
    """Settings of a pretraining.

    Attributes:
        steps: Steps in all, a multiple of `save_every`. The rate is constant after a short warm-up
            and falls over the last fifth: a pretraining is extended from before its fall.
        backbone: A name in `keras.applications`.
        image_size: `(height, width)`, multiples of 32 pixels.
        batch_size: Scenes a step.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW; not applied to biases, norms and the relevance.
        map_weight: Weight of the loss on the maps; 0 trains with image labels alone.
        seed: Seed of initial weights and scenes.
        save_every: Steps between checkpoints.
    """

    steps: int = 2400
    backbone: str = "DenseNet121"
    image_size: tuple[int, int] = (128, 128)
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    map_weight: float = 1.0
    seed: int = 0
    save_every: int = 100

    def __post_init__(self) -> None:
        if any(side % 32 or side < 32 for side in self.image_size):
            raise ValueError(
                "`image_size` must be multiples of 32 pixels. "
                f"Received: image_size={self.image_size}"
            )
        for name in ("steps", "batch_size", "learning_rate", "save_every"):
            if getattr(self, name) <= 0:
                raise ValueError(
                    f"`{name}` must be positive. Received: {name}={getattr(self, name)}"
                )
        if self.steps % self.save_every:
            raise ValueError(
                "`steps` must be a multiple of `save_every`. "
                f"Received: steps={self.steps}, save_every={self.save_every}"
            )
        if self.map_weight < 0:
            raise ValueError(
                f"`map_weight` must not be negative. Received: map_weight={self.map_weight}"
            )

    @property
    def constant_steps(self) -> int:
        """Steps until the learning rate falls."""
        return self.steps - round(_FALL * self.steps)


def pretrain(
    folder: str | Path,
    config: PretrainConfig | None = None,
    *,
    processes: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    r"""Pretrain the multi-scale classifier on endless simulated scenes.

    The loss is the binary cross entropy of the image's targets, plus `map_weight` times that of
    each scale's map, and of their sum, against the objects' masks: `sigmoid(g M_b^c + o)` against
    the root of the share of each cell that the objects cover, with a gain `g` and an offset `o`
    for each map that are learned and then dropped. Since a map is linear in the features of its
    place, this teaches features to speak about the place that they are at. While it trains, a logit
    is the mean of its map; in the end the maps are pooled softly (`mscam_tf.SoftPool`), which tells
    more, and the biases are fitted anew to scenes of their own.

    The folder holds `config.json`, the checkpoint, `history.csv` with a probe on fixed scenes
    every `save_every` steps, and at the end `model.keras` and, in float16, `weights.npz` with its
    description in `weights.json`. A run that was stopped goes on from its
    last checkpoint with the very scenes that it would have seen. One that is finished goes on, with
    more `steps`, from the last checkpoint before its learning rate fell.

    Args:
        folder: Where to write; an unfinished pretraining in it goes on.
        config: Settings; `PretrainConfig()` by default.
        processes: Processes that simulate while the model trains; 0 for none. With some, a script
            needs the usual `if __name__ == "__main__"`.
        callbacks: More Keras callbacks.

    Returns:
        The classifier, with `mscam_tf.data.simulation.scenes.TARGETS` as classes.

    Raises:
        ValueError: If the folder holds something else, or a pretraining with other settings or
            more steps; or if the training diverges.
    """
    folder, config = Path(folder), config or PretrainConfig()
    resumes = _check_folder(folder, config)
    keras.utils.set_random_seed(config.seed)
    classifier, trainer = build_pretraining_models(config)
    if resumes:
        trainer.load_weights(folder / _STATE)
    step = int(trainer.optimizer.iterations)
    if resumes:
        _keep_before_fall(folder, config, step)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / _CONFIG, asdict(config))
    _drop_rows(folder / _HISTORY, step)
    keeper = _Keeper(folder, config, classifier)
    batches = stream_batches(
        config.image_size, config.batch_size, keeper.stride, config.seed, step, processes
    )
    trainer.fit(
        _feed(batches, config),
        initial_epoch=step // config.save_every,
        epochs=config.steps // config.save_every,
        steps_per_epoch=config.save_every,
        shuffle=False,  # The scenes come in no order.
        verbose=0,
        callbacks=[keras.callbacks.TerminateOnNaN(), keeper, *callbacks],
    )
    steps = int(trainer.optimizer.iterations)
    scenes = simulate_batch(
        config.image_size, _CALIBRATION_SCENES, keeper.stride, _PROBE_SEED, 1000
    )
    classifier = pool_softly(classifier, scenes.images, scenes.targets, config.backbone)
    with write_whole(folder / "model.keras") as partial:
        classifier.save(partial)
    recipe = {**asdict(config), "steps": steps, "pooling": "soft"}
    write_pretrained(classifier, folder / "weights.npz", TARGETS, recipe)
    return classifier


def build_pretraining_models(config: PretrainConfig) -> tuple[keras.Model, keras.Model]:
    """Build the classifier, and the compiled model that trains it together with its maps."""
    # Softmax: convex by construction, since the trainer does not pass through the layer's loss.
    relevance = RelevanceCombine("softmax", name="relevance")
    classifier = build_multiscale_classifier(
        len(TARGETS),
        config.image_size,
        backbone=config.backbone,
        relevance=relevance,
    )
    explainer = build_explainer(classifier, "native", scale_maps=True, activation="sigmoid")
    outputs = {"logits": explainer.output["logits"]}
    if config.map_weight:
        for name in name_maps():
            outputs[name] = MapCalibration(name=f"{name}_calibration")(explainer.output[name])
    trainer = keras.Model(explainer.input, outputs)
    _compile(trainer, config)
    return classifier, trainer


def _feed(
    batches: Iterator[SceneBatch], config: PretrainConfig
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    for batch in batches:
        targets = {"logits": batch.targets}
        if config.map_weight:
            targets |= make_map_targets(batch.coverage)
        yield batch.images, targets


def _compile(trainer: keras.Model, config: PretrainConfig) -> None:
    optimizer = keras.optimizers.AdamW(_Schedule(config), weight_decay=config.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    optimizer.build(trainer.trainable_variables)  # In the first step it would be traced twice.
    losses: dict[str, Any] = {"logits": keras.losses.BinaryCrossentropy(from_logits=True)}
    weights = {"logits": 1.0}
    if config.map_weight:
        losses |= dict.fromkeys(name_maps(), weighted_cross_entropy)
        weights |= dict.fromkeys(name_maps(), config.map_weight)
    trainer.compile(optimizer, losses, loss_weights=weights, jit_compile=False)


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Warm up, stay, and fall to zero as a cosine over the last fifth."""

    def __init__(self, config: PretrainConfig) -> None:
        self.peak, self.steps = config.learning_rate, config.steps
        self.fall = max(1, config.steps - config.constant_steps)

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        warm = ops.minimum((step + 1) / _WARM_UP, 1.0)
        left = ops.clip((self.steps - step) / self.fall, 0.0, 1.0)
        return self.peak * warm * 0.5 * (1 - ops.cos(np.pi * left))


class _Keeper(keras.callbacks.Callback):
    """After each epoch: probe the classifier on fixed scenes, and keep the state."""

    def __init__(self, folder: Path, config: PretrainConfig, classifier: keras.Model) -> None:
        super().__init__()
        self.folder, self.config = folder, config
        self.explainer = build_explainer(classifier, "native", activation="sigmoid")
        self.stride = config.image_size[0] // self.explainer.output["maps"].shape[1]
        self.scenes = [
            simulate_batch(config.image_size, 32, self.stride, _PROBE_SEED, number)
            for number in range(_PROBE_BATCHES)
        ]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        if not np.isfinite(logs["loss"]):
            raise ValueError(
                "The pretraining diverged; its last checkpoint is kept. Lower the learning rate. "
                f"Received: a loss of {logs['loss']}"
            )
        step = int(self.model.optimizer.iterations)
        logs |= {"step": step, **probe(self.explainer, self.scenes)}
        with write_whole(self.folder / _STATE) as partial:
            self.model.save_weights(partial)
        _keep_before_fall(self.folder, self.config, step)
        _append_row(self.folder / _HISTORY, logs)


def _append_row(path: Path, row: Mapping[str, float]) -> None:
    row = {"step": row["step"], **row}  # First of all.
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.6g}" for name, value in row.items()})


def probe(explainer: keras.Model, scenes: Sequence[SceneBatch]) -> dict[str, float]:
    """Score an explainer with native maps: AUROC of each target, average precision of bone cells.

    Args:
        explainer: From `build_explainer(classifier, "native")`.
        scenes: Batches of scenes.

    Returns:
        `auroc_TARGET` for each target that occurs, and `ap_bone` with its `prevalence_bone`.
    """
    outputs = [explainer.predict_on_batch(batch.images) for batch in scenes]
    logits = np.concatenate([output["logits"] for output in outputs])
    maps = np.concatenate([output["maps"][..., 0] for output in outputs])
    targets = np.concatenate([batch.targets for batch in scenes])
    cells = np.concatenate([batch.coverage[..., 0] for batch in scenes]) > 0.1
    scores = {
        f"auroc_{name}": float(roc_auc_score(targets[:, k], logits[:, k]))
        for k, name in enumerate(TARGETS)
        if 0 < targets[:, k].sum() < len(targets)
    }
    with_bone = targets[:, 0] > 0
    precision = average_precision_score(cells[with_bone].ravel(), maps[with_bone].ravel())
    prevalence = float(cells[with_bone].mean())
    return scores | {"ap_bone": float(precision), "prevalence_bone": prevalence}


def _check_folder(folder: Path, config: PretrainConfig) -> bool:
    """Return whether the folder has a checkpoint to go on from; these settings must be its own."""
    known = check_settings(folder / _CONFIG, asdict(config), free=("steps",))
    if known is None:
        return False
    if config.steps < known["steps"]:
        raise ValueError(
            f"{folder} holds a pretraining of {known['steps']} steps: give as many or more, or "
            f"another folder. Received: steps={config.steps}"
        )
    if config.steps > known["steps"] and (folder / _BEFORE_FALL).exists():
        (folder / _BEFORE_FALL).replace(folder / _STATE)
    return (folder / _STATE).exists()


def _keep_before_fall(folder: Path, config: PretrainConfig, step: int) -> None:
    """Keep a copy of the last checkpoint before the rate falls, to extend the pretraining from."""
    if step <= config.constant_steps < step + config.save_every:
        with write_whole(folder / _BEFORE_FALL) as partial:
            shutil.copyfile(folder / _STATE, partial)


def _drop_rows(path: Path, step: int) -> None:
    """Drop what is told of steps that are taken once more."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
    path.unlink()
    for row in rows:
        _append_row(path, {name: float(value) for name, value in row.items()})
