"""Backbones with named taps: the layers whose outputs feed the heads, one per scale."""

import math
import os
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import keras

from mscam_tf.errors import MscamError
from mscam_tf.models.weights import Weights, parse_weights

_PROBE = 256  # Image side at which strides are measured: a multiple of every stride in use.
_RECTIFIERS = ("ReLU", "LeakyReLU", "PReLU", "ELU")
_MERGED = ("Concatenate", "Add")
_NOT_RECTIFIED = ("linear", "sigmoid", "hard_sigmoid", "softmax", "tanh")


class Tap(NamedTuple):
    """A layer of a backbone that a head can read: its name, stride in pixels and channels."""

    name: str
    stride: int
    channels: int
    rectified: bool


def list_backbones() -> list[str]:
    """List the backbones that can be named: those in `keras.applications`.

    Examples:
        >>> "DenseNet121" in list_backbones()
        True
    """
    return [name for name in dir(keras.applications) if name[0].isupper()]


def list_taps(backbone: keras.Model) -> list[Tap]:
    """List the layers of a functional backbone that can feed a head, in the order of the graph.

    These are its activations (`rectified`: what CAM assumes) and the raw outputs of its blocks
    (concatenations and sums).

    Args:
        backbone: A functional `keras.Model` with one image input and 4-D feature maps.

    Returns:
        One `Tap(name, stride, channels, rectified)` a layer.

    Examples:
        >>> import keras
        >>> backbone = keras.applications.MobileNetV2(include_top=False, weights=None)
        >>> list_taps(backbone)[-1]
        Tap(name='out_relu', stride=32, channels=1280, rectified=True)
    """
    layers = [
        layer
        for layer in backbone.layers
        if (_is_rectified(layer) or type(layer).__name__ in _MERGED)
        and len(layer.output.shape) == 4
    ]
    if not layers:
        return []
    probe = keras.Model(backbone.input, [layer.output for layer in layers])
    channels = backbone.inputs[0].shape[-1]
    shapes = probe.compute_output_shape((1, _PROBE, _PROBE, channels))
    return [
        Tap(layer.name, _measure_stride(shape[1]), shape[-1], _is_rectified(layer))
        for layer, shape in zip(layers, shapes, strict=True)
        if shape[1] > 1  # Squeeze-and-excitation has no place in the image.
    ]


def _is_rectified(layer: keras.layers.Layer) -> bool:
    if type(layer).__name__ in _RECTIFIERS:
        return True
    activation = getattr(layer, "activation", None)
    return activation is not None and activation.__name__ not in _NOT_RECTIFIED


def _measure_stride(side: int) -> int:
    """Return the power of two nearest to the stride: convolutions without padding lose a border."""
    return 2 ** round(math.log2(_PROBE / side))


def default_taps(backbone: keras.Model, num_scales: int = 3) -> list[str]:
    """Name the taps of the coarsest `num_scales` strides, the finest first.

    At each stride it is the last among the rectified layers with the most channels. For
    DenseNet-121 that is `pool3_relu`, `pool4_relu` and `relu`: the batch-normalised, rectified
    outputs of dense blocks 2, 3 and 4.

    Args:
        backbone: A functional `keras.Model`.
        num_scales: How many taps, at least one.

    Raises:
        ValueError: If the backbone has fewer strides than that.

    Examples:
        >>> import keras
        >>> default_taps(keras.applications.DenseNet121(include_top=False, weights=None))
        ['pool3_relu', 'pool4_relu', 'relu']
    """
    widest: dict[int, Tap] = {}
    for tap in list_taps(backbone):
        if tap.rectified and tap.channels >= widest.get(tap.stride, tap).channels:
            widest[tap.stride] = tap
    strides = sorted(widest)[-num_scales:]
    if len(strides) < num_scales or num_scales < 1:
        raise MscamError(
            f"Backbone {backbone.name!r} has activations at {len(widest)} strides, "
            f"{sorted(widest)}; give `taps` by layer name. Received: num_scales={num_scales}"
        )
    return [widest[stride].name for stride in strides]


