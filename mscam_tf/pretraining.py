"""Pretrain on simulated scenes: kinds and sizes from the image, and places from the masks."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from sklearn.metrics import average_precision_score, roc_auc_score

from mscam_tf.cam import build_explainer
from mscam_tf.data.simulation.scenes import TARGETS
from mscam_tf.data.simulation.stream import SceneBatch, simulate_batch, stream_batches
from mscam_tf.files import write_json, write_whole
from mscam_tf.fitting import NOT_DECAYED
from mscam_tf.layers import RelevanceCombine
from mscam_tf.models import build_multiscale_classifier
from mscam_tf.pretrained import write_pretrained
from mscam_tf.runs import read_json

_SCALES = 3
_POSITIVE_WEIGHT = 4.0  # Objects cover few cells: each counts as much as four empty ones.
_PROBE_SEED, _PROBE_BATCHES = 10**6, 8  # Scenes that no training seed reaches.
_WARM_UP = 100  # Steps.
_STATE, _STEP = "state.weights.h5", "state.json"


@dataclass(frozen=True)
class PretrainConfig:
    """Settings of a pretraining.

    Attributes:
        steps: Steps in all. The rate is constant after a short warm-up and falls over the last
            fifth, so that a finished pretraining can be extended from its constant part.
        backbone: A name in `keras.applications`.
        image_size: `(height, width)`, multiples of 32 pixels.
        batch_size: Scenes a step.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW; not applied to biases, norms and the relevance.
        map_weight: Weight of the loss on the maps; 0 trains with image labels alone.
        seed: Seed of initial weights and scenes.
        save_every: Steps between checkpoints.
    """

    steps: int = 4000
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
        if self.map_weight < 0:
            raise ValueError(
                f"`map_weight` must not be negative. Received: map_weight={self.map_weight}"
            )


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
    place, this teaches features to speak about the place that they are at.

    The folder holds `config.json`, the checkpoint, `history.csv` with a probe on fixed scenes
    every `save_every` steps, and at the end `model.keras` and, in float16, `weights.npz` with its
    description in `weights.json`. A run that was stopped goes on from its
    last checkpoint with the very scenes that it would have seen.

    Args:
        folder: Where to write; an unfinished pretraining in it goes on.
        config: Settings; `PretrainConfig()` by default.
        processes: Processes that simulate while the model trains; 0 for none.
        callbacks: More Keras callbacks.

    Returns:
        The classifier, with `mscam_tf.data.simulation.scenes.TARGETS` as classes.

    Raises:
        ValueError: If the folder holds a pretraining with other settings.
    """
    folder, config = Path(folder), config or PretrainConfig()
    keras.utils.set_random_seed(config.seed)
    classifier, trainer = build_pretraining_models(config)
    step = _open_folder(folder, config, trainer)
    keeper = _Keeper(folder, config, classifier, step)
    batches = stream_batches(
        config.image_size, config.batch_size, keeper.stride, config.seed, step, processes
    )
    trainer.fit(
        _feed(batches, config),
        initial_epoch=step // config.save_every,
        epochs=-(-config.steps // config.save_every),
        steps_per_epoch=config.save_every,
        shuffle=False,  # The scenes come in no order.
        verbose=0,
        callbacks=[
            keras.callbacks.TerminateOnNaN(),
            keeper,
            *callbacks,
        ],
    )
    with write_whole(folder / "model.keras") as partial:
        classifier.save(partial)
    write_pretrained(classifier, folder / "weights.npz", TARGETS, asdict(config))
    return classifier


def build_pretraining_models(config: PretrainConfig) -> tuple[keras.Model, keras.Model]:
    """Build the classifier, and the compiled model that trains it together with its maps."""
    # Softmax: convex by construction, since the trainer does not pass through the layer's loss.
    relevance = RelevanceCombine("softmax", name="relevance")
    classifier = build_multiscale_classifier(
        len(TARGETS), config.image_size, backbone=config.backbone, relevance=relevance
    )
    explainer = build_explainer(classifier, "native", scale_maps=True, activation="sigmoid")
    outputs = {"logits": explainer.output["logits"]}
    if config.map_weight:
        for name in _name_maps():
            outputs[name] = _Calibration(name=f"{name}_calibration")(explainer.output[name])
    trainer = keras.Model(explainer.input, outputs)
    _compile(trainer, config)
    return classifier, trainer


def make_map_targets(coverage: Any) -> dict[str, np.ndarray]:
    """Return what each map should say: the root of the covered share, on each scale's grid.

    The root lifts small objects, and still tells a cell with an object in it from a cell that is
    only touched.

    Examples:
        >>> import numpy as np
        >>> coverage = np.zeros((1, 4, 4, 1)); coverage[0, 0, 1] = 0.25
        >>> targets = make_map_targets(coverage)
        >>> targets["scale1_maps"][0, 0, 1].item(), targets["scale2_maps"][0, 0, 0].item()
        (0.5, 0.25)
        >>> targets["scale3_maps"].shape
        (1, 1, 1, 1)
    """
    batch, height, width, classes = coverage.shape
    targets = {"maps": np.sqrt(coverage)}
    for scale in range(_SCALES):
        side = 2**scale
        cells = coverage.reshape(batch, height // side, side, width // side, side, classes)
        targets[f"scale{scale + 1}_maps"] = np.sqrt(cells.mean((2, 4)))
    return targets


def _name_maps() -> list[str]:
    return ["maps", *(f"scale{number}_maps" for number in range(1, _SCALES + 1))]


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
    losses: dict[str, Any] = {"logits": keras.losses.BinaryCrossentropy(from_logits=True)}
    weights = {"logits": 1.0}
    if config.map_weight:
        losses |= dict.fromkeys(_name_maps(), _weighted_cross_entropy)
        weights |= dict.fromkeys(_name_maps(), config.map_weight)
    trainer.compile(optimizer, losses, loss_weights=weights, jit_compile=False)


def _weighted_cross_entropy(target: Any, logits: Any) -> Any:
    positive = _POSITIVE_WEIGHT * target * ops.softplus(-logits)
    return ops.mean(positive + (1 - target) * ops.softplus(logits), axis=(1, 2, 3))


@keras.saving.register_keras_serializable("mscam_tf")
class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Warm up, stay, and fall to zero as a cosine over the last fifth."""

    def __init__(self, config: PretrainConfig) -> None:
        self.peak, self.steps = config.learning_rate, config.steps

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        warm = ops.minimum((step + 1) / _WARM_UP, 1.0)
        left = ops.clip((self.steps - step) / (0.2 * self.steps), 0.0, 1.0)
        return self.peak * warm * 0.5 * (1 - ops.cos(np.pi * left))


class _Calibration(keras.layers.Layer):
    """`g M + o` for each class: what a map says in log-odds; needed for training only."""

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        self.gain = self.add_weight(shape=shape, initializer="ones", name="gain")
        self.offset = self.add_weight(
            shape=shape, initializer=keras.initializers.Constant(-3.0), name="offset"
        )

    def call(self, inputs: Any) -> Any:
        return ops.softplus(self.gain) * inputs + self.offset


class _Keeper(keras.callbacks.Callback):
    """After each epoch: probe the classifier on fixed scenes, and keep the state."""

    def __init__(
        self, folder: Path, config: PretrainConfig, classifier: keras.Model, step: int
    ) -> None:
        super().__init__()
        self.folder, self.config, self.step = folder, config, step
        self.explainer = build_explainer(classifier, "native", activation="sigmoid")
        self.stride = config.image_size[0] // self.explainer.output["maps"].shape[1]
        self.scenes = [
            simulate_batch(config.image_size, 32, self.stride, _PROBE_SEED, number)
            for number in range(_PROBE_BATCHES)
        ]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.step += self.config.save_every
        row = {"step": self.step, **(logs or {}), **probe(self.explainer, self.scenes)}
        if logs is not None:
            logs |= row
        _append_row(self.folder / "history.csv", row)
        with write_whole(self.folder / _STATE) as partial:
            self.model.save_weights(partial)
        write_json(self.folder / _STEP, {"step": self.step})


def _append_row(path: Path, row: dict[str, float]) -> None:
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


def _open_folder(folder: Path, config: PretrainConfig, trainer: keras.Model) -> int:
    """Create the folder, or take up the pretraining in it; return the step to go on with."""
    settings = json.loads(json.dumps(asdict(config)))
    path = folder / "config.json"
    known = read_json(path) if path.exists() else settings
    differing = {k: v for k, v in known.items() if settings[k] != v and k != "steps"}
    if differing:
        raise ValueError(
            f"{folder} holds a pretraining with other settings: {differing}. Choose another "
            f"folder. Received: { ({name: settings[name] for name in differing}) }"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, settings)
    if not (folder / _STEP).exists():
        return 0
    trainer.optimizer.build(trainer.trainable_variables)
    trainer.load_weights(folder / _STATE)
    return int(read_json(folder / _STEP)["step"])
