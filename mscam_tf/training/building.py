"""The model that the settings of a training name; wrong names are refused before long work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import keras

from mscam_tf.errors import MscamError
from mscam_tf.models import (
    RelevanceCombine,
    build_feature_extractor,
    build_multiscale_classifier,
    build_single_scale_classifier,
    find_backbone,
)
from mscam_tf.runs import TrainConfig
from mscam_tf.settings import GLOBAL

DEFAULT_SCALES = 3
_ANY_SIZE = (128, 128)


def check_names(config: TrainConfig) -> None:
    """Check what the settings of a training name: backbone, weights, taps, scales and views.

    Raises:
        MscamError: If one of them does not exist, there are not so many, the weights fit another
            backbone, or no epoch is left for it.
        OSError: If the file of the weights is damaged.
    """
    if (config.frozen_epochs or 0) >= config.epochs and config.tune != "heads":
        raise MscamError(
            "`frozen_epochs` must be less than `epochs`, for the backbone to be trained; to train "
            'the heads alone, give tune="heads" (--tune heads). '
            f"Received: frozen_epochs={config.frozen_epochs}, epochs={config.epochs}"
        )
    find_backbone(config.backbone)
    config.start.resolve(config.backbone).check(config.backbone)
    _check_graph(config)


def _check_graph(config: TrainConfig) -> None:
    """Build what has taps, scales or views of choice: which there are is known by the graph."""
    if (config.taps, config.scales, config.views) == (None, None, None):
        return
    size = config.image_size or _ANY_SIZE
    keras.backend.clear_session()  # Some layers are numbered on from earlier models.
    if config.taps is not None:
        build_feature_extractor(config.backbone, config.taps, image_size=size)
    if config.scales is not None or config.views is not None:
        build_classifier(replace(resolve_start(config), image_size=size), 2, None)
    keras.backend.clear_session()


def check_config(config: TrainConfig) -> None:
    """Build the model of some settings once, so that what cannot be trained shows before long work.

    Raises:
        ValueError: As the builders do.
        OSError: If a weights file is damaged, or missing.
    """
    check_names(config)
    config = resolve_start(config.resolve())
    build_classifier(replace(config, image_size=config.image_size or _ANY_SIZE), 2, config.weights)
    keras.backend.clear_session()


def resolve_start(config: TrainConfig) -> TrainConfig:
    """Return the settings with pooling, scales and views of the weights that it starts from."""
    pretrained = config.start.read()
    pooling, scales, views = config.pooling, config.scales, config.views
    if pooling == "auto":
        pooling = "mean" if pretrained is None else pretrained.pooling
    if scales is None:
        scales = DEFAULT_SCALES if pretrained is None else len(pretrained.kernels)
    if views is None:
        views = GLOBAL if pretrained is None else pretrained.views
    return replace(config, pooling=pooling, scales=scales, views=views)


@contextmanager
def use_precision(precision: str, seed: int) -> Iterator[None]:
    """Compute in a number format, and with random numbers from a seed on."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def build_classifier(config: TrainConfig, num_classes: int, weights: str | None) -> keras.Model:
    """Build the classifier of some settings; the backbone starts from these weights."""
    common: dict[str, Any] = {
        "backbone": config.backbone,
        "weights": weights,
        "dropout": config.dropout,
        "pooling": config.pooling,
        "views": config.views,
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
        scales=config.scales or DEFAULT_SCALES,
        unit_norm_heads=config.unit_norm_heads,
        relevance=relevance,
        **common,
    )
