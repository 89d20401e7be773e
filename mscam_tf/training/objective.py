"""The loss of a classifier's heads on features, and the weights of heads that minimise it."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from scipy.optimize import minimize

from mscam_tf.models import find_heads, pool_map
from mscam_tf.runs import Run
from mscam_tf.training.deep_supervision import DeepLoss, show_heads
from mscam_tf.training.features import Features

_EVALUATIONS = 20  # Of the loss, with each strength: each begins where the one before ended.
_BATCH = 128  # Features that are turned into float32 at once.


class HeadObjective:
    """The loss of the heads on features, as a function of all their weights in one vector.

    Args:
        model: The classifier of the run, whose heads are changed.
        run: The run.
        weights: The weight of each class, as `Task.weigh_classes` returns it.
        deep: Weight of a loss on the logits of each scale alone.
    """

    def __init__(
        self, model: keras.Model, run: Run, weights: dict[int, float] | None, deep: float
    ) -> None:
        heads = build_head_model(model)
        self._model = show_heads(heads) if deep else heads
        loss = run.task.make_loss()
        self._loss = DeepLoss(loss, deep) if deep else loss
        self._weights = weights
        self._variables = self._model.trainable_variables
        if keras.backend.backend() == "jax":
            self._compute = self._compile_jax()
        else:
            self._compute = tf.function(self._differentiate, reduce_retracing=True)

    def get(self) -> np.ndarray:
        """Return all weights, float64."""
        arrays = [keras.ops.convert_to_numpy(v).ravel() for v in self._variables]
        return np.concatenate(arrays).astype(np.float64)

    def put(self, vector: np.ndarray) -> None:
        """Set all weights."""
        ends = np.cumsum([int(np.prod(v.shape)) for v in self._variables])[:-1]
        for variable, values in zip(self._variables, np.split(vector, ends), strict=True):
            variable.assign(values.reshape(variable.shape))

    def measure_each(self, features: Features) -> np.ndarray:
        """Return the loss of each image, `(n,)`, with the weights as they are."""
        batches = features.batch(_BATCH)
        return np.concatenate([self._compute(*self._prepare(*one))[0] for one in batches])

    def minimize(
        self, features: Features, strength: float, start: np.ndarray, begin: np.ndarray
    ) -> np.ndarray:
        """Set, and return, the weights of the lowest loss with a pull back to the start."""

        def measure(vector: np.ndarray) -> tuple[float, np.ndarray]:
            self.put(vector)
            away = vector - start
            total, slope = 0.0, np.zeros_like(vector)
            for one in features.batch(_BATCH):
                losses, gradients = self._compute(*self._prepare(*one))
                total += float(np.sum(losses))
                slope += np.concatenate([np.ravel(g) for g in gradients])
            count = len(features.labels)
            pull = strength * away
            return total / count + 0.5 * float(pull @ away), slope / count + pull

        found = minimize(
            measure,
            begin,
            jac=True,
            bounds=self._list_bounds(),
            method="L-BFGS-B",
            options={"maxfun": _EVALUATIONS},
        )
        self.put(found.x)
        best: np.ndarray = found.x
        return best

    def _list_bounds(self) -> list[tuple[float, float]]:
        """List the lowest and the highest value of each weight: what constraints make of any."""
        bounds = []
        for variable in self._variables:
            ends = [np.full(variable.shape, value) for value in (-np.inf, np.inf)]
            if variable.constraint is not None:
                ends = [np.asarray(variable.constraint(end)) for end in ends]
            bounds += list(zip(*(end.ravel().tolist() for end in ends), strict=True))
        return bounds

    def _prepare(
        self, maps: Sequence[np.ndarray], labels: np.ndarray
    ) -> tuple[list[Any], Any, Any]:
        table = self._weights
        weights = np.ones(len(labels)) if table is None else [table[int(c)] for c in labels]
        floats = np.asarray(weights, np.float32)
        if keras.backend.backend() == "jax":
            return list(maps), labels, floats
        return [tf.constant(x) for x in maps], tf.constant(labels), tf.constant(floats)

    def _compile_jax(self) -> Callable[..., tuple[Any, list[Any]]]:
        import jax

        def measure(trained: list[Any], fixed: list[Any], *batch: Any) -> tuple[Any, Any]:
            maps, labels, weights = batch
            floats = [ops.cast(x, "float32") for x in maps]
            logits, _, added = self._model.stateless_call(
                trained, fixed, floats, training=False, return_losses=True
            )
            losses = weights * self._loss.call(labels, logits) + sum(added)
            return ops.sum(losses), losses

        slope = jax.jit(jax.value_and_grad(measure, has_aux=True))

        def compute(*batch: Any) -> tuple[Any, list[Any]]:
            fixed = [v.value for v in self._model.non_trainable_variables]
            (_, losses), gradients = slope([v.value for v in self._variables], fixed, *batch)
            return losses, gradients

        return compute

    def _differentiate(self, maps: Any, labels: Any, weights: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            logits = self._model([tf.cast(x, tf.float32) for x in maps], training=False)
            losses = weights * self._loss.call(labels, logits)
            if self._model.losses:  # The penalty of the relevance.
                losses += tf.add_n(self._model.losses)
            total = tf.reduce_sum(losses)
        return losses, tape.gradient(total, self._variables)


def build_head_model(model: keras.Model) -> keras.Model:
    """Build what a classifier makes of its feature maps: the same heads, without the backbone."""
    found = find_heads(model)
    maps = [keras.Input((None, None, head.feature_map.shape[-1])) for head in found.heads]
    pairs = zip(found.heads, maps, strict=True)
    logits = [pool_map(head.dense(x), head.pool) for head, x in pairs]
    return keras.Model(maps, found.relevance(logits) if found.relevance else logits[0])
