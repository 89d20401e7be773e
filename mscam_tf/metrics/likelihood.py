"""The likelihood of hits and misses under a straight line of log odds, or of normal deviates.

`g(P(hit)) = a + b x` with the link `g`: logit, or probit. Where hits and misses do not overlap, the
likelihood has no maximum, the slope grows without end, and Firth's penalty is added to its
logarithm: half the log determinant of the information. (D. Firth, "Bias reduction of maximum
likelihood estimates", Biometrika 80, 27-38, 1993; G. Heinze and M. Schemper, "A solution to the
problem of separation in logistic regression", Statist. Med. 21, 2409-2419, 2002.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, logit, ndtr, ndtri

from mscam_tf.errors import MscamError

LINKS: dict[str, Callable[[Any], Any]] = {"logit": logit, "probit": ndtri}
INVERSES: dict[str, Callable[[Any], Any]] = {"logit": expit, "probit": ndtr}
_LOG_INVERSES: dict[str, Callable[[Any], Any]] = {"logit": log_expit, "probit": log_ndtr}


@dataclass(frozen=True)
class BinaryLikelihood:
    """The log likelihood of hits and misses, penalised or not.

    Attributes:
        x: Of each object, `(n,)`.
        hits: Whether each was found, `(n,)` of booleans.
        link: `logit` or `probit`.
        penalized: Whether Firth's penalty is added.
    """

    x: np.ndarray
    hits: np.ndarray
    link: str
    penalized: bool = False

    def evaluate(self, intercept: float, slope: float) -> float:
        """Return the log likelihood of a line."""
        line = intercept + slope * self.x
        value = float(_LOG_INVERSES[self.link](np.where(self.hits, line, -line)).sum())
        return value + self._penalize(line) if self.penalized else value

    def _penalize(self, line: np.ndarray) -> float:
        weights = self.rate_changes(line) ** 2 * self.variances(line)
        total, first = weights.sum(), (weights * self.x).sum()
        determinant = total * (weights * self.x**2).sum() - first**2
        return 0.5 * float(np.log(max(determinant, 1e-300)))

    def variances(self, line: np.ndarray) -> np.ndarray:
        """Return `p (1 - p)` of each object."""
        inverse = INVERSES[self.link]
        found: np.ndarray = inverse(line) * inverse(-line)
        return found

    def rate_changes(self, line: np.ndarray) -> np.ndarray:
        """Return how the log odds of each object change with the line: 1 for the logit."""
        if self.link == "logit":
            return np.ones_like(line)
        log_density = -0.5 * line**2 - 0.5 * np.log(2 * np.pi)
        return np.exp(log_density - log_ndtr(line) - log_ndtr(-line))

    def curvatures(self, line: np.ndarray) -> np.ndarray:
        """Return the second derivative of each object's log likelihood by the line, negated."""
        if self.link == "logit":
            return self.variances(line)
        signed = np.where(self.hits, line, -line)
        ratio = np.exp(-0.5 * signed**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(signed))
        return ratio * (signed + ratio)

    def maximize(self) -> tuple[float, float]:
        """Return the intercept and slope of the highest likelihood."""
        return self._maximize_penalized() if self.penalized else self._fit()

    def _fit(self) -> tuple[float, float]:
        models = _import_statsmodels()
        names = {"logit": "Logit", "probit": "Probit"}
        link = getattr(models.families.links, names[self.link])()
        rows = np.stack([np.ones_like(self.x), self.x], axis=1)
        model = models.GLM(self.hits.astype(float), rows, models.families.Binomial(link))
        intercept, slope = model.fit().params
        return float(intercept), float(slope)

    def _maximize_penalized(self) -> tuple[float, float]:
        from scipy.optimize import minimize

        center, spread = self.x.mean(), self.x.std()

        def lose(line: np.ndarray) -> float:
            slope = line[1] / spread
            return -self.evaluate(line[0] - slope * center, slope)

        intercept, slope = minimize(lose, np.array([0.0, 1.0]), method="BFGS").x
        return float(intercept - slope / spread * center), float(slope / spread)

    def steepen(self, x: float, line: float, slope: float) -> float:
        """Return the slope of the highest likelihood among lines that have a value at a place.

        Args:
            x: The place.
            line: The value there, `g(p)`.
            slope: Where the search begins.
        """
        from scipy.optimize import minimize_scalar

        found = minimize_scalar(
            lambda b: -self.evaluate(line - b * x, b), bracket=(0.5 * slope, slope), method="brent"
        )
        return float(found.x)


def overlap(x: np.ndarray, hits: np.ndarray) -> bool:
    """Whether hits and misses overlap along `x`: only then the likelihood has a maximum.

    Examples:
        >>> hits = np.array([False, True, False, True])
        >>> overlap(np.array([1.0, 2.0, 3.0, 4.0]), hits)
        True
        >>> overlap(np.array([1.0, 3.0, 2.0, 4.0]), hits)
        False
    """
    found, missed = x[hits], x[~hits]
    return bool(found.min() < missed.max() and missed.min() < found.max())


def _import_statsmodels() -> Any:
    try:
        import statsmodels.api
    except ModuleNotFoundError as error:
        raise MscamError(
            "Probability of detection needs an extra: pip install 'mscam-tf[pod]'. "
            f"Received: {error}"
        ) from error
    return statsmodels.api
