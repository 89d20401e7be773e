"""The model that the settings of a training name; wrong names are refused before long work."""

from dataclasses import replace
from typing import Any

import keras

from mscam_tf.models import (
    RelevanceCombine,
    build_feature_extractor,
    build_multiscale_classifier,
    build_single_scale_classifier,
    find_backbone,
)
from mscam_tf.runs import TrainConfig


def check_names(config: TrainConfig) -> None:
    """Check the backbone, the weights and the taps that the settings of a training name.

    Raises:
        MscamError: If one of them does not exist, or the weights fit another backbone.
        OSError: If the file of the weights is damaged.
    """
    find_backbone(config.backbone)
    config.start.resolve(config.backbone).check(config.backbone)
    if config.taps is not None:  # Layers have names once the graph is built.
        keras.backend.clear_session()  # Some are numbered on from earlier models.
        build_feature_extractor(
            config.backbone, config.taps, image_size=config.image_size or (128, 128)
        )
        keras.backend.clear_session()


def check_config(config: TrainConfig) -> None:
    """Build the model of some settings once, so that what cannot be trained shows before long work.

    Raises:
        ValueError: As the builders do.
        OSError: If a weights file is damaged, or missing.
    """
    check_names(config)
    config = resolve_pooling(config.resolve())
    build_classifier(replace(config, image_size=config.image_size or (128, 128)), 2, config.weights)
    keras.backend.clear_session()


def resolve_pooling(config: TrainConfig) -> TrainConfig:
    """Return the settings with the pooling of the weights that the training starts from."""
    if config.pooling != "auto":
        return config
    pretrained = config.start.read()
    return replace(config, pooling="mean" if pretrained is None else pretrained.pooling)


def build_classifier(config: TrainConfig, num_classes: int, weights: str | None) -> keras.Model:
    """Build the classifier of some settings; the backbone starts from these weights."""
    common: dict[str, Any] = {
        "backbone": config.backbone,
        "weights": weights,
        "dropout": config.dropout,
        "pooling": config.pooling,
    }
    if config.model == "single":
        tap = config.taps[-1] if config.taps else None
        return build_single_scale_classifier(num_classes, config.image_size, tap=tap, **common)
    relevance = RelevanceCombine(
        config.normalization, config.penalty, config.penalty_weight, name="relevance"
    )
    return build_multiscale_classifier(
        num_classes,
        config.image_size,
        taps=config.taps,
        unit_norm_heads=config.unit_norm_heads,
        relevance=relevance,
        **common,
    )
