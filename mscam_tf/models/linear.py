"""Layers that are linear in the channels at inference, and the one that a chain of them makes."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mscam_tf.models.graph import describe

_KERNELS = (keras.layers.Dense, keras.layers.Conv2D)
LINEAR = (*_KERNELS, keras.layers.BatchNormalization)


def has_kernel(layers: Sequence[keras.Layer]) -> bool:
    """Whether one of them mixes channels: Dense, or a 1 x 1 convolution."""
    return any(isinstance(layer, _KERNELS) for layer in layers)


def count_outputs(layers: Sequence[keras.Layer]) -> int:
    """Return how many channels a chain of layers makes."""
    last = next(layer for layer in reversed(layers) if isinstance(layer, _KERNELS))
    return int(last.units if isinstance(last, keras.layers.Dense) else last.filters)


def explain_nonlinear(layer: keras.Layer, rank: int) -> str:
    """Say why one of `LINEAR` is not linear in the channels of a tensor; its activation aside.

    Args:
        layer: A layer.
        rank: How many axes the tensor has that it reads.

    Returns:
        A clause, or nothing where the layer is linear.
    """
    name = describe(layer)
    if getattr(layer, "quantization_mode", None) is not None:
        return f"{name} is quantized to {layer.quantization_mode}"
    if isinstance(layer, keras.layers.BatchNormalization):
        return "" if layer.axis % rank == rank - 1 else f"{name} normalizes axis {layer.axis}"
    if isinstance(layer, keras.layers.Conv2D):
        if layer.data_format != "channels_last":
            return f"{name} works on channels_first data"
        if (*layer.kernel_size, *layer.strides, layer.groups) != (1,) * 5:
            return f"{name} is no 1 x 1 convolution with stride 1"
    return ""


def fold_layers(layers: Sequence[keras.Layer]) -> tuple[Any, Any]:
    """Fold a chain of linear layers into one kernel and one bias, which follow their weights.

    `f W + b` with, for batch normalization, `W = gamma / sqrt(variance + epsilon)` for each channel
    and `b = beta - mean W`: what the layer does at inference.

    Args:
        layers: In their order; at least one has a kernel.

    Returns:
        `(K, C)` and `(C,)`, float32.

    Examples:
        >>> import keras
        >>> dense = keras.layers.Dense(1, kernel_initializer="ones", bias_initializer="ones")
        >>> norm = keras.layers.BatchNormalization(epsilon=0.0, beta_initializer="ones")
        >>> dense.build((None, 2)), norm.build((None, 1)), norm.moving_variance.assign([0.25])
        (None, None, ...)
        >>> kernel, bias = fold_layers([dense, norm])
        >>> kernel.numpy().tolist(), bias.numpy().tolist()
        ([[2.0], [2.0]], [3.0])
    """
    kernel, bias = _read(layers[0])
    for layer in layers[1:]:
        factor, offset = _read(layer)
        bias = _multiply(bias, factor) + offset
        kernel = _multiply(kernel, factor) if len(kernel.shape) > 1 else _scale(kernel, factor)
    return kernel, bias


def _read(layer: Any) -> tuple[Any, Any]:
    """Return the kernel, or a factor for each channel, and the bias."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return _read_norm(layer)
    kernel = _as_float32(layer.kernel)
    if isinstance(layer, keras.layers.Conv2D):
        kernel = kernel[0, 0]
    zeros = ops.zeros((kernel.shape[-1],), "float32")
    return kernel, _as_float32(layer.bias) if layer.use_bias else zeros


def _read_norm(norm: keras.layers.BatchNormalization) -> tuple[Any, Any]:
    factor = ops.rsqrt(_as_float32(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        factor = factor * _as_float32(norm.gamma)
    offset = -_as_float32(norm.moving_mean) * factor
    return factor, offset + _as_float32(norm.beta) if norm.center else offset


def _multiply(values: Any, factor: Any) -> Any:
    """Multiply rows with a kernel, or with a factor for each channel."""
    return ops.matmul(values, factor) if len(factor.shape) > 1 else values * factor


def _scale(channels: Any, factor: Any) -> Any:
    """Multiply a factor for each channel with a kernel, or with another."""
    return ops.expand_dims(channels, 1) * factor if len(factor.shape) > 1 else channels * factor


def _as_float32(variable: Any) -> Any:
    return ops.cast(ops.convert_to_tensor(variable), "float32")
