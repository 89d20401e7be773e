"""Exact intervals of a rate: how often something happens, judged by how often it did."""

from numbers import Integral
from sys import float_info
from typing import Any, Literal

from mscam_tf.errors import MscamError
from mscam_tf.settings import Choice, check_value, is_finite

Side = Literal["both", "lower", "upper"]
_ALTERNATIVES = {"both": "two-sided", "lower": "greater", "upper": "less"}


def clopper_pearson(
    count: int, n: int, confidence: float = 0.95, side: Side = "both"
) -> tuple[float, float]:
    """Return the exact interval of a rate, of `count` cases in `n` independent trials.

    `low` is the rate at which `count` or more cases have the probability `(1 - confidence) / 2`,
    and `high` that at which `count` or fewer have it. On one side alone it is `1 - confidence`. The
    true rate lies inside in at least `confidence` of all samples, whatever it is.

    Args:
        count: Cases, from 0 to `n`.
        n: Trials, at least 1. Images of one group (film, fish) are one trial.
        confidence: Above 0 and below 1.
        side: `both`; `lower` for the lower end alone (the other is 1), for what must be frequent;
            `upper` for the upper end alone (the other is 0), for what must be rare.

    Returns:
        `(low, high)`, in `[0, 1]`.

    Raises:
        MscamError: If a number is out of range.

    Examples:
        29 of 29 test pieces found prove 90 % at a confidence of 95 %:

        >>> clopper_pearson(29, 29, side="lower")[0] >= 0.90
        True
        >>> [round(rate, 4) for rate in clopper_pearson(0, 299, side="upper")]
        [0.0, 0.01]

    References:
        [Clopper and Pearson, 1934](https://doi.org/10.1093/biomet/26.4.404).
    """
    from scipy.stats import binomtest

    check_counts(count, n)
    check_share("confidence", confidence)
    check_value("side", side, Choice(tuple(_ALTERNATIVES)))
    test = binomtest(count, n, alternative=_ALTERNATIVES[side])
    interval = test.proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)


def check_counts(count: int, n: int) -> None:
    """Refuse counts that cannot be.

    Raises:
        MscamError: If `n` is less than 1, `count` is not from 0 to `n`, or one is no whole number.
    """
    whole = isinstance(n, Integral) and isinstance(count, Integral)
    if not whole or n < 1 or not 0 <= count <= n:
        raise MscamError(
            "`n` must be at least 1, and `count` from 0 to `n`, both whole numbers. "
            f"Received: count={count}, n={n}"
        )


def check_share(name: str, value: Any) -> None:
    """Refuse what is no share between 0 and 1.

    Raises:
        MscamError: If it is 0, 1, or beyond.
    """
    if not (is_finite(value) and float_info.min <= value < 1):  # 1 / value is a number too.
        raise MscamError(f"`{name}` must be above 0 and below 1. Received: {name}={value!r}")
