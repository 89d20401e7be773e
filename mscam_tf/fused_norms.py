"""Batch normalisation by one kernel of TensorFlow.

Keras composes it of several operations, each of which goes through the whole feature map. In a
DenseNet on a processor they take a quarter of each training step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import keras

_LEAST_EPSILON = 1.001e-5  # The kernel takes no smaller one.
_PRECISIONS = ("float32", "float16", "bfloat16")  # The kernel takes no others.


@contextmanager
def fuse_norms(model: keras.Model) -> Iterator[None]:
    """Let a model's batch normalisation run in one kernel wherever it is traced within the block.

    Put it around `model.fit` or `model.predict`; `mscam_tf.train` and `mscam_tf.evaluate` do.

    It is `gamma * (x - m) / sqrt(v + epsilon) + beta`, in training with the batch's mean `m` and
    variance `v`, each over images and places, otherwise with the moving averages, which move as
    Keras moves them: the results are the same up to rounding. Neither the model nor the files made
    of it change. On other backends than TensorFlow nothing happens.

    Args:
        model: Any Keras model; its built layers with feature maps `(batch, H, W, K)`, normalised
            over the last axis, take part, also within models that it holds.

    Returns:
        A context manager.

    Examples:
        >>> import numpy as np
        >>> layers = [keras.Input((8, 8, 1)), keras.layers.BatchNormalization(momentum=0.5)]
        >>> model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> model.compile("sgd", "mse")
        >>> with fuse_norms(model):
        ...     _ = model.fit(np.full((4, 8, 8, 1), 3.0), np.zeros((4, 2)), verbose=0)
        >>> float(model.layers[0].moving_mean[0])
        1.5

    References:
        [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167), algorithm 1.
    """
    layers = [layer for layer in _list_layers(model) if _can_fuse(layer)]
    for layer in layers:
        layer.call = MethodType(_normalize, layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call  # That of its class shows again.


def _list_layers(model: keras.Model) -> list[keras.Layer]:
    """List the layers, also of models within, each once: some are shared."""
    found: dict[int, keras.Layer] = {}
    for layer in model.layers:
        inner = _list_layers(layer) if isinstance(layer, keras.Model) else [layer]
        found |= {id(one): one for one in inner}
    return list(found.values())


def _can_fuse(layer: keras.Layer) -> bool:
    return (
        keras.backend.backend() == "tensorflow"
        and type(layer) is keras.layers.BatchNormalization
        and layer.built
        and "call" not in vars(layer)  # Within another such block.
        and layer.compute_dtype in _PRECISIONS
        and layer.input_spec.ndim == 4
        and layer.axis in (-1, 3)
        and layer.epsilon >= _LEAST_EPSILON
        and not (layer.renorm or layer.synchronized)
    )


def _normalize(
    layer: keras.layers.BatchNormalization,
    inputs: Any,
    training: bool | None = None,
    mask: Any = None,
) -> Any:
    import tensorflow as tf  # Here: on other backends nobody needs it.

    if mask is not None:
        return type(layer).call(layer, inputs, training=training, mask=mask)
    moves = bool(training and layer.trainable)
    ones = tf.ones(layer.moving_mean.shape)
    outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        inputs,
        tf.cast(layer.gamma, tf.float32) if layer.scale else ones,
        tf.cast(layer.beta, tf.float32) if layer.center else 0 * ones,
        mean=None if moves else tf.cast(layer.moving_mean, tf.float32),
        variance=None if moves else tf.cast(layer.moving_variance, tf.float32),
        epsilon=layer.epsilon,
        is_training=moves,
    )
    if moves:
        _move_averages(layer, inputs, mean, variance)
    return outputs


def _move_averages(
    layer: keras.layers.BatchNormalization, inputs: Any, mean: Any, variance: Any
) -> None:
    count = keras.ops.cast(keras.ops.size(inputs) / layer.moving_mean.shape[0], "float32")
    variance *= (count - 1) / count  # The kernel divides by n - 1, Keras by n.
    for average, value in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        average.assign(average * layer.momentum + value * (1 - layer.momentum))
