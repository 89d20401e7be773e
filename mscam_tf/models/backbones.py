"""Build a backbone, with weights, and cut it at its taps, one per scale."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from mscam_tf.errors import MscamError
from mscam_tf.models.origins import explain_writer
from mscam_tf.models.registry import find_backbone
from mscam_tf.models.taps import default_taps, get_tap
from mscam_tf.models.weights import Weights, parse_weights
from mscam_tf.settings import check_setting


def build_feature_extractor(
    backbone: str | keras.Model,
    taps: Sequence[str] | None = None,
    weights: str | Path | Weights | None = None,
    batch_norm_momentum: float | None = 0.95,
    num_scales: int = 3,
    image_size: tuple[int | None, int | None] | None = None,
) -> tuple[keras.Model, list[str]]:
    """Cut a backbone at its taps.

    Args:
        backbone: A name in `keras.applications` (built without its top, for images of any size
            with 3 channels) or of `mscam_tf.register_backbone`, or your own functional
            `keras.Model`.
        taps: Layer names, the finest scale first; `None` takes `default_taps`.
        weights: `None`, `"xray"` (DenseNet121 only), `"imagenet"`, or a file: `.npz` of
            `mscam_tf.pretraining.pretrain`, `.weights.h5` or `.h5` of that backbone, or a
            `.keras` model built on it.
        batch_norm_momentum: Momentum of the batch-norm statistics of a backbone given by name
            (Keras' own default of 0.99 needs about 500 steps to settle); `None` leaves it.
            Your own model's is not altered.
        num_scales: How many default taps to take.
        image_size: What a registered backbone is built for; `None` for any size.

    Returns:
        The model from the backbone's input to a list of its taps' feature maps, named
        `"backbone"`, and the taps' names. It shares the layers of your own model.

    Raises:
        ValueError: If the name or a tap is unknown, or `weights` does not fit.
        OSError: If ImageNet weights cannot be downloaded; it says which file to place where.
    """
    if batch_norm_momentum is not None:
        check_setting("batch_norm_momentum", batch_norm_momentum)
    weights = parse_weights(weights).resolve(backbone if isinstance(backbone, str) else "")
    if isinstance(backbone, str):
        model = _create_named(backbone, weights, image_size)
        _set_batch_norm_momentum(model, batch_norm_momentum)
    else:
        model = _check_functional(backbone)
        if weights.kind != "none":
            _load_file(model, weights)
    names = list(taps) if taps is not None else default_taps(model, num_scales)
    check_setting("taps", names)
    outputs = [get_tap(model, name).output for name in names]
    return keras.Model(model.input, outputs, name="backbone"), names


def _create_named(
    name: str, weights: Weights, image_size: tuple[int | None, int | None] | None
) -> keras.Model:
    found = find_backbone(name)
    if weights.kind == "imagenet":
        return _download_imagenet(name)
    model = _check_functional(found.build((*(image_size or (None, None)), 3)))
    if weights.kind != "none":
        _load_file(model, weights)
    return model


def _download_imagenet(name: str) -> keras.Model:
    application = getattr(keras.applications, name, None)
    if application is None:
        raise MscamError(
            "Keras has ImageNet weights for the backbones in keras.applications alone; a backbone "
            "that you register may come with weights of its own, or take a file. "
            f"Received: backbone={name!r}, weights='imagenet'"
        )
    try:
        return application(weights="imagenet", include_top=False, input_shape=(None, None, 3))
    except Exception as error:  # Keras raises a bare Exception where a download fails.
        url = re.search(r"URL fetch failure on (\S+?):? ", str(error))
        if url is None:
            raise
        home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
        place = home / "models" / url[1].rsplit("/", 1)[-1]
        raise OSError(
            f"The ImageNet weights of {name} could not be downloaded. On a closed "
            f"network, fetch {place.name} elsewhere and place it at {place}, or train from "
            f"scratch with weights=None. Received: weights='imagenet' ({error})"
        ) from error


def _load_file(backbone: keras.Model, weights: Weights) -> None:
    pretrained = weights.read()
    if pretrained is not None:
        pretrained.copy_to(backbone)
        return
    path = weights.path
    if path is None or not path.is_file():
        raise MscamError(
            "`weights` must be None, 'xray', 'imagenet' or an existing file: .npz of a "
            f"pretraining, .weights.h5 or .h5 of the backbone {backbone.name!r}, or a .keras model "
            "built on it; 'imagenet' needs a backbone of `keras.applications`. "
            f"Received: weights={weights.setting!r}"
        )
    try:
        if path.suffix == ".keras":
            _copy_weights(keras.saving.load_model(path, compile=False), backbone)
        else:
            backbone.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = explain_writer(path) or error
        raise MscamError(
            f"The weights file does not fit backbone {backbone.name!r}: {reason} "
            f"Received: weights={str(path)!r}"
        ) from error


def _copy_weights(source: keras.Model, backbone: keras.Model) -> None:
    """Copy weights layer by layer: two models may be tapped, and so cut, at different layers."""
    nested = [layer for layer in source.layers if layer.name == "backbone"]
    layers = {layer.name: layer for layer in (nested[0] if nested else source).layers}
    wanted = [layer for layer in backbone.layers if layer.weights]
    missing = [layer.name for layer in wanted if layer.name not in layers]
    if missing:
        raise MscamError(
            f"model {source.name!r} lacks {len(missing)} of the backbone's {len(wanted)} layers "
            f"with weights, such as {missing[0]!r}."
        )
    for layer in wanted:
        layer.set_weights(layers[layer.name].get_weights())


def _set_batch_norm_momentum(model: keras.Model, momentum: float | None) -> None:
    for layer in model.layers:
        if momentum is not None and isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = float(momentum)


def _check_functional(backbone: Any) -> keras.Model:
    if not isinstance(backbone, keras.Model) or not getattr(backbone, "inputs", None):
        raise MscamError(
            "`backbone` must be a name, see mscam_tf.list_backbones(), or a built functional "
            f"keras.Model. Received: backbone={backbone!r}"
        )
    shapes = [tuple(x.shape) for x in backbone.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise MscamError(
            "`backbone` must take one input, images of shape (batch, height, width, channels). "
            f"Received: backbone={backbone.name!r} with inputs {shapes}"
        )
    return backbone


def check_images_fit(
    backbone: keras.Model, image_size: tuple[int | None, int | None] | None, channels: int
) -> None:
    """Refuse images that a backbone is not built for; grey ones are replicated for three channels.

    Raises:
        MscamError: If it is built for images of another size, or for fewer channels.
    """
    *sides, wanted = backbone.inputs[0].shape[1:]
    given = image_size or (None, None)
    if any(built not in (None, side) for built, side in zip(sides, given, strict=True)):
        raise MscamError(
            f"The backbone is built for images of {tuple(sides)} pixels: give that size, or build "
            f"it for images of any size, (None, None, 3). Received: image_size={image_size}"
        )
    if channels != wanted and (channels, wanted) != (1, 3):
        raise MscamError(
            f"The backbone is built for images of {wanted} channels. Received: channels={channels}"
        )
