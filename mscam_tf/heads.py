"""Find the heads (global average pooling, then Dense) in the graph of any Keras classifier."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from mscam_tf.layers import RelevanceCombine

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
    """A head and the feature map that it pools: a symbolic tensor `(batch, H, W, K)`."""

    feature_map: Any
    dense: keras.layers.Dense


@dataclass(frozen=True)
class ClassifierHeads:
    """All heads of a model, the finest first; how they are mixed; the final activation."""

    heads: tuple[Head, ...]
    relevance: RelevanceCombine | None
    activation: str | None


class _Cursor:
    """A tensor in the graph of a model, possibly deep inside nested models.

    `lift` turns a tensor of the (nested) graph into one of the outermost graph, by calling the
    part of the nested model that leads to it on that model's input.
    """

    def __init__(self, tensor: Any, lift: Callable[[Any], Any]) -> None:
        while isinstance(tensor._keras_history.operation, keras.Model):
            nested = tensor._keras_history.operation
            lift = _compose(lift, nested, self._inputs_of(tensor))
            tensor = nested.outputs[tensor._keras_history.tensor_index]
        self.tensor = tensor
        self._lift = lift

    @property
    def layer(self) -> Any:
        return self.tensor._keras_history.operation

    @property
    def lifted(self) -> Any:
        return self._lift(self.tensor)

    def inputs(self) -> list["_Cursor"]:
        return [_Cursor(x, self._lift) for x in self._inputs_of(self.tensor)]

    @staticmethod
    def _inputs_of(tensor: Any) -> list[Any]:
        history = tensor._keras_history
        return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def _compose(lift: Callable[[Any], Any], nested: keras.Model, inputs: list[Any]) -> Any:
    def lift_nested(tensor: Any) -> Any:
        part = keras.Model(nested.inputs, tensor)
        lifted = [lift(x) for x in inputs]
        return part(lifted if len(lifted) > 1 else lifted[0])

    return lift_nested


def find_heads(model: keras.Model) -> ClassifierHeads:
    """Find the heads of a classifier: of our builders, or any that ends in pooling and Dense.

    Walks back from the model's output: an optional softmax or sigmoid, an optional
    `RelevanceCombine`, then for each head Dense, dropout and the like, and
    `GlobalAveragePooling2D`. Nested models (functional and Sequential) are entered.

    Args:
        model: A functional or Sequential `keras.Model` with one output.

    Raises:
        ValueError: If there is no such head; it says what stands in its place.
    """
    if not getattr(model, "outputs", None):
        raise ValueError(
            "build_explainer needs the graph of a functional or a built Sequential model. "
            f"Received: model={model.name!r} of type {type(model).__name__}"
        )
    if len(model.outputs) != 1:
        raise ValueError(
            "build_explainer needs a model with one output. "
            f"Received: model={model.name!r} with {len(model.outputs)} outputs"
        )
    cursor, activation = _skip_activation(_Cursor(model.outputs[0], lambda tensor: tensor), model)
    if isinstance(cursor.layer, RelevanceCombine):
        heads = tuple(_read_head(_skip_passive(x), model) for x in cursor.inputs())
        return ClassifierHeads(heads, cursor.layer, activation)
    head = _read_head(cursor, model)
    return ClassifierHeads((head,), None, activation or _name_activation(head.dense.activation))


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


def _read_head(cursor: _Cursor, model: keras.Model) -> Head:
    dense = cursor.layer
    if not isinstance(dense, keras.layers.Dense):
        raise _no_head(model, f"its logits come from {_describe(dense)}")
    activation = _name_activation(dense.activation)
    if activation not in (None, *_ACTIVATIONS):
        raise _no_head(model, f"the activation of Dense {dense.name!r} is {activation!r}")
    cursor = _skip_passive(cursor.inputs()[0])
    pool = cursor.layer
    if not isinstance(pool, keras.layers.GlobalAveragePooling2D):
        raise _no_head(model, f"Dense {dense.name!r} is fed by {_describe(pool)}")
    if pool.data_format != "channels_last":
        raise _no_head(model, f"{_describe(pool)} pools channels_first data")
    return Head(cursor.inputs()[0].lifted, dense)


def _name_activation(activation: Any) -> str | None:
    name = getattr(activation, "__name__", str(activation))
    return None if name == "linear" else name


def _describe(layer: Any) -> str:
    return f"{type(layer).__name__} {layer.name!r}"


def _no_head(model: keras.Model, reason: str) -> ValueError:
    return ValueError(
        "A class activation map needs a classifier that ends in GlobalAveragePooling2D and one "
        f"Dense layer (then, at most, softmax or sigmoid), but {reason}. "
        f"Received: model={model.name!r}"
    )
