"""Find the heads (global average pooling, then linear layers) of any Keras classifier."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.errors import MscamError
from mscam_tf.models.graph import Cursor, describe, lift, walk_layers
from mscam_tf.models.linear import count_outputs, fold_layers
from mscam_tf.models.pooling import SoftPool
from mscam_tf.models.relevance import RelevanceCombine
from mscam_tf.models.tracing import Trace, check_linear, skip_activation, trace_head


@dataclass(frozen=True)
class Head:
    """A head, and the feature map that it reads: a symbolic tensor `(batch, H, W, K)`.

    Its layers are linear at inference: Dense, 1 x 1 convolutions, batch normalization. The map that
    they make is pooled by `pool`, or by its mean if that is `None`; the order of the two does not
    matter for the mean.
    """

    feature_map: Any
    layers: tuple[keras.Layer, ...]
    pool: SoftPool | None = None

    @property
    def num_classes(self) -> int:
        """How many logits it makes."""
        return count_outputs(self.layers)

    @property
    def dense(self) -> keras.layers.Dense:
        """Its one Dense layer, whose weights can be set.

        Raises:
            MscamError: If it is made of other layers.
        """
        if len(self.layers) == 1 and isinstance(self.layers[0], keras.layers.Dense):
            return self.layers[0]
        raise MscamError(
            "Heads whose weights are set must be one Dense layer each. "
            f"Received: a head of {', '.join(map(describe, self.layers))}"
        )

    def fold(self) -> tuple[Any, Any]:
        """Return kernel `(K, C)` and bias `(C,)` of all its layers, float32, as they are now."""
        return fold_layers(self.layers)


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
    `RelevanceCombine`, then for each head layers that are linear at inference (Dense, 1 x 1
    convolutions, batch normalization; dropout and the like) and `GlobalAveragePooling2D`, which
    may also stand before them; or `SoftPool`, then these. Nested models (functional and Sequential)
    are entered.

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
    cursor, activation = skip_activation(Cursor(model.outputs[0]), model)
    relevance = find_relevance(model)
    if relevance is not None and cursor.layer is relevance:
        found = [trace_head(x, model) for x in cursor.inputs()]
        for one in found:
            check_linear(one, model, "RelevanceCombine")
        return ClassifierHeads(_lift_heads(found), relevance, activation)
    found = [trace_head(cursor, model)]
    if activation is not None:
        check_linear(found[0], model, f"the final {activation}")
    return ClassifierHeads(_lift_heads(found), None, activation or found[0].activation)


def _lift_heads(found: list[Trace]) -> tuple[Head, ...]:
    feature_maps = lift([one.cursor for one in found])
    return tuple(
        Head(
            _put_channels_last(feature_map, one.pool),
            tuple(one.layers),
            one.pool if isinstance(one.pool, SoftPool) else None,
        )
        for feature_map, one in zip(feature_maps, found, strict=True)
    )


def _put_channels_last(feature_map: Any, pool: Any) -> Any:
    is_first = getattr(pool, "data_format", None) == "channels_first"
    return ops.transpose(feature_map, (0, 2, 3, 1)) if is_first else feature_map


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
