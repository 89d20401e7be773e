"""PxAP: pixels of maps against masks, by the protocol of weakly supervised localization."""

from collections.abc import Iterable

import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.metrics.box_accuracy import INTERVAL
from mscam_tf.metrics.checks import check_maps, pair

_EDGES = np.append(np.arange(0, 1, INTERVAL), [1.0, 2.0])


def count_pixels(
    map_: np.ndarray, mask: np.ndarray, ignored: np.ndarray | None = None
) -> np.ndarray:
    """Count the pixels of a map by their values, in the mask and beside it.

    Args:
        map_: `(H, W)`, from 0 to 1; see `scale_to_unit`.
        mask: `(H, W)`, nonzero where the objects are.
        ignored: `(H, W)`, nonzero where pixels outside of the mask do not count.

    Returns:
        Counts, `(2, 1001)`: of pixels in objects and of others, for values from 0, 0.001, ... on.

    Raises:
        MscamError: If the map leaves `[0, 1]`, or the shapes differ.
    """
    ignored = np.zeros(np.shape(mask), bool) if ignored is None else ignored
    values, mask, ignored = check_maps(2, map_=map_, mask=mask, ignored=ignored)
    if values.min() < 0 or values.max() > 1:
        raise MscamError(
            "`map_` must lie in [0, 1]: see `scale_to_unit`. "
            f"Received: {values.min():g} to {values.max():g}"
        )
    inside = mask > 0
    parts = (values[inside], values[~inside & ~(ignored > 0)])
    return np.stack([np.histogram(part, _EDGES)[0] for part in parts])


def average_precision_of_counts(counts: np.ndarray) -> float:
    """Return the average precision of pixels that were counted by their values.

    `AP = sum_k P_k (R_k - R_{k - 1})` over thresholds from the highest value down, with precision
    `P` and recall `R` of the pixels from a threshold on.

    Args:
        counts: `(2, K)`, rising: pixels in objects, and others; as from `count_pixels`, or a sum.

    Returns:
        The average precision, in `[0, 1]`; NaN without a pixel in an object.

    Raises:
        MscamError: If a count is no finite number of at least 0, or there are not two rows.

    Examples:
        >>> average_precision_of_counts(np.array([[1, 0, 1], [0, 2, 1]]))
        0.45
    """
    (counts,) = check_maps(2, counts=counts)
    if len(counts) != 2 or counts.min() < 0:
        raise MscamError(
            "`counts` must be two rows of numbers of at least 0. "
            f"Received: the shape {counts.shape}, the lowest {counts.min():g}"
        )
    right, wrong = np.cumsum(counts[:, ::-1], axis=1, dtype=float)
    if not right[-1]:
        return float("nan")
    precision = right / np.maximum(right + wrong, np.finfo(float).tiny)
    return float(precision @ np.diff(right, prepend=0.0) / right[-1])


def pxap(
    maps: Iterable[np.ndarray],
    masks: Iterable[np.ndarray],
    ignored: Iterable[np.ndarray | None] | None = None,
) -> float:
    """Return PxAP: the average precision of the pixels of all maps together, over 1,001 values.

    Args:
        maps: For each image a map, `(H, W)`, from 0 to 1; see `scale_to_unit`.
        masks: For each image its mask, `(H, W)`, nonzero where the objects are.
        ignored: For each image where pixels outside of its mask do not count, if anywhere.

    Returns:
        The average precision, in `[0, 1]`; by chance it is the share of pixels in objects. NaN
        without any object.

    Examples:
        >>> pxap([np.array([[1.0, 0.5], [0.0, 0.2]])], [np.array([[0, 1], [0, 0]])])
        0.5

    References:
        [Choe et al., 2020](https://arxiv.org/abs/2001.07437): PxAP. The published code
        (`wsolevaluation`) has the same thresholds.
    """
    masks = list(masks)
    ignored = [None] * len(masks) if ignored is None else ignored
    counts = np.zeros((2, len(_EDGES) - 1), int)
    for parts in pair(maps=maps, masks=masks, ignored=ignored):
        counts += count_pixels(*parts)
    return average_precision_of_counts(counts)
