"""Have images moved away from a reference? A rank test of a period, by permutation."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from mscam_tf.drift.outliers import FALSE_ALARMS

PERIOD = 50  # Images.
_PERMUTATIONS = 999
_ALIKE = 1 - 1e-9  # Sums of the same ranks in another order are the same.


class PeriodTest:
    """Tells periods in which features lie higher or lower than in a reference.

    The statistic of a feature is Wilcoxon's rank sum of the period among both, and its null
    distribution that of the largest statistic of all features over 999 permutations of the images
    (Westfall and Young's single step). So of periods that are like the reference at most 1 % have
    any feature that is told, whatever their distributions and dependencies, if images are
    exchangeable: like each other, and not more alike because they are neighbours.

    What is no number (NaN) has the middle rank: it says nothing.

    Args:
        names: Of the features.
        values: Of the reference, `(n, F)`.
        images: Of a period.

    References:
        F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945);
        P. H. Westfall, S. S. Young, "Resampling-Based Multiple Testing" (1993), section 2.5;
        B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", Statistical
        Applications in Genetics and Molecular Biology 9 (2010), for the count of permutations.

    Examples:
        >>> generator = np.random.default_rng(0)
        >>> test = PeriodTest(["noise", "score"], generator.normal(size=(200, 2)))
        >>> test.judge(generator.normal(size=(50, 2)))
        {}
        >>> test.judge(generator.normal((0, 1), size=(50, 2)))
        {'score': 'above'}
    """

    def __init__(self, names: Sequence[str], values: np.ndarray, images: int = PERIOD) -> None:
        self._names, self._values = tuple(names), np.asarray(values, np.float64)
        keys = np.random.default_rng(0).random((_PERMUTATIONS, images + len(self._values)))
        chosen = keys.argsort(axis=1) < images  # So that the same period has the same answer.
        self._chosen = chosen.astype(np.float64)

    def judge(self, values: np.ndarray) -> dict[str, str]:
        """Judge a period.

        Args:
            values: `(images, F)`.

        Returns:
            Which features moved, the farthest first, each `"above"` or `"below"` the reference.
        """
        ranks = np.stack([_rank(column) for column in np.vstack([values, self._values]).T], axis=1)
        sums = ranks[: len(values)].sum(axis=0)
        largest = np.abs(self._chosen @ ranks).max(axis=1)
        told = {}
        pairs = zip(self._names, sums.tolist(), strict=True)
        for name, value in sorted(pairs, key=lambda pair: -abs(pair[1])):
            chance = (1 + np.sum(largest >= abs(value) * _ALIKE)) / (_PERMUTATIONS + 1)
            if chance <= FALSE_ALARMS:
                told[name] = "above" if value > 0 else "below"
        return told


def _rank(column: np.ndarray) -> np.ndarray:
    """Rank numbers, centred and of unit length, so that all features weigh the same."""
    known = np.isfinite(column)
    ranks = np.zeros(len(column))
    if known.any():
        ranks[known] = rankdata(column[known])
        ranks[known] -= ranks[known].mean()
    length = float(np.sqrt((ranks**2).sum()))
    return ranks / length if length else ranks
