"""Fit the heads alone, on the features of a frozen backbone: seconds instead of minutes."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

from mscam_tf.data.manifests import Manifest
from mscam_tf.errors import RunError
from mscam_tf.models import find_heads, pool_map
from mscam_tf.runs import Run
from mscam_tf.training.deep_supervision import DeepLoss, show_heads
from mscam_tf.training.features import VIEWS, FeatureReader, Features

# Of the pull back to the start, the strongest first.
STRENGTHS = (10.0, 1.0, 0.1, 0.01, 0.001, 0.0001)
_EVALUATIONS = 20  # Of the loss, with each strength: each begins where the one before ended.
_NOTHING = 0.05  # A gain in loss that is none: few images say no more.
_BATCH = 128  # Features that are turned into float32 at once.
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeadFit:
    """How the heads were fitted.

    Attributes:
        images: Training images.
        views: Views of each.
        strengths: Strengths that were tried, the strongest first; infinity is the start itself.
        losses: The validation loss with each.
        strength: The one that was chosen.
    """

    images: int
    views: int
    strengths: tuple[float, ...]
    losses: tuple[float, ...]
    strength: float

    @property
    def loss(self) -> float:
        """The validation loss with the strength that was chosen."""
        return self.losses[self.strengths.index(self.strength)]


def fit_heads(
    model: keras.Model, run: Run, train: Manifest, validation: Manifest, deep: float = 0.0
) -> HeadFit:
    r"""Fit the heads and the relevance of a classifier; its backbone stays as it is.

    For the weights `w` of heads and relevance, which start at `w_0`, the mean loss over some views
    of each image plus `s / 2 |w - w_0|^2` is minimised: with a strong pull `s` they stay near the
    start, which is right for a handful of images; with a weak one they are free. Of several
    strengths, each begun where the one before ended, `choose_strength` takes one by the validation
    images. The start is among them.

    Args:
        model: The classifier of the run; its heads are changed.
        run: The run.
        train: Images to fit to.
        validation: Images by which the strength is chosen.
        deep: Weight of a loss on the logits of each scale alone.

    Returns:
        The `HeadFit`.

    Raises:
        RunError: If features or losses are no numbers.

    References:
        Hastie, Tibshirani and Friedman, 2009, "The Elements of Statistical Learning", 2nd edition,
        section 7.10: the rule of one standard error. Kumar et al., 2022,
        [arXiv:2202.10054](https://arxiv.org/abs/2202.10054): heads first, then all.
    """
    began, reader = time.monotonic(), FeatureReader(model, run)
    weights = run.task.weigh_classes(train) if run.config.balance else None
    chosen, views = reader.choose(train, VIEWS)
    held_out, _ = reader.choose(validation, 1)
    objective = _Objective(model, run, weights, deep)
    path, losses = _follow_path(objective, reader.read(chosen, views), reader.read(held_out))
    best = choose_strength(losses)
    objective.put(path[best])
    tried = (math.inf, *STRENGTHS)[: len(path)]
    means = tuple(losses.mean(1).tolist())
    fit = HeadFit(len(chosen.samples), views, tried, means, tried[best])
    _LOGGER.warning(
        "The heads were fitted to %d views of %d images in %.0f s. Validation loss: %.3f "
        "(%.3f at their start).",
        *(views, fit.images, time.monotonic() - began),
        *(fit.loss, fit.losses[0]),
    )
    return fit


def choose_strength(losses: np.ndarray) -> int:
    """Return the first strength that is not clearly worse than the best one.

    Args:
        losses: Of each validation image `(n,)` with each strength, `(strengths, n)`, the strongest
            first.

    Returns:
        The index of the first one whose mean loss exceeds the lowest by at most 0.05, or by at most
        one standard error of the difference, image by image.

    Examples:
        >>> import numpy as np
        >>> choose_strength(np.array([[0.9, 0.8, 0.7], [0.5, 0.1, 0.3], [0.1, 0.5, 0.2]]))
        1
    """
    best = losses[losses.mean(1).argmin()]
    excess = losses - best
    count = losses.shape[1]
    errors = excess.std(1, ddof=1) / math.sqrt(count) if count > 1 else np.zeros(len(losses))
    return int(np.argmax(excess.mean(1) <= np.maximum(errors, _NOTHING)))


def _follow_path(
    objective: "_Objective", train: Features, validation: Features
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the weights with each strength, and the losses of the validation images."""
    path, losses = [objective.get()], [objective.measure_each(validation)]
    for strength in STRENGTHS:
        means = [float(one.mean()) for one in losses]
        if means[-1] <= _NOTHING:  # No weaker one could be better by more.
            break
        path.append(objective.minimize(train, strength, path[0], path[-1]))
        losses.append(objective.measure_each(validation))
        if not np.isfinite(losses[-1]).all():
            raise RunError(
                "The heads cannot be fitted: their loss is no number. Give other weights "
                f"(--weights), or --tune all. Received: losses={[*means, math.nan]}"
            )
    return path, np.stack(losses)


class _Objective:
    """The loss of the heads on features, as a function of all their weights in one vector."""

    def __init__(
        self, model: keras.Model, run: Run, weights: dict[int, float] | None, deep: float
    ) -> None:
        heads = build_head_model(model)
        self._model = show_heads(heads) if deep else heads
        loss = run.task.make_loss()
        self._loss = DeepLoss(loss, deep) if deep else loss
        self._weights = weights
        self._variables = heads.trainable_variables
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
        return [tf.constant(x) for x in maps], tf.constant(labels), tf.constant(weights, tf.float32)

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
