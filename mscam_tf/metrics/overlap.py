"""How much the maps of two classes lie on the same places."""

import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.metrics.checks import check_maps


def center_maps(maps: np.ndarray) -> np.ndarray:
    """Return maps `(H, W, C)` relative to their mean over the classes, in logits.

    Examples:
        >>> import numpy as np
        >>> center_maps(np.array([[[5.0, 7.0, 9.0]]]))
        array([[[-2.,  0.,  2.]]])
    """
    (maps,) = check_maps(maps=maps)
    if maps.ndim < 3:
        raise MscamError(f"`maps` must have the shape (H, W, C). Received: {maps.shape}")
    centered: np.ndarray = maps - maps.mean(-1, keepdims=True)
    return centered


def soft_iou(first: np.ndarray, second: np.ndarray) -> float:
    """Return the soft intersection over union of the positive evidence of two maps.

    `sum min(a, b) / sum max(a, b)` over all pixels, with `a` and `b` the maps' positive parts: 1 if
    they are equal, 0 if they are positive on no common place.

    Args:
        first: A map, `(H, W)`, logits.
        second: Another, `(H, W)`.

    Returns:
        The overlap, in `[0, 1]`.

    Examples:
        >>> import numpy as np
        >>> soft_iou(np.array([[3.0, 1.0, -2.0]]), np.array([[1.0, 2.0, 5.0]]))
        0.2

    References:
        Ruzicka, 1958: the weighted Jaccard index. Lee and Cho, 2021, section 4.3, compare such maps
        by eye.
    """
    first, second = check_maps(first=first, second=second)
    a, b = np.maximum(first, 0), np.maximum(second, 0)
    union = float(np.maximum(a, b).sum())
    return float(np.minimum(a, b).sum()) / union if union else 0.0


def place_overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Return how much the positive evidence of two maps lies on the same places.

    `sum min(a / sum a, b / sum b)` over all pixels, with `a` and `b` the maps' positive parts: 1 if
    one is a multiple of the other, 0 if they are positive on no common place. Unlike `soft_iou`, it
    does not depend on how strong the evidence is, which the logits already say.

    Args:
        first: A map, `(H, W)`, logits.
        second: Another, `(H, W)`.

    Returns:
        The overlap, in `[0, 1]`; NaN if one of the maps is nowhere positive.

    Examples:
        >>> import numpy as np
        >>> place_overlap(np.array([[3.0, 1.0, -2.0]]), np.array([[1.0, 2.0, 5.0]]))
        0.375

    References:
        Swain and Ballard, 1991, equation 1: histogram intersection.
    """
    first, second = check_maps(first=first, second=second)
    a, b = np.maximum(first, 0), np.maximum(second, 0)
    if not a.any() or not b.any():
        return float("nan")
    return float(np.minimum(a / a.sum(), b / b.sum()).sum())


def threshold_iou(
    first: np.ndarray, second: np.ndarray, threshold: float | tuple[float, float]
) -> float:
    """Return the intersection over union of the regions in which two maps reach a threshold.

    Args:
        first: A map, `(H, W)`, logits.
        second: Another, `(H, W)`.
        threshold: In logits; of each map, if there are two.

    Returns:
        The overlap, in `[0, 1]`; 0 where neither map reaches the threshold.

    Examples:
        >>> import numpy as np
        >>> threshold_iou(np.array([[3.0, 2.0, 0.0]]), np.array([[1.0, 2.0, 5.0]]), 1.5)
        0.3333333333333333
    """
    first, second = check_maps(first=first, second=second)
    limits = np.asarray(threshold)
    if limits.dtype.kind not in "uif" or limits.shape not in ((), (2,)) or np.isnan(limits).any():
        raise MscamError(
            f"`threshold` must be one number, or two. Received: threshold={threshold!r}"
        )
    low, high = np.broadcast_to(limits, 2)
    a, b = first >= low, second >= high
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 0.0


def map_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Pearson's correlation of the values of two maps, in `[-1, 1]`.

    It does not change with the units or the zero of either map. NaN if one of the maps is constant.

    Examples:
        >>> import numpy as np
        >>> map_correlation(np.array([[0.0, 1.0, 2.0]]), np.array([[5.0, 3.0, 1.0]]))
        -1.0
    """
    maps = check_maps(first=first, second=second)
    if any(values.min() == values.max() for values in maps):  # Their mean may be rounded.
        return float("nan")
    a, b = (_center(values.ravel() / np.abs(values).max()) for values in maps)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def _center(values: np.ndarray) -> np.ndarray:
    centered: np.ndarray = values - values.mean()
    return centered
