"""Find the heads (global average pooling, then Dense) in the graph of any Keras classifier."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.errors import MscamError
from mscam_tf.models.graph import Cursor, lift, walk_layers
from mscam_tf.models.pooling import SoftPool
from mscam_tf.models.relevance import RelevanceCombine

_ACTIVATIONS = ("softmax", "sigmoid")
_PASSIVE = (  # They leave the values, or only their layout, unchanged at inference.
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.ActivityRegularization,
    keras.layers.Identity,
    keras.layers.Flatten,
)


@dataclass(frozen=True)
class Head:
    """A head, and the feature map that it reads: a symbolic tensor `(batch, H, W, K)`.

    The map is pooled by `pool`, or by its mean if that is `None`.
    """

    feature_map: Any
    dense: keras.layers.Dense
    pool: SoftPool | None = None


@dataclass(frozen=True)
class ClassifierHeads:
    """All heads of a model, the finest first; how they are mixed; the final activation."""

    heads: tuple[Head, ...]
    relevance: RelevanceCombine | None
    activation: str | None


def pool_map(maps: Any, pool: SoftPool | None) -> Any:
    """Pool maps `(batch, H, W, C)` into logits `(batch, C)`, by their mean or as a head does."""
    return ops.mean(maps, axis=(1, 2)) if pool is None else pool(maps)


def spread_map(maps: Any, pool: SoftPool | None) -> Any:
    """Return what each cell of maps `(batch, H, W, C)` adds to `pool_map`, in logits."""
    if pool is not None:
        return pool.spread(maps)
    shape = ops.shape(maps)
    return maps / ops.cast(shape[1] * shape[2], maps.dtype)


def find_heads(model: keras.Model) -> ClassifierHeads:
    """Find the heads of a classifier: of our builders, or any that ends in pooling and Dense.

    Walks back from the model's output: an optional softmax or sigmoid, an optional
    `RelevanceCombine`, then for each head Dense, dropout and the like, and
    `GlobalAveragePooling2D`; or `SoftPool`, then Dense. Nested models (functional and
    Sequential) are entered.

    Args:
        model: A functional or Sequential `keras.Model` with one output.

    Raises:
        ValueError: If there is no such head; it says what stands in its place.
    """
    if not isinstance(model, keras.Model):
        raise MscamError(
            "build_explainer needs a model of Keras 3; one of tf_keras (Keras 2) can be built anew "
            "in Keras 3, and take the weights from it by `set_weights`. "
            f"Received: an object of type {type(model).__module__}.{type(model).__qualname__}"
        )
    if not getattr(model, "outputs", None):
        raise MscamError(
            "build_explainer needs the graph of a functional or a built Sequential model. "
            f"Received: model={model.name!r} of type {type(model).__name__}"
        )
    if len(model.outputs) != 1:
        raise MscamError(
            "build_explainer needs a model with one output. "
            f"Received: model={model.name!r} with {len(model.outputs)} outputs"
        )
    cursor, activation = _skip_activation(Cursor(model.outputs[0]), model)
    relevance = find_relevance(model)
    if relevance is not None and cursor.layer is relevance:
        found = [_read_head(_skip_passive(x), model) for x in cursor.inputs()]
        for dense, _, _ in found:
            _check_linear(dense, model, "RelevanceCombine")
        return ClassifierHeads(_lift_heads(found), relevance, activation)
    found = [_read_head(cursor, model)]
    dense = found[0][0]
    if activation is not None:
        _check_linear(dense, model, f"the final {activation}")
    activation = activation or _name_activation(dense.activation)
    return ClassifierHeads(_lift_heads(found), None, activation)


_Found = tuple[keras.layers.Dense, Cursor, SoftPool | None]


def _lift_heads(found: list[_Found]) -> tuple[Head, ...]:
    feature_maps = lift([cursor for _, cursor, _ in found])
    triples = zip(feature_maps, found, strict=True)
    return tuple(Head(feature_map, dense, pool) for feature_map, (dense, _, pool) in triples)


def _check_linear(dense: keras.layers.Dense, model: keras.Model, after: str) -> None:
    activation = _name_activation(dense.activation)
    if activation is not None:
        raise _no_head(model, f"Dense {dense.name!r} applies {activation!r} before {after}")


def _skip_activation(cursor: Cursor, model: keras.Model) -> tuple[Cursor, str | None]:
    cursor = _skip_passive(cursor)
    layer = cursor.layer
    if not isinstance(layer, keras.layers.Activation | keras.layers.Softmax):
        return cursor, None
    name = "softmax"
    if isinstance(layer, keras.layers.Activation):
        name = _name_activation(layer.activation) or "linear"
    if name not in (*_ACTIVATIONS, "linear"):
        raise _no_head(model, f"its output is the activation {name!r} of layer {layer.name!r}")
    found = None if name == "linear" else name
    return _skip_passive(cursor.inputs()[0]), found


def _skip_passive(cursor: Cursor) -> Cursor:
    while isinstance(cursor.layer, _PASSIVE):
        cursor = cursor.inputs()[0]
    return cursor


def _read_head(cursor: Cursor, model: keras.Model) -> _Found:
    soft = cursor.layer if isinstance(cursor.layer, SoftPool) else None
    if soft is not None:
        cursor = cursor.inputs()[0]
    dense = cursor.layer
    if not isinstance(dense, keras.layers.Dense):
        raise _no_head(model, f"its logits come from {_describe(dense)}")
    if dense.quantization_mode is not None:
        raise _no_head(model, f"Dense {dense.name!r} is quantized to {dense.quantization_mode}")
    activation = _name_activation(dense.activation)
    if activation not in (None, *_ACTIVATIONS):
        raise _no_head(model, f"the activation of Dense {dense.name!r} is {activation!r}")
    cursor = _skip_passive(cursor.inputs()[0])
    if soft is not None:
        _check_linear(dense, model, "SoftPool")
        return dense, cursor, soft
    pool = cursor.layer
    if not isinstance(pool, keras.layers.GlobalAveragePooling2D):
        raise _no_head(model, f"Dense {dense.name!r} is fed by {_describe(pool)}")
    if pool.data_format != "channels_last":
        raise _no_head(model, f"{_describe(pool)} pools channels_first data")
    return dense, cursor.inputs()[0], None


def _name_activation(activation: Any) -> str | None:
    name = getattr(activation, "__name__", str(activation))
    return None if name == "linear" else name


def _describe(layer: Any) -> str:
    return f"{type(layer).__name__} {layer.name!r}"


def _no_head(model: keras.Model, reason: str) -> MscamError:
    return MscamError(
        "A class activation map needs a classifier that ends in GlobalAveragePooling2D and one "
        f"Dense layer (then, at most, softmax or sigmoid), but {reason}. "
        f"Received: model={model.name!r}"
    )


def find_relevance(model: keras.Model) -> RelevanceCombine | None:
    """Return the layer that mixes a classifier's scales, also from within nested models.

    Of several it is the last, which makes the output; of a single-scale classifier there is none.
    """
    found = [layer for layer in walk_layers(model) if isinstance(layer, RelevanceCombine)]
    return found[-1] if found else None


def read_relevance(model: keras.Model, num_classes: int) -> np.ndarray:
    """Return the relevance `(B, C)` of a classifier; of a single-scale one it is 1."""
    layer = find_relevance(model)
    return np.ones((1, num_classes), np.float32) if layer is None else layer.get_relevance()
