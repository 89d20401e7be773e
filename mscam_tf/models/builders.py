"""Builders of the multi-scale classifier and of its single-scale baseline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from mscam_tf.errors import MscamError
from mscam_tf.models.backbones import build_feature_extractor, check_images_fit
from mscam_tf.models.contrast import view_image
from mscam_tf.models.pooling import SoftPool
from mscam_tf.models.registry import find_backbone
from mscam_tf.models.relevance import RelevanceCombine
from mscam_tf.models.weights import Weights, parse_weights
from mscam_tf.settings import GLOBAL, View, check_setting


def build_multiscale_classifier(
    num_classes: int,
    image_size: tuple[int | None, int | None] | None = (256, 256),
    channels: int = 1,
    *,
    backbone: str | keras.Model = "DenseNet121",
    taps: Sequence[str] | None = None,
    scales: int = 3,
    weights: str | Path | Weights | None = None,
    standardize: bool = True,
    views: Sequence[View] | None = None,
    dropout: float = 0.0,
    pooling: str = "mean",
    batch_norm_momentum: float | None = 0.95,
    unit_norm_heads: bool = False,
    relevance: RelevanceCombine | None = None,
    name: str = "multiscale_classifier",
) -> keras.Model:
    """Build a classifier with a head at each of several scales of its backbone.

    For scale `b` and class `c`: `l_b^c = mean_xy(sum_k w_bk^c f_b(x, y, k)) + bias_b^c` (global
    average pooling, then Dense) and `z^c = sum_b h_b^c l_b^c` (`RelevanceCombine`).

    The model is an ordinary functional `keras.Model` for one-label use (softmax: train with
    `SparseCategoricalCrossentropy(from_logits=True)`) and for several labels (sigmoid:
    `BinaryCrossentropy(from_logits=True)`). The layers of its graph are `standardize` and, for
    local views, `local_contrast_12` and the like; `backbone`, `scale1_pool`, `scale1_logits`, ...,
    `relevance`; with `pooling="soft"` `scale1_maps` (a Dense layer for each place) and
    `scale1_logits`. The heads work in float32, also under a mixed-precision policy.

    Args:
        num_classes: Number of classes, at least one.
        image_size: `(height, width)` in pixels, at least 32 each for most backbones; `None` for
            either or both takes images of any size.
        channels: 1 (grey; replicated for the backbone) or 3.
        backbone: A name in `keras.applications` or of `mscam_tf.register_backbone`, or your own
            functional `keras.Model`: its layers are shared, not copied, and it gets no
            preprocessing beyond `standardize`.
        taps: Layers of the backbone to read, the finest first; by default the rectified outputs
            at its coarsest strides (`mscam_tf.default_taps`), for three scales 8, 16 and 32.
        scales: How many scales there are, where no taps are given.
        weights: `None`; `"xray"`: DenseNet121 pretrained on simulated radiographs, comes with the
            package, as do those of earlier versions, `"xray-2"` and `"xray-1"`; `"imagenet"`:
            downloaded by Keras;
            or a file: `.npz` of `mscam pretrain`, `.weights.h5` or `.h5` of the backbone, or a
            `.keras` model built on it. Of all these the heads are not taken:
            `mscam_tf.initialize_heads` makes them out of pretrained ones.
        standardize: Subtract from each image its own mean and divide by its own deviation.
            Makes the model blind to exposure; decisive when training from scratch on few images.
        views: What the channels of the backbone show of a grey image: `"global"`, the image as a
            whole (standardized, or as it is), or a number of pixels: its `mscam_tf.LocalContrast`
            with that deviation. One view fills all channels; else there is one for each channel.
            By default what the pretrained weights were trained on, and `("global",)` with others.
        dropout: Rate of dropout before each head.
        pooling: `"mean"`: global average pooling, as in the papers; or `"soft"`: strong places of
            the map count more (`mscam_tf.SoftPool`), so that small objects are not diluted.
        batch_norm_momentum: Momentum of a named backbone's batch-norm statistics; `None` leaves
            Keras' 0.99, which is too slow for short trainings. Your own backbone is not altered.
        unit_norm_heads: Constrain each head's kernel to unit norm per class. Then the relevance
            alone carries the strength of a scale; a free kernel can absorb any factor of it.
        relevance: The combining layer; by default `RelevanceCombine(name="relevance")`.
        name: The model's name.

    Input shape:
        `(batch, height, width, channels)`, float, values in `[0, 1]`.

    Returns:
        A `keras.Model` whose output is logits, `(batch, num_classes)`, float32.

    Raises:
        ValueError: If an argument is out of range, or a tap or a backbone is unknown.
        OSError: If ImageNet weights cannot be downloaded, or the file of `"xray"` is damaged.

    Examples:
        >>> import mscam_tf
        >>> model = mscam_tf.build_multiscale_classifier(
        ...     num_classes=4, image_size=(64, 96), backbone="MobileNetV2"
        ... )
        >>> model.output_shape
        (None, 4)
        >>> model.get_layer("relevance").get_relevance().shape
        (3, 4)

    References:
        - Lee and Cho, 2021.
        - [Sedai et al., 2018](https://arxiv.org/abs/1808.08280).
    """
    _check_arguments(num_classes, image_size, channels, dropout, pooling)
    extractor, _ = build_feature_extractor(
        backbone, taps, weights, batch_norm_momentum, scales, image_size
    )
    views = _find_views(backbone, weights) if views is None else views
    image, feature_maps = _read_image(extractor, image_size, channels, standardize, views, backbone)
    logits = [
        _add_head(feature_map, num_classes, dropout, f"scale{number}_", pooling, unit_norm_heads)
        for number, feature_map in enumerate(feature_maps, start=1)
    ]
    combine = relevance if relevance is not None else RelevanceCombine(name="relevance")
    return keras.Model(image, combine(logits), name=name)


def build_single_scale_classifier(
    num_classes: int,
    image_size: tuple[int | None, int | None] | None = (256, 256),
    channels: int = 1,
    *,
    backbone: str | keras.Model = "DenseNet121",
    tap: str | None = None,
    weights: str | Path | Weights | None = None,
    standardize: bool = True,
    views: Sequence[View] | None = None,
    dropout: float = 0.0,
    pooling: str = "mean",
    batch_norm_momentum: float | None = 0.95,
    name: str = "single_scale_classifier",
) -> keras.Model:
    """Build the plain classifier: backbone, global average pooling, Dense.

    It is the baseline of every comparison, and has a class activation map of its own (one scale,
    relevance 1). The layers of its graph are `standardize`, `backbone`, `pool` and `logits`.

    Args:
        num_classes: Number of classes, at least one.
        image_size: `(height, width)` in pixels; `None` takes images of any size.
        channels: 1 (grey) or 3.
        backbone: As for `build_multiscale_classifier`.
        tap: The layer to read; by default the last rectified one.
        weights: As for `build_multiscale_classifier`.
        standardize: As for `build_multiscale_classifier`.
        views: As for `build_multiscale_classifier`.
        dropout: Rate of dropout before the head.
        pooling: As for `build_multiscale_classifier`.
        batch_norm_momentum: As for `build_multiscale_classifier`.
        name: The model's name.

    Input shape:
        `(batch, height, width, channels)`, float, values in `[0, 1]`.

    Returns:
        A `keras.Model` whose output is logits, `(batch, num_classes)`, float32.

    Raises:
        ValueError: If an argument is out of range, or the tap or the backbone is unknown.
        OSError: If ImageNet weights cannot be downloaded, or the file of `"xray"` is damaged.

    Examples:
        >>> import mscam_tf
        >>> model = mscam_tf.build_single_scale_classifier(2, None, backbone="MobileNetV2")
        >>> model.input_shape
        (None, None, None, 1)

    References:
        [Zhou et al., 2016](https://arxiv.org/abs/1512.04150), section 2.
    """
    _check_arguments(num_classes, image_size, channels, dropout, pooling)
    taps = None if tap is None else [tap]
    extractor, _ = build_feature_extractor(
        backbone, taps, weights, batch_norm_momentum, 1, image_size
    )
    views = _find_views(backbone, weights) if views is None else views
    image, feature_maps = _read_image(extractor, image_size, channels, standardize, views, backbone)
    logits = _add_head(feature_maps[0], num_classes, dropout, "", pooling)
    return keras.Model(image, logits, name=name)


def _read_image(
    extractor: keras.Model,
    image_size: tuple[int | None, int | None] | None,
    channels: int,
    standardize: bool,
    views: Sequence[View],
    backbone: str | keras.Model,
) -> tuple[Any, list[Any]]:
    check_images_fit(extractor, image_size, channels)
    image = keras.Input((*(image_size or (None, None)), channels), name="image")
    x = view_image(image, views, extractor.inputs[0].shape[-1], standardize)
    if isinstance(backbone, str):
        x = find_backbone(backbone).preprocess(x)
    outputs = extractor(x)
    return image, outputs if isinstance(outputs, list) else [outputs]


def _add_head(
    feature_map: Any,
    num_classes: int,
    dropout: float,
    prefix: str,
    pooling: str,
    unit_norm: bool = False,
) -> Any:
    # Float32 whatever the policy: sums over thousands of float16 features would lose the logits.
    x = feature_map
    soft = pooling == "soft"
    if not soft:
        x = keras.layers.GlobalAveragePooling2D(dtype="float32", name=f"{prefix}pool")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, dtype="float32", name=f"{prefix}dropout")(x)
    constraint = keras.constraints.UnitNorm(axis=0) if unit_norm else None
    x = keras.layers.Dense(
        num_classes,
        kernel_constraint=constraint,
        dtype="float32",
        name=f"{prefix}{'maps' if soft else 'logits'}",
    )(x)
    return SoftPool(dtype="float32", name=f"{prefix}logits")(x) if soft else x


def _find_views(
    backbone: str | keras.Model, weights: str | Path | Weights | None
) -> tuple[View, ...]:
    name = backbone if isinstance(backbone, str) else ""
    pretrained = parse_weights(weights).resolve(name).read()
    return GLOBAL if pretrained is None else pretrained.views


def _check_arguments(
    num_classes: int, image_size: Any, channels: int, dropout: float, pooling: str
) -> None:
    if num_classes < 1:
        raise MscamError(f"`num_classes` must be at least 1. Received: num_classes={num_classes}")
    if image_size is not None and (
        not isinstance(image_size, tuple | list) or len(image_size) != 2
    ):
        raise MscamError(
            f"`image_size` must be None or (height, width). Received: image_size={image_size!r}"
        )
    if channels not in (1, 3):
        raise MscamError(f"`channels` must be 1 or 3. Received: channels={channels}")
    check_setting("dropout", dropout)
    check_setting("pooling", pooling)
