"""Probability of detection against size, from hits and misses.

As ASTM E2862 and MIL-HDBK-1823A define it for hit/miss data: `g(POD(a)) = b0 + b1 x` with
`x = ln a` or `x = a` and a link `g`, logit or probit, fitted by maximum likelihood. Bounds are
those of the likelihood ratio: a line is rejected where its signed root, corrected for small samples
(see `signed_root.py`), is beyond the normal quantile. `a90` is the size of which 90 % are found,
and `a90/95` the one of which, at a confidence of 95 %, at least 90 % are found.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import norm

from mscam_tf.errors import MscamError
from mscam_tf.metrics.checks import to_array
from mscam_tf.metrics.likelihood import INVERSES, LINKS, BinaryLikelihood, overlap
from mscam_tf.metrics.misfit import measure_misfit
from mscam_tf.metrics.proportions import check_share
from mscam_tf.metrics.signed_root import find_end, measure_root
from mscam_tf.settings import Choice, check_value

LEAST_OBJECTS = 60
_ROUNDING = 1e-6  # Of the range of sizes: a figure at the end of it is one of those tried.


@dataclass(frozen=True)
class DetectionCurve:
    """Probability of detection against size.

    Attributes:
        sizes: Of each object, `(n,)`.
        hits: Whether each was found, `(n,)` of booleans.
        link: `logit` or `probit`.
        log: Whether the line is one of the logarithm of the size.
        intercept: `b0`.
        slope: `b1`, above 0.
        penalized: Whether Firth's penalty was needed, because hits and misses do not overlap.
    """

    sizes: np.ndarray
    hits: np.ndarray
    link: str
    log: bool
    intercept: float
    slope: float
    penalized: bool

    def estimate(self, sizes: np.ndarray) -> np.ndarray:
        """Return the probability of detection at sizes, in `[0, 1]`."""
        return INVERSES[self.link](self.intercept + self.slope * self._place(sizes))

    def find_size(self, probability: float = 0.9) -> float:
        """Return the size of which a share is found: `a90` for 0.9; see `is_tried`."""
        check_share("probability", probability)
        return self._restore((float(LINKS[self.link](probability)) - self.intercept) / self.slope)

    @cached_property
    def figures(self) -> dict[str, float]:
        """The sizes that are stated: `a50`, `a90` and `a90_95`, of all of which see `is_tried`."""
        return {"a50": self.find_size(0.5), "a90": self.find_size(), "a90_95": self.bound_size()}

    def is_tried(self, size: float) -> bool:
        """Whether a size is none beyond the largest object, or below the smallest.

        There a curve is a guess, and no figure of it may be stated.
        """
        low, high = self.sizes.min(), self.sizes.max()
        slack = _ROUNDING * (high - low)
        return bool(low - slack <= size <= high + slack)

    def show_size(self, size: float) -> str:
        """Return a size as text: `3.92`, or `beyond 5.99` or `below 1.02` where none was tried."""
        if self.is_tried(size):
            return f"{size:.3g}"
        low, high = self.sizes.min(), self.sizes.max()
        return f"beyond {high:.3g}" if size > high else f"below {low:.3g}"

    def bound(self, sizes: np.ndarray, confidence: float = 0.95, side: str = "lower") -> np.ndarray:
        """Return a bound of the probability of detection at sizes, one-sided, in `[0, 1]`.

        Args:
            sizes: Where.
            confidence: With which it is at least (`lower`) or at most (`upper`) this.
            side: `lower` or `upper`.
        """
        check_share("confidence", confidence)
        check_value("side", side, Choice(("lower", "upper")))
        sign = -1.0 if side == "lower" else 1.0
        limit = float(norm.ppf(confidence))

        def find(x: float) -> float:
            return find_end(
                lambda line: -sign * self._measure(x, line) - limit,
                self.intercept + self.slope * x,
                sign * self.slope * float(self._x.std()),
            )

        lines = np.array([find(x) for x in self._place(sizes)])
        bounds: np.ndarray = INVERSES[self.link](lines)
        return bounds

    def bound_size(
        self, probability: float = 0.9, confidence: float = 0.95, *, corrected: bool = True
    ) -> float:
        """Return the size of which a share is found at a confidence: `a90/95` for 0.9 and 0.95.

        It is infinite where the data do not show that larger objects are found more often, and may
        be larger than any that was tried; see `is_tried`.

        Args:
            probability: The share.
            confidence: With which at least that share is found.
            corrected: Whether the likelihood ratio is corrected for small samples; without, it
                is a little too small a size.
        """
        check_share("probability", probability)
        check_share("confidence", confidence)
        line, limit = float(LINKS[self.link](probability)), float(norm.ppf(confidence))
        return self._restore(
            find_end(
                lambda x: self._measure(x, line, corrected=corrected) - limit,
                (line - self.intercept) / self.slope,
                float(self._x.std()),
            )
        )

    @cached_property
    def misfit(self) -> float:
        """The p-value of Hosmer and Lemeshow's test: a small one says it fits badly.

        NaN with Firth's penalty, where the test does not hold, and of two sizes.
        """
        if self.penalized:
            return float("nan")
        return measure_misfit(self.sizes, self.hits, self.estimate(self.sizes))

    @cached_property
    def log_likelihood(self) -> float:
        """Of the data, without any penalty: curves of the same data compare by it."""
        likelihood = BinaryLikelihood(self._x, self.hits, self.link)
        return likelihood.evaluate(self.intercept, self.slope)

    @cached_property
    def _x(self) -> np.ndarray:
        return self._place(self.sizes)

    @cached_property
    def _likelihood(self) -> BinaryLikelihood:
        return BinaryLikelihood(self._x, self.hits, self.link, self.penalized)

    def _place(self, sizes: np.ndarray) -> np.ndarray:
        sizes = _check_sizes(sizes, self.log)
        return np.log(sizes) if self.log else sizes

    def _restore(self, x: float) -> float:
        with np.errstate(over="ignore"):
            return float(np.exp(x)) if self.log else x

    def _measure(self, x: float, line: float, *, corrected: bool = True) -> float:
        best = (self.intercept, self.slope)
        return measure_root(self._likelihood, best, x, line, corrected=corrected)


def fit_detection(
    sizes: np.ndarray, hits: np.ndarray, link: str = "logit", *, log: bool = True
) -> DetectionCurve:
    """Fit the probability of detection against size to hits and misses.

    Args:
        sizes: Of each object, `(n,)`: a diameter, a length, a contrast, in any unit; above 0 with
            `log`. Objects should be independent: one in each image, or few.
        hits: Whether each was found, `(n,)` of booleans.
        link: `logit` or `probit`.
        log: Whether the line is one of the logarithm of the size.

    Returns:
        The `DetectionCurve`.

    Raises:
        MscamError: If there are fewer than 60 objects, no miss or no hit; if sizes are no finite
            numbers (above 0 with `log`) or all the same; or if larger objects are found less often.

    Examples:
        >>> generator = np.random.default_rng(0)
        >>> sizes = generator.uniform(1, 6, 300)
        >>> hits = generator.uniform(size=300) < 1 / (1 + (sizes / 2.5) ** -6)
        >>> curve = fit_detection(sizes, hits)
        >>> round(curve.find_size(0.9), 2), round(curve.bound_size(0.9, 0.95), 2)
        (3.92, 4.28)

    References:
        - ASTM E2862, Standard practice for probability of detection analysis for hit/miss data.
        - MIL-HDBK-1823A, Nondestructive evaluation system reliability assessment, 2009, appendix G.
    """
    sizes, hits = _check(sizes, hits, link, log)
    x = np.log(sizes) if log else sizes
    penalized = not overlap(x, hits)
    intercept, slope = BinaryLikelihood(x, hits, link, penalized).maximize()
    if not slope > 0:
        raise MscamError(
            "A curve needs larger objects to be found more often. "
            f"Received: {hits.sum()} of {len(hits)} found, with a slope of {slope:.3g}"
        )
    return DetectionCurve(sizes, hits, link, log, intercept, slope, penalized)


def _check(
    sizes: np.ndarray, hits: np.ndarray, link: str, log: bool
) -> tuple[np.ndarray, np.ndarray]:
    sizes, hits = _check_sizes(sizes, log), to_array("hits", hits)
    check_value("link", link, Choice(tuple(LINKS)))
    if sizes.ndim != 1 or hits.shape != sizes.shape or not np.isin(hits, [0, 1]).all():
        raise MscamError(
            "`sizes` and `hits` must be of the same objects (n,), and hits be booleans. "
            f"Received: shapes {sizes.shape} and {hits.shape}"
        )
    found = int(hits.sum())
    if len(sizes) < LEAST_OBJECTS or found in (0, len(sizes)):
        raise MscamError(
            f"A curve needs {LEAST_OBJECTS} objects or more, and hits and misses among them; take "
            "objects of sizes from hardly to always found. "
            f"Received: {found} of {len(sizes)} objects found"
        )
    if sizes.min() == sizes.max():
        raise MscamError(f"A curve needs objects of several sizes. Received: all of {sizes[0]:g}")
    return sizes, hits.astype(bool)


def _check_sizes(sizes: np.ndarray, log: bool) -> np.ndarray:
    sizes = to_array("sizes", sizes).astype(np.float64)
    if not np.isfinite(sizes).all() or (log and (sizes <= 0).any()):
        what = "finite numbers above 0" if log else "finite numbers"
        raise MscamError(f"`sizes` must be {what}. Received: others among {sizes.size} objects")
    return sizes
