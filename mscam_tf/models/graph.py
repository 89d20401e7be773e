"""Walk the graph of a Keras model backwards, into the models nested in it.

Keras has no public way from a tensor to the layer that made it: all private attributes that this
library needs of it are read here, and nowhere else.
"""

from collections.abc import Iterator
from typing import Any

import keras


class _Level:
    """The graph of a model, or of one nested in it: how its tensors appear in the outermost."""

    def lift(self, tensors: list[Any]) -> list[Any]:
        """Return the tensors of the outermost graph that these tensors of this one become."""
        return tensors

    def leave(self, tensor: Any) -> list["Cursor"]:  # noqa: ARG002
        """Return a cursor at what is given to an input of the model; the outermost gets images."""
        return []

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this call of a model from others."""
        return ()


class _NestedLevel(_Level):
    def __init__(self, parent: _Level, model: keras.Model, inputs: list[Any]) -> None:
        self._parent = parent
        self._model = model
        self._inputs = inputs

    def lift(self, tensors: list[Any]) -> list[Any]:
        inputs = self._parent.lift(self._inputs)
        part = keras.Model(_unpack(self._model.inputs), tensors)
        return list(part(_unpack(inputs)))

    def leave(self, tensor: Any) -> list["Cursor"]:
        given = zip(self._model.inputs, self._inputs, strict=True)
        return [Cursor(value, self._parent) for wanted, value in given if wanted is tensor]

    @property
    def key(self) -> tuple[Any, ...]:
        return (*self._parent.key, id(self._model), *map(id, self._inputs))


class Cursor:
    """A tensor in a graph, and the layer that makes it, which may sit deep in nested models."""

    def __init__(self, tensor: Any, level: _Level | None = None) -> None:
        # Where the tensor is used: from here it is lifted, so that no nested model runs twice.
        self.tensor, self.level = tensor, level or _Level()
        made, made_at = self.tensor, self.level
        while _has_graph(nested := made._keras_history.operation):
            made_at = _NestedLevel(made_at, nested, _inputs_of(made))
            made = nested.outputs[made._keras_history.tensor_index]
        self._made, self._made_at = made, made_at

    @property
    def layer(self) -> Any:
        """The layer that makes the tensor."""
        return self._made._keras_history.operation

    @property
    def operation(self) -> str:
        """The name of the operation of `keras.ops` that makes the tensor; of a layer, nothing."""
        kind = type(self.layer)
        own = kind.__module__.startswith("keras.") and not issubclass(kind, keras.Layer)
        return kind.__name__ if own else ""

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The positional arguments with which the layer was called."""
        return tuple(_node_of(self._made).arguments.args)

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for all cursors at one tensor, wherever it is used."""
        return (*self._made_at.key, id(self._made))

    def inputs(self) -> list["Cursor"]:
        """Return cursors at the tensors that the layer reads, also those from around its model."""
        if isinstance(self.layer, keras.layers.InputLayer):
            return self._made_at.leave(self._made)
        return [Cursor(x, self._made_at) for x in _inputs_of(self._made)]

    def step(self) -> tuple[list[Any], Any]:
        """Return the tensors that the layer reads and the one that it makes, in its own graph."""
        return _inputs_of(self._made), self._made


def lift(cursors: list[Cursor]) -> list[Any]:
    """Return the tensors of the outermost graph that those at the cursors become.

    All of a level are lifted at once: one by one, each would run its nested model again.
    """
    lifted: dict[int, Any] = {}
    for level in {cursor.level for cursor in cursors}:
        tensors = [cursor.tensor for cursor in cursors if cursor.level is level]
        lifted |= dict(zip(map(id, tensors), level.lift(tensors), strict=True))
    return [lifted[id(cursor.tensor)] for cursor in cursors]


def find_inputs(model: keras.Model, layer: keras.Layer) -> list[Any]:
    """Return the tensors of a model's graph that a layer in it reads, in nested models too."""
    pending, seen = [Cursor(tensor) for tensor in model.outputs], set()
    while pending:
        cursor = pending.pop()
        if cursor.layer is layer:
            return lift(cursor.inputs())
        if id(cursor.tensor) not in seen:
            seen.add(id(cursor.tensor))
            pending.extend(cursor.inputs())
    raise KeyError(f"{model.name!r} does not call its layer {layer.name!r}")


def walk_layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers of a model and of all models nested in it, in the order of the graph."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from walk_layers(layer)
        else:
            yield layer


def describe(layer: Any) -> str:
    """Name a layer, or an operation, by its class and its name."""
    return f"{type(layer).__name__} {layer.name!r}"


def _has_graph(operation: Any) -> bool:
    return isinstance(operation, keras.Model) and bool(getattr(operation, "outputs", None))


def _inputs_of(tensor: Any) -> list[Any]:
    return list(_node_of(tensor).input_tensors)


def _node_of(tensor: Any) -> Any:
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _unpack(values: list[Any]) -> Any:
    return values if len(values) > 1 else values[0]