def build_feature_extractor(
    backbone: str | keras.Model,
    taps: Sequence[str] | None = None,
    weights: str | Path | Weights | None = None,
    batch_norm_momentum: float | None = 0.95,
    num_scales: int = 3,
) -> tuple[keras.Model, list[str]]:
    """Cut a backbone at its taps.

    Args:
        backbone: A name in `keras.applications` (built without its top, for images of any size
            with 3 channels) or your own functional `keras.Model`.
        taps: Layer names, the finest scale first; `None` takes `default_taps`.
        weights: `None`, `"xray"` (DenseNet121 only), `"imagenet"`, or a file: `.npz` of
            `mscam_tf.pretraining.pretrain`, `.weights.h5` or `.h5` of that backbone, or a
            `.keras` model built on it.
        batch_norm_momentum: Momentum of the batch-norm statistics of a backbone given by name
            (Keras' own default of 0.99 needs about 500 steps to settle); `None` leaves it.
            Your own model's is not altered.
        num_scales: How many default taps to take.

    Returns:
        The model from the backbone's input to a list of its taps' feature maps, named
        `"backbone"`, and the taps' names. It shares the layers of your own model.

    Raises:
        ValueError: If the name or a tap is unknown, or `weights` does not fit.
        OSError: If ImageNet weights cannot be downloaded; it says which file to place where.
    """
    weights = parse_weights(weights).resolve(backbone if isinstance(backbone, str) else "")
    if isinstance(backbone, str):
        model = _create_application(backbone, weights)
        _set_batch_norm_momentum(model, batch_norm_momentum)
    else:
        model = _check_functional(backbone)
        if weights.kind != "none":
            _load_file(model, weights)
    names = list(taps) if taps is not None else default_taps(model, num_scales)
    outputs = [get_tap(model, name).output for name in names]
    return keras.Model(model.input, outputs, name="backbone"), names


def get_tap(backbone: keras.Model, name: str) -> keras.layers.Layer:
    """Return the layer of that name; if there is none, say which there are."""
    by_name = {layer.name: layer for layer in backbone.layers}
    if name in by_name and len(by_name[name].output.shape) == 4:
        return by_name[name]
    strides: dict[int, list[str]] = {}
    for tap in list_taps(backbone):
        strides.setdefault(tap.stride, []).append(tap.name)
    close = get_close_matches(name, by_name, n=3)
    hint = f" Did you mean {' or '.join(close)}?" if close and name not in by_name else ""
    raise MscamError(
        f"Backbone {backbone.name!r} has no feature map named {name!r}.{hint} Taps by stride:\n"
        + "\n".join(f"  {stride}: {', '.join(names)}" for stride, names in strides.items())
        + f"\nReceived: taps={name!r}"
    )


def _create_application(name: str, weights: Weights) -> keras.Model:
    application = getattr(keras.applications, name, None)
    if not callable(application):
        raise MscamError(
            f"`backbone` must be a functional keras.Model or one of {list_backbones()}. "
            f"Received: backbone={name!r}"
        )
    if weights.kind == "imagenet":
        return _download_imagenet(application, name)
    model = application(weights=None, include_top=False, input_shape=(None, None, 3))
    if weights.kind != "none":
        _load_file(model, weights)
    return model


def _download_imagenet(application: Any, name: str) -> keras.Model:
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
        raise MscamError(
            f"The weights file does not fit backbone {backbone.name!r}: {error} "
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
            layer.momentum = momentum


def _check_functional(backbone: Any) -> keras.Model:
    if not isinstance(backbone, keras.Model) or not getattr(backbone, "inputs", None):
        raise MscamError(
            "`backbone` must be a name in keras.applications or a built functional keras.Model. "
            f"Received: backbone={backbone!r}"
        )
    return backbone
