"""Does a classifier look where its map says? It is asked again, with parts of the image covered."""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from mscam_tf.errors import MscamError
from mscam_tf.metrics.box_accuracy import scale_to_unit
from mscam_tf.metrics.checks import check_maps

Predict = Callable[[np.ndarray], np.ndarray]
_BATCH = 16


def deletion(
    predict: Predict, image: np.ndarray, map_: np.ndarray, steps: int = 100, fill: float = 0.0
) -> tuple[float, np.ndarray]:
    """Take away the pixels of an image, the highest of its map first, and watch the score fall.

    A map that points at what the classifier looks at makes the score fall early: low areas are
    good.

    Args:
        predict: Gives the score of the class, `(n,)`, of images `(n, H, W)`, `(n, H, W, channels)`.
        image: `(H, W)` or `(H, W, channels)`.
        map_: `(H, W)`, of the class.
        steps: In how many equal steps all pixels are taken.
        fill: The value that stands for nothing.

    Returns:
        The mean of the score over the share of pixels that is taken (trapezoids), in the unit of
        the score; and the score after each step, `(steps + 1,)`.

    Raises:
        MscamError: If map and image differ in size, or `predict` gives other than `(n,)`.

    Examples:
        >>> image = np.array([[0.0, 4.0, 0.0, 0.0]])
        >>> area, scores = deletion(lambda x: x.sum((1, 2)), image, image, steps=4)
        >>> area, scores
        (0.5, array([4., 0., 0., 0., 0.]))

    References:
        [Petsiuk et al., 2018](https://arxiv.org/abs/1806.07421): the deletion metric.
    """
    return _replace(predict, image, np.full_like(image, fill), map_, steps)


def insertion(
    predict: Predict, image: np.ndarray, map_: np.ndarray, steps: int = 100, blur: float = 5.0
) -> tuple[float, np.ndarray]:
    """Put the pixels of an image back into a blurred one, the highest of its map first.

    A map that points at what the classifier looks at makes the score rise early: high areas are
    good. Arguments and results are those of `deletion`, but for `blur`: the deviation of the
    Gaussian blur that is begun with, in pixels.

    Examples:
        >>> image = np.array([[0.0, 4.0, 0.0, 0.0]])
        >>> area, scores = insertion(lambda x: x.max((1, 2)), image, image, steps=4, blur=50)
        >>> round(area, 2), scores.round(1)
        (3.63, array([1., 4., 4., 4., 4.]))

    References:
        [Petsiuk et al., 2018](https://arxiv.org/abs/1806.07421): the insertion metric.
    """
    sides = (blur, blur) + (0.0,) * (np.ndim(image) - 2)
    blurred = gaussian_filter(np.asarray(image, float), sides).astype(np.asarray(image).dtype)
    return _replace(predict, blurred, image, map_, steps)


def _replace(
    predict: Predict, start: np.ndarray, end: np.ndarray, map_: np.ndarray, steps: int
) -> tuple[float, np.ndarray]:
    """Replace pixels of one image by those of another, in the order of a map."""
    (values,) = check_maps(2, map_=map_)
    if np.shape(start)[:2] != values.shape or steps < 1:
        raise MscamError(
            "`map_` must have the size of `image`, and `steps` be at least 1. "
            f"Received: {values.shape}, {np.shape(start)}, steps={steps}"
        )
    order = np.argsort(-values.astype(float), axis=None, kind="stable")
    ranks = np.argsort(order).reshape(values.shape + (1,) * (np.ndim(start) - 2))
    counts = np.round(np.linspace(0, len(order), steps + 1))
    scores = []
    for first in range(0, len(counts), _BATCH):
        batch = [np.where(ranks < count, end, start) for count in counts[first : first + _BATCH]]
        scores.append(_check_scores(predict(np.stack(batch)), len(batch)))
    found = np.concatenate(scores)
    return float(np.trapezoid(found) / steps), found


