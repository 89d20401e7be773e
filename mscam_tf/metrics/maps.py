"""Scores of maps: do they show where the object is? Maps with NaN or infinity are refused."""

import math

import numpy as np
from sklearn.metrics import average_precision_score

from mscam_tf.metrics.checks import check_maps
from mscam_tf.settings import check_setting


def pixel_average_precision(maps: np.ndarray, masks: np.ndarray) -> tuple[float, float]:
    """Return how well the values of maps tell pixels of objects from others, and the prevalence.

    The average precision over all pixels of all images together, so that one threshold must fit
    all images, as in use. Random maps have an average precision equal to the prevalence.

    Args:
        maps: `(n, H, W)`.
        masks: `(n, H, W)`, nonzero where the objects are.

    Returns:
        The average precision and the share of pixels in objects, both in `[0, 1]`. Without any
        object the first is NaN.

    Examples:
        >>> import numpy as np
        >>> masks = np.array([[[True, False], [False, False]]])
        >>> pixel_average_precision(np.array([[[2.0, 3.0], [0.0, 1.0]]]), masks)
        (0.5, 0.25)
    """
    maps, masks = check_maps(maps=maps, masks=masks)
    masks = masks > 0
    if not masks.any():
        return math.nan, 0.0
    precision = average_precision_score(masks.ravel(), maps.ravel())
    return float(precision), float(masks.mean())


def points_at(values: np.ndarray, mask: np.ndarray, tolerance: float = 3.0) -> bool:
    """Return whether the brightest pixel of a map lies on an object (the pointing game).

    A map that is the same everywhere points nowhere. Of several brightest pixels the first counts,
    by rows.

    Args:
        values: A map, `(H, W)`.
        mask: `(H, W)`, nonzero where the objects are.
        tolerance: Distance in pixels at which a miss still counts as a hit.

    Examples:
        >>> import numpy as np
        >>> values, mask = np.zeros((9, 9)), np.zeros((9, 9), bool)
        >>> values[4, 4], mask[4, 7] = 1, True
        >>> points_at(values, mask), points_at(values, mask, tolerance=2)
        (True, False)

    References:
        [Zhang et al., 2018](https://arxiv.org/abs/1608.00507), section 4.2.
    """
    check_setting("tolerance", tolerance)
    values, mask = check_maps(2, values=values, mask=mask)
    if values.min() == values.max():
        return False
    row, column = np.unravel_index(values.argmax(), values.shape)
    rows, columns = np.nonzero(mask)
    return bool(((rows - row) ** 2 + (columns - column) ** 2 <= tolerance**2).any())


def energy_inside(values: np.ndarray, mask: np.ndarray) -> float:
    """Return which share of a map's positive values lies on objects, in `[0, 1]`.

    Zero if no value of the map is positive.

    Examples:
        >>> import numpy as np
        >>> energy_inside(np.array([[3.0, 1.0, -4.0]]), np.array([[True, False, False]]))
        0.75

    References:
        [Wang et al., 2020](https://arxiv.org/abs/1910.01279), section 4.3: energy-based pointing
        game.
    """
    values, mask = check_maps(values=values, mask=mask)
    positive = np.maximum(values, 0)
    total = positive.sum()
    return float(positive[mask > 0].sum() / total) if total else 0.0
