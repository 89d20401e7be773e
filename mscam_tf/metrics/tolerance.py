"""Limits that no distribution is assumed for: order statistics."""

import numpy as np

from mscam_tf.errors import MscamError


def exceed_all_but(values: np.ndarray, count: int = 0) -> float:
    """Return the lowest threshold that at most `count` of the values reach.

    It lies just above the largest value but `count`: at the next number of float32, so that it is
    the same number when it was written and read.

    Args:
        values: Finite numbers, `(n,)`.
        count: How many values may reach the threshold: less than `n`.

    Raises:
        MscamError: If there are not more than `count` values, or one is no finite number.

    Examples:
        >>> threshold = exceed_all_but(np.array([3.0, 1.0, 2.0]), 1)
        >>> 2.0 < threshold < 2.000001
        True
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not 0 <= count < len(values) or not np.isfinite(values).all():
        raise MscamError(
            "`values` must be finite numbers (n,), and `count` from 0 to n - 1. "
            f"Received: shape {values.shape}, count={count}"
        )
    highest = np.float32(np.sort(values)[len(values) - 1 - count])
    return float(np.nextafter(highest, np.float32(np.inf)))
