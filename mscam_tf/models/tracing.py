"""Walk back from the logits of a classifier to the feature map that a head of it reads."""

from dataclasses import dataclass, field
from typing import Any

import keras

from mscam_tf.errors import MscamError
from mscam_tf.models.graph import Cursor, describe
from mscam_tf.models.linear import LINEAR, explain_nonlinear, has_kernel
from mscam_tf.models.pooling import SoftPool

_ACTIVATIONS = ("softmax", "sigmoid")
_PASSIVE = (  # They leave the values, or only their layout, unchanged at inference.
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.ActivityRegularization,
    keras.layers.Identity,
)
_POOLS = (keras.layers.GlobalAveragePooling2D, SoftPool)


@dataclass
class Trace:
    """A head on the way back through the graph: what was met, and where the walk is."""

    cursor: Cursor
    layers: list[keras.Layer] = field(default_factory=list)
    pool: keras.Layer | None = None
    activation: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the cursor is at the feature map."""
        return self.pool is not None and has_kernel(self.layers)

    @property
    def last(self) -> keras.Layer | None:
        """What the layer at the cursor feeds."""
        if self.pool is not None and not has_kernel(self.layers):
            return self.pool
        return self.layers[0] if self.layers else None


def check_linear(found: Trace, model: keras.Model, after: str) -> None:
    """Refuse a head that applies an activation before another layer of the model."""
    if found.activation is not None:
        name = describe(found.layers[-1])
        raise _no_head(model, f"{name} applies {found.activation!r} before {after}")


def skip_activation(cursor: Cursor, model: keras.Model) -> tuple[Cursor, str | None]:
    """Return a cursor before the final activation of a model, and which it is, if there is one."""
    cursor = _skip_passive(cursor)
    layer = cursor.layer
    if not isinstance(layer, keras.layers.Activation | keras.layers.Softmax):
        return cursor, None
    name = "softmax"
    if isinstance(layer, keras.layers.Activation):
        name = str(_name_activation(layer.activation))
    if name not in _ACTIVATIONS:
        raise _no_head(model, f"its output is the activation {name!r} of layer {layer.name!r}")
    return _skip_passive(cursor.inputs()[0]), name


def _skip_passive(cursor: Cursor) -> Cursor:
    while _is_passive(cursor):
        cursor = cursor.inputs()[0]
    return cursor


def _is_passive(cursor: Cursor) -> bool:
    layer = cursor.layer
    if isinstance(layer, keras.layers.Flatten | keras.layers.Reshape):
        (given, *_), made = cursor.step()
        return all(set(x.shape[1:-1]) <= {1} for x in (given, made))  # Nothing but channels.
    if isinstance(layer, keras.layers.Activation):
        return _name_activation(layer.activation) is None
    return isinstance(layer, _PASSIVE)


def trace_head(cursor: Cursor, model: keras.Model) -> Trace:
    """Walk back from logits to the feature map of their head.

    Args:
        cursor: At the logits.
        model: The classifier, for the messages.

    Raises:
        MscamError: If what stands between them is not linear; it is named.
    """
    found = Trace(cursor)
    while not found.is_complete:
        found.cursor = _skip_passive(found.cursor)
        layer = found.cursor.layer
        if isinstance(layer, _POOLS) and found.pool is None:
            _add_pool(layer, found, model)
        elif isinstance(layer, LINEAR):
            _add_linear(layer, found, model)
        elif found.last is None:
            raise _no_head(model, f"its logits come from {describe(layer)}")
        else:
            raise _no_head(model, f"{describe(found.last)} is fed by {describe(layer)}")
        found.cursor = found.cursor.inputs()[0]
    if isinstance(found.pool, SoftPool):
        found.cursor = _skip_passive(found.cursor)
    return found


def _add_pool(layer: Any, found: Trace, model: keras.Model) -> None:
    if isinstance(layer, SoftPool) and found.layers:
        raise _no_head(model, f"{describe(found.layers[0])} comes after {describe(layer)}")
    found.pool = layer


def _add_linear(layer: Any, found: Trace, model: keras.Model) -> None:
    (given, *_), _ = found.cursor.step()
    if reason := explain_nonlinear(layer, len(given.shape)):
        raise _no_head(model, reason)
    activation = _name_activation(getattr(layer, "activation", keras.activations.linear))
    if activation is not None and found.last is not None:
        after = describe(found.last)
        raise _no_head(model, f"{describe(layer)} applies {activation!r} before {after}")
    if activation not in (None, *_ACTIVATIONS):
        raise _no_head(model, f"the activation of {describe(layer)} is {activation!r}")
    found.activation = found.activation or activation
    found.layers.insert(0, layer)


def _name_activation(activation: Any) -> str | None:
    name = getattr(activation, "__name__", str(activation))
    return None if name == "linear" else name


def _no_head(model: keras.Model, reason: str) -> MscamError:
    return MscamError(
        "A class activation map needs a classifier that ends in GlobalAveragePooling2D and linear "
        "layers: Dense, 1 x 1 convolution or batch normalization (then, at most, softmax or "
        f"sigmoid), but {reason}. "
        f"Received: model={model.name!r}"
    )
