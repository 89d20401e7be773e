import numpy as np
import pytest
from scipy.stats import binom

from mscam_tf import MscamError
from mscam_tf.metrics import clopper_pearson


@pytest.mark.parametrize(("pieces", "rate"), [(29, 0.90), (59, 0.95), (299, 0.99)])
def test_so_many_test_pieces_prove_a_rate(pieces, rate):
    assert clopper_pearson(pieces, pieces, side="lower")[0] >= rate
    assert clopper_pearson(pieces - 1, pieces - 1, side="lower")[0] < rate
    assert clopper_pearson(0, pieces, side="upper")[1] <= 1 - rate + 1e-12


def test_the_ends_are_those_of_the_binomial():
    low, high = clopper_pearson(3, 40)
    assert binom.sf(2, 40, low) == pytest.approx(0.025)
    assert binom.cdf(3, 40, high) == pytest.approx(0.025)
    assert clopper_pearson(3, 40, 0.9)[1] == pytest.approx(clopper_pearson(3, 40, side="upper")[1])
    assert clopper_pearson(3, 40, side="upper")[0] == 0
    assert clopper_pearson(3, 40, side="lower")[1] == 1


@pytest.mark.parametrize("rate", [0.003, 0.11, 0.5, 0.98])
@pytest.mark.parametrize("side", ["both", "lower", "upper"])
def test_the_rate_lies_inside_in_so_many_samples(rate, side):
    inside = [
        low <= rate <= high for low, high in (clopper_pearson(k, 60, side=side) for k in range(61))
    ]
    covered = binom.pmf(np.arange(61), 60, rate)[inside].sum()
    assert covered >= 0.95


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0, 0), "`n` must be at least 1"),
        ((3, 2), "Received: count=3, n=2"),
        ((-1, 2), "`count` from 0"),
        ((1, 2, 1.0), "`confidence` must be above 0 and below 1. Received: confidence=1.0"),
        ((1, 2, 0.9, "left"), "`side` must be one of .*Received: side='left'"),
    ],
)
def test_what_is_no_count_or_share_is_refused(arguments, match):
    with pytest.raises(MscamError, match=match):
        clopper_pearson(*arguments)
