"""Limits for which no distribution is assumed: a threshold that new values seldom reach.

Of `n` independent values the threshold is put just above the largest but `k`. The share `R` of new
values that reach it is then distributed as `Beta(k + 1, n - k)`, whatever the values are (with
ties it is smaller); so `P(R <= rate) = P(Binomial(n, rate) > k)`. The number `k` is chosen by `n`
and the wanted rate before any value is seen, and the threshold by the values: that is why the
promise holds though both come from the same data. (S. S. Wilks, "Determination of sample sizes for
setting tolerance limits", Ann. Math. Statist. 12, 91-96, 1941.)
"""

from math import ceil, log1p
from numbers import Integral

import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.metrics.checks import to_array
from mscam_tf.metrics.proportions import check_share
from mscam_tf.settings import Number, check_value


def count_allowed(n: int, rate: float, confidence: float = 0.95) -> int | None:
    """Return how many of `n` values may reach a threshold that new ones reach at a rate at most.

    The largest `k` with `P(Binomial(n, rate) <= k) <= 1 - confidence`.

    Args:
        n: Independent values.
        rate: Wanted share of new values that reach the threshold, at most.
        confidence: Probability that the promise holds, over samples of `n` values.

    Returns:
        The number, or `None` where `n` values are too few to promise it.

    Raises:
        MscamError: If a share is not between 0 and 1, or `n` is no whole number of at least 0.

    Examples:
        >>> [count_allowed(n, 0.01) for n in (298, 299, 472, 473)]
        [None, 0, 0, 1]
    """
    from scipy.stats import binom

    check_value("n", n, Number(0, whole=True))
    check_share("rate", rate)
    check_share("confidence", confidence)
    count = int(binom.ppf(1 - confidence, n, rate))
    while count >= 0 and binom.cdf(count, n, rate) > 1 - confidence:
        count -= 1
    return count if count >= 0 else None


def count_needed(rate: float, confidence: float = 0.95) -> int:
    """Return how many values are needed to promise a rate, if none of them reaches the threshold.

    `log(1 - confidence) / log(1 - rate)`, rounded up.

    Raises:
        MscamError: If a share is not between 0 and 1.

    Examples:
        >>> count_needed(0.01), count_needed(0.005), count_needed(0.1)
        (299, 598, 29)
    """
    check_share("rate", rate)
    check_share("confidence", confidence)
    return ceil(log1p(-confidence) / log1p(-rate))


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
    values = to_array("values", values).astype(np.float64)
    right = values.ndim == 1 and isinstance(count, Integral) and 0 <= count < len(values)
    if not (right and np.isfinite(values).all()):
        raise MscamError(
            "`values` must be finite numbers (n,), and `count` from 0 to n - 1. "
            f"Received: shape {values.shape}, count={count}"
        )
    highest = np.float32(np.sort(values)[len(values) - 1 - count])
    return float(np.nextafter(highest, np.float32(np.inf)))