def _check_scores(scores: np.ndarray, count: int) -> np.ndarray:
    scores = np.asarray(scores, float)
    if scores.shape != (count,) or not np.isfinite(scores).all():
        raise MscamError(
            f"`predict` must give a finite score for each of {count} images. "
            f"Received: the shape {scores.shape}"
        )
    return scores


def cover_image(image: np.ndarray, map_: np.ndarray) -> np.ndarray:
    """Return what a map leaves of an image: its pixels times the map, scaled to `[0, 1]`.

    Args:
        image: `(H, W)` or `(H, W, channels)`.
        map_: `(H, W)`.

    Examples:
        >>> cover_image(np.array([[8.0, 8.0, 8.0]]), np.array([[-1.0, 0.0, 3.0]]))
        array([[0., 2., 8.]])

    References:
        [Chattopadhyay et al., 2018](https://arxiv.org/abs/1710.11063): explanation maps.
    """
    unit = scale_to_unit(map_)
    image = np.asarray(image)
    if image.shape[:2] != unit.shape:
        raise MscamError(
            f"`map_` must have the size of `image`. Received: {unit.shape}, {image.shape}"
        )
    covered: np.ndarray = image * unit.reshape(unit.shape + (1,) * (image.ndim - 2))
    return covered


def average_drop(whole: np.ndarray, covered: np.ndarray) -> float:
    """Return by which share the scores drop when images are covered but for what maps show.

    `mean max(0, Y - O) / Y`, with the score `Y` of the whole image and `O` of the covered one.

    Args:
        whole: Scores above 0, such as probabilities, `(n,)`.
        covered: Those of the covered images, from `cover_image`, `(n,)`.

    Returns:
        The share; 0 is best.

    Examples:
        >>> average_drop(np.array([0.5, 0.8]), np.array([0.25, 0.9]))
        0.25

    References:
        [Chattopadhyay et al., 2018](https://arxiv.org/abs/1710.11063): average drop.
    """
    whole, covered = check_maps(1, whole=whole, covered=covered)
    if (whole <= 0).any():
        raise MscamError(
            f"`whole` must be scores above 0, such as probabilities. Received: {whole.min()}"
        )
    return float(np.mean(np.maximum(whole - covered, 0) / whole))


def average_increase(whole: np.ndarray, covered: np.ndarray) -> float:
    """Return the share of images whose score rises when they are covered but for what maps show.

    Arguments are those of `average_drop`. The share is in `[0, 1]`; 1 is best.

    Examples:
        >>> average_increase(np.array([0.8, 0.5]), np.array([0.6, 0.9]))
        0.5

    References:
        [Chattopadhyay et al., 2018](https://arxiv.org/abs/1710.11063): increase in confidence.
    """
    whole, covered = check_maps(1, whole=whole, covered=covered)
    return float(np.mean(whole < covered))


def logit_sum_error(logits: np.ndarray, parts: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """Return how far the parts that a map accounts for are from the logit: `|z - sum_p - bias|`.

    Args:
        logits: `(..., C)`.
        parts: `(..., P, C)`, logits: what each scale, or each region and the rest, adds.
        biases: What is of no place, `(..., C)`.

    Returns:
        The errors, `(..., C)`, in logits. Maps that account for all have none but of rounding.

    Raises:
        MscamError: If the shapes do not fit.

    Examples:
        >>> logit_sum_error(np.array([3.25]), np.array([[0.5], [2.0], [0.5]]), np.array([0.25]))
        array([0.])

    References:
        [Zhou et al., 2016](https://arxiv.org/abs/1512.04150), section 2: the score of a class is
        the sum of its map.
    """
    (logits,), (parts,), (biases,) = (
        check_maps(**{name: values})
        for name, values in (("logits", logits), ("parts", parts), ("biases", biases))
    )
    if parts.ndim != logits.ndim + 1 or parts.shape[:-2] + parts.shape[-1:] != logits.shape:
        raise MscamError(
            "`parts` must have the shape (..., P, C) for `logits` (..., C). "
            f"Received: {parts.shape}, {logits.shape}"
        )
    errors: np.ndarray = np.abs(logits - parts.sum(-2) - biases)
    return errors
