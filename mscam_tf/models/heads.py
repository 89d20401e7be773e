"""Find the heads (global average pooling, then Dense) in the graph of any Keras classifier."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.errors import MscamError
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


class _Level:
    """The graph of a model, or of one nested in it: how its tensors appear in the outermost."""

    def lift(self, tensors: list[Any]) -> list[Any]:
        """Return the tensors of the outermost graph that these tensors of this one become."""
        return tensors


class _NestedLevel(_Level):
    def __init__(self, parent: _Level, model: keras.Model, inputs: list[Any]) -> None:
        self._parent = parent
        self._model = model
        self._inputs = inputs

    def lift(self, tensors: list[Any]) -> list[Any]:
        inputs = self._parent.lift(self._inputs)
        part = keras.Model(_unpack(self._model.inputs), tensors)
        return list(part(_unpack(inputs)))


class _Cursor:
    """A tensor in a graph, and the layer that makes it, which may sit deep in nested models."""

    def __init__(self, tensor: Any, level: _Level) -> None:
        # Where the tensor is used: from here it is lifted, so that no nested model runs twice.
        self.tensor, self.level = tensor, level
        while _has_graph(nested := tensor._keras_history.operation):
            level = _NestedLevel(level, nested, _inputs_of(tensor))
            tensor = nested.outputs[tensor._keras_history.tensor_index]
        self._made, self._made_at = tensor, level

    @property
    def layer(self) -> Any:
        return self._made._keras_history.operation

    def inputs(self) -> list["_Cursor"]:
        return [_Cursor(x, self._made_at) for x in _inputs_of(self._made)]


def _has_graph(operation: Any) -> bool:
    return isinstance(operation, keras.Model) and bool(getattr(operation, "outputs", None))


def _inputs_of(tensor: Any) -> list[Any]:
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def _unpack(values: list[Any]) -> Any:
    return values if len(values) > 1 else values[0]


def pool_map(maps: Any, pool: SoftPool | None) -> Any:
    """Pool maps `(batch, H, W, C)` into logits `(batch, C)`, by their mean or as a head does."""
    return ops.mean(maps, axis=(1, 2)) if pool is None else pool(maps)


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
    cursor, activation = _skip_activation(_Cursor(model.outputs[0], _Level()), model)
    if isinstance(cursor.layer, RelevanceCombine):
        found = [_read_head(_skip_passive(x), model) for x in cursor.inputs()]
        for dense, _, _ in found:
            _check_linear(dense, model, "RelevanceCombine")
        return ClassifierHeads(_lift_heads(found), cursor.layer, activation)
    found = [_read_head(cursor, model)]
    dense = found[0][0]
    if activation is not None:
        _check_linear(dense, model, f"the final {activation}")
    activation = activation or _name_activation(dense.activation)
    return ClassifierHeads(_lift_heads(found), None, activation)


_Found = tuple[keras.layers.Dense, _Cursor, SoftPool | None]


def _lift_heads(found: list[_Found]) -> tuple[Head, ...]:
    """Lift all feature maps of a level at once: one by one, each would run its model again."""
    lifted: dict[int, Any] = {}
    for level in {cursor.level for _, cursor, _ in found}:
        tensors = [cursor.tensor for _, cursor, _ in found if cursor.level is level]
        lifted |= dict(zip(map(id, tensors), level.lift(tensors), strict=True))
    return tuple(Head(lifted[id(cursor.tensor)], dense, pool) for dense, cursor, pool in found)


def _check_linear(dense: keras.layers.Dense, model: keras.Model, after: str) -> None:
    activation = _name_activation(dense.activation)
    if activation is not None:
        raise _no_head(model, f"Dense {dense.name!r} applies {activation!r} before {after}")


def _skip_activation(cursor: _Cursor, model: keras.Model) -> tuple[_Cursor, str | None]:
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


def _skip_passive(cursor: _Cursor) -> _Cursor:
    while isinstance(cursor.layer, _PASSIVE):
        cursor = cursor.inputs()[0]
    return cursor


def _read_head(cursor: _Cursor, model: keras.Model) -> _Found:
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


def read_relevance(model: keras.Model, num_classes: int) -> np.ndarray:
    """Return the relevance `(B, C)` of a classifier; of a single-scale one it is 1."""
    layers = [layer for layer in model.layers if isinstance(layer, RelevanceCombine)]
    return layers[0].get_relevance() if layers else np.ones((1, num_classes), np.float32)
