"""The classifier, and what trains it together with its maps."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.models import (
    RelevanceCombine,
    build_explainer,
    build_multiscale_classifier,
    check_native_maps,
    find_heads,
    go_on_from,
)
from mscam_tf.pretraining.config import PretrainConfig
from mscam_tf.pretraining.supervision import measure_asked
from mscam_tf.simulation import TARGETS
from mscam_tf.training import NOT_DECAYED, MapCalibration, name_maps

_WARM_UP = 100  # Steps.


def build_pretraining_models(config: PretrainConfig) -> tuple[keras.Model, keras.Model]:
    """Build the classifier, and the compiled model that trains it together with its maps."""
    # Softmax: convex by construction, since the trainer does not pass through the layer's loss.
    relevance = RelevanceCombine("softmax", name="relevance")
    classifier = build_multiscale_classifier(
        len(TARGETS),
        config.image_size,
        backbone=config.backbone,
        scales=config.scales,
        views=config.views,
        relevance=relevance,
    )
    if (pretrained := config.weights.read()) is not None:
        go_on_from(classifier, pretrained, config.views)
    explainer = build_explainer(classifier, "native", scale_maps=True, activation="sigmoid")
    check_native_maps(explainer)
    outputs = {"logits": explainer.output["logits"]}
    names = name_maps(len(find_heads(classifier).heads)) if config.map_weight else []
    for name in names:
        outputs[name] = MapCalibration(name=f"{name}_calibration")(explainer.output[name])
    trainer = keras.Model(explainer.input, outputs)
    _compile(trainer, config, names)
    return classifier, trainer


def _compile(trainer: keras.Model, config: PretrainConfig, maps: Sequence[str]) -> None:
    optimizer = keras.optimizers.AdamW(_Schedule(config), weight_decay=config.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    optimizer.build(trainer.trainable_variables)  # In the first step it would be traced twice.
    losses: dict[str, Any] = {"logits": keras.losses.BinaryCrossentropy(from_logits=True)}
    losses |= dict.fromkeys(maps, measure_asked)
    weights = {"logits": 1.0, **dict.fromkeys(maps, config.map_weight)}
    if maps:  # As much as all scales together: left to the labels, the relevance forgets places.
        weights["maps"] *= len(maps) - 1
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
