"""Fit the heads alone, on the features of a frozen backbone: seconds instead of minutes."""

import logging
import math
import time
from dataclasses import dataclass

import keras
import numpy as np

from mscam_tf.data.manifests import Manifest
from mscam_tf.errors import RunError
from mscam_tf.runs import Run
from mscam_tf.training.features import VIEWS, FeatureReader, Features
from mscam_tf.training.objective import HeadObjective

# Of the pull back to the start, the strongest first.
STRENGTHS = (10.0, 1.0, 0.1, 0.01, 0.001, 0.0001)
_SLIGHT = 0.1  # Loss of an image whose class has a probability of 0.9: it is right all the same.
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
    objective = HeadObjective(model, run, weights, deep)
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
        The index of the first one whose mean loss exceeds the lowest by at most `0.1 / n`, which is
        no more than what one image that is told by 0.9 instead of 1 makes, or by at most one
        standard error of the difference, image by image.

    Examples:
        >>> import numpy as np
        >>> choose_strength(np.array([[0.9, 0.8, 0.7], [0.5, 0.1, 0.3], [0.1, 0.5, 0.2]]))
        1
    """
    best = losses[losses.mean(1).argmin()]
    excess = losses - best
    count = losses.shape[1]
    errors = excess.std(1, ddof=1) / math.sqrt(count) if count > 1 else np.zeros(len(losses))
    return int(np.argmax(excess.mean(1) <= np.maximum(errors, _SLIGHT / count)))


def _follow_path(
    objective: HeadObjective, train: Features, validation: Features
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the weights with each strength, and the losses of the validation images."""
    path, losses = [objective.get()], [objective.measure_each(validation)]
    for strength in STRENGTHS:
        means = [float(one.mean()) for one in losses]
        if means[-1] <= _SLIGHT / len(losses[-1]):  # No weaker one could be better by more.
            break
        path.append(objective.minimize(train, strength, path[0], path[-1]))
        losses.append(objective.measure_each(validation))
        if not np.isfinite(losses[-1]).all():
            raise RunError(
                "The heads cannot be fitted: their loss is no number. Give other weights "
                f"(--weights), or --tune all. Received: losses={[*means, math.nan]}"
            )
    return path, np.stack(losses)
