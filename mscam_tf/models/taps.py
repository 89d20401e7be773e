"""Taps: the layers of a backbone whose outputs can feed the heads."""

import math
from typing import NamedTuple

import keras

from mscam_tf.errors import MscamError
from mscam_tf.settings import suggest

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
    height, width, channels = backbone.inputs[0].shape[1:]
    height = height or _PROBE
    shapes = probe.compute_output_shape((1, height, width or _PROBE, channels))
    return [
        Tap(layer.name, _measure_stride(height, shape[1]), shape[-1], _is_rectified(layer))
        for layer, shape in zip(layers, shapes, strict=True)
        if max(shape[1:3]) > 1  # Squeeze-and-excitation has no place in the image.
    ]


def _is_rectified(layer: keras.layers.Layer) -> bool:
    if type(layer).__name__ in _RECTIFIERS:
        return True
    activation = getattr(layer, "activation", None)
    return activation is not None and activation.__name__ not in _NOT_RECTIFIED


def _measure_stride(image_side: int, side: int) -> int:
    """Return the power of two nearest to the stride: convolutions without padding lose a border."""
    return 2 ** round(math.log2(image_side / side))


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


def get_tap(backbone: keras.Model, name: str) -> keras.layers.Layer:
    """Return the layer of that name; if there is none, say which there are."""
    by_name = {layer.name: layer for layer in backbone.layers}
    if name in by_name and len(by_name[name].output.shape) == 4:
        return by_name[name]
    strides: dict[int, list[str]] = {}
    for tap in list_taps(backbone):
        strides.setdefault(tap.stride, []).append(tap.name)
    hint = "" if name in by_name else suggest(name, by_name)
    raise MscamError(
        f"Backbone {backbone.name!r} has no feature map named {name!r}.{hint} Taps by stride:\n"
        + "\n".join(f"  {stride}: {', '.join(names)}" for stride, names in strides.items())
        + f"\nReceived: taps={name!r}"
    )
