"""Does a curve have the shape of the hits and misses? Hosmer and Lemeshow's test."""

import numpy as np
from scipy.stats import chi2

_BINS = 10


def measure_misfit(sizes: np.ndarray, hits: np.ndarray, rates: np.ndarray) -> float:
    """Return the p-value of Hosmer and Lemeshow's test: a small one says that a curve fits badly.

    Objects are put into ten bins by size, each as large as the others, but those of one size are
    all in the same: which bin they were in would hang on their order, and where objects have few
    sizes, as test pieces do, the test would be one of that order.

    Args:
        sizes: Of each object, `(n,)`.
        hits: Whether each was found, `(n,)` of booleans.
        rates: Probabilities of detection by the curve, `(n,)`, of two fitted numbers.

    Returns:
        The p-value; NaN of fewer than three bins, which any curve fits.

    References:
        D. W. Hosmer and S. Lemeshow, "Goodness of fit tests for the multiple logistic regression
        model", Communications in Statistics A9, 1043-1069, 1980.
    """
    bins = _number_bins(sizes)
    counts = np.bincount(bins)
    if len(counts) < 3:
        return float("nan")
    found, expected = (np.bincount(bins, values) for values in (hits, rates))
    with np.errstate(divide="ignore", invalid="ignore"):  # A rate of 1 where all are found.
        costs = (found - expected) ** 2 / (expected * (1 - expected / counts))
    return float(chi2.sf(np.nansum(costs), len(counts) - 2))


def _number_bins(sizes: np.ndarray) -> np.ndarray:
    """Return the bin of each object, `(n,)`, from 0 on: that of the first one of its size."""
    parts = np.array_split(np.arange(len(sizes)), _BINS)
    ranks = np.repeat(np.arange(_BINS), [len(part) for part in parts])
    _, same, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    firsts = np.cumsum(counts) - counts
    numbers: np.ndarray = np.unique(ranks[firsts[same]], return_inverse=True)[1]
    return numbers
