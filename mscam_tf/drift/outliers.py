"""Is an image unlike all but 1 % of a reference? A conformal test, which knows no distribution."""

import numpy as np

from mscam_tf.drift.features import FEATURES

FALSE_ALARMS = 0.01
_PERCENTILES = (1, 50, 99)
_LEAST = 1e-9


class OutlierTest:
    """Tells images that are unlike those of a reference.

    The image is put among those of the reference. In this whole set, each feature is measured from
    its median, in units of the way from the median to the percentile 1 or 99 at this side, so that
    features with long tails have long units. The distance of an image is that of its outermost
    feature. It is an outlier if at most 1 % of the set, itself included, are as far out.

    If it is like the `n` images of the reference (they could have come in any order), this happens
    with a probability of at most 1 %, whatever the features are and however they depend on each
    other: full conformal prediction. The probability is over references, too; with one given, the
    rate varies around its mean, by about 0.6 points at `n = 300`.

    Args:
        features: Of the reference, `(n, F)`; with fewer than 99, nothing is an outlier.

    References:
        V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World" (2005), section
        2.2; R. Laxhammar, G. Falkman, "Conformal prediction for distribution-independent anomaly
        detection in streaming vessel data", StreamKDD (2010).

    Examples:
        >>> test = OutlierTest(np.random.default_rng(0).normal(size=(200, 10)))
        >>> test.judge(np.zeros(10))[1] is None
        True
        >>> test.judge(np.array([0, 0, 0, 0, 9.0, 0, 0, 0, 0, 0]))[1]
        'noise'
    """

    def __init__(self, features: np.ndarray) -> None:
        self._features = np.asarray(features, np.float64)

    def judge(self, features: np.ndarray) -> tuple[float, str | None]:
        """Judge an image.

        Args:
            features: `(F,)`, from `measure_image`.

        Returns:
            The distance of its outermost feature, and the name of it if the image is an outlier.
        """
        everything = np.vstack([self._features, features])
        low, middle, high = np.percentile(everything, _PERCENTILES, axis=0)
        above = (everything - middle) / np.maximum(high - middle, _LEAST)
        below = (middle - everything) / np.maximum(middle - low, _LEAST)
        out = np.maximum(above, below)
        distances = out.max(axis=1)
        share = np.mean(distances >= distances[-1])
        outlier = share <= FALSE_ALARMS
        return float(distances[-1]), FEATURES[int(out[-1].argmax())] if outlier else None
