r"""How far a line of hits and misses is from the best one: the signed root of the likelihood ratio.

With `l` the log likelihood, `r = sign * sqrt(2 (l(best) - l(line)))` is nearly normal; where the
data are few, its mean is not zero, and bounds made of it are too narrow. Skovgaard's correction
`r* = r + log(u / r) / r` is normal to a higher order. In the parameters (value of the line at the
place, slope), with `^` for the best line and `~` for the best one through the value,

`u = [S^-1 q]_1 |j^|^(1/2) |i^|^-1 |S| / j~_22^(1/2)`,

where `j` is the observed and `i` the expected information, `S` the covariance of the scores at
both, and `q` that of the score and the difference of the log likelihoods, under the best line.
(I. M. Skovgaard, "An explicit large-deviation approximation to one-parameter tests", Bernoulli 2,
145-165, 1996; A. R. Brazzale, A. C. Davison and N. Reid, Applied Asymptotics, 2007, chapter 2.)
"""

from collections.abc import Callable

import numpy as np
from scipy.special import log_ndtr

from mscam_tf.metrics.likelihood import BinaryLikelihood

_SMALL = 0.02  # Where `r` is nearly zero, the correction is 0 / 0.
_STEPS = 14  # Doublings within which an end is looked for, from a tenth of a step on.


def measure_root(
    likelihood: BinaryLikelihood,
    best: tuple[float, float],
    x: float,
    line: float,
    *,
    corrected: bool = True,
) -> float:
    """Return `r*` of lines that have a value at a place: above 0 if the best is higher there.

    Args:
        likelihood: Of the hits and misses.
        best: Intercept and slope of its maximum.
        x: The place.
        line: The value there.
        corrected: Whether to correct `r`; with Firth's penalty it is left as it is.
    """
    slope = likelihood.steepen(x, line, best[1])
    lost = likelihood.evaluate(*best) - likelihood.evaluate(line - slope * x, slope)
    root = float(np.sign(best[0] + best[1] * x - line) * np.sqrt(max(2 * lost, 0)))
    if likelihood.penalized or not corrected or abs(root) < _SMALL:
        return root
    ratio = _measure_distance(likelihood, best, x, line, slope) / root
    return root + float(np.log(ratio)) / root if ratio > 0 else root


def _measure_distance(
    likelihood: BinaryLikelihood, best: tuple[float, float], x: float, value: float, slope: float
) -> float:
    """Return `u`."""
    beside = likelihood.x - x
    rows = np.stack([np.ones_like(beside), beside])
    high = best[0] + best[1] * likelihood.x
    low = value + slope * beside
    variances, changes = likelihood.variances(high), likelihood.rate_changes(high)
    expected = _weigh(rows, changes**2 * variances)
    scores = _weigh(rows, changes * likelihood.rate_changes(low) * variances)
    covariance = rows @ (changes * variances * _compare(likelihood.link, high, low))
    observed = _weigh(rows, likelihood.curvatures(high))
    along = (likelihood.curvatures(low) * beside**2).sum()
    distance = np.linalg.solve(scores, covariance)[0]
    sizes = np.linalg.det(scores) / np.linalg.det(expected)
    return float(distance * sizes * np.sqrt(np.linalg.det(observed) / along))


def _weigh(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    product: np.ndarray = (rows * weights) @ rows.T
    return product


def _compare(link: str, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Return the difference of the log odds of two lines."""
    if link == "logit":
        return high - low
    odds = [log_ndtr(line) - log_ndtr(-line) for line in (high, low)]
    return np.asarray(odds[0] - odds[1])


def find_end(cost: Callable[[float], float], start: float, step: float) -> float:
    """Return where a cost that rises from `start` on becomes zero, or infinity.

    Args:
        cost: Below zero at the start.
        start: Where to begin.
        step: How far the end may be, about, and on which side.
    """
    from scipy.optimize import brentq

    last = start
    for doubling in range(_STEPS):
        value = start + 0.1 * step * 2**doubling
        if cost(value) > 0:
            return float(brentq(cost, last, value, xtol=1e-6 * abs(step)))
        last = value
    return float(np.copysign(np.inf, step))
