import numpy as np
import pytest

from mscam_tf.drift import PeriodTest
from mscam_tf.metrics import clopper_pearson

NAMES = ["noise", "intensity", "score"]


def draw(generator, count):
    values = generator.normal(size=(count, len(NAMES)))
    values[:, 0] = np.exp(values[:, 0] + values[:, 1])
    values[generator.random(count) < 0.3, 2] = np.nan
    return values


def test_at_most_one_in_a_hundred_like_periods_is_told():
    generator, told = np.random.default_rng(1), 0
    for _ in range(25):
        test = PeriodTest(NAMES, draw(generator, 100), images=20)
        told += sum(bool(test.judge(draw(generator, 20))) for _ in range(40))
    low, high = clopper_pearson(told, 1000, 0.999)
    assert low < 0.01 < high


def test_features_that_moved_are_told_with_their_side():
    generator = np.random.default_rng(0)
    test = PeriodTest(NAMES, draw(generator, 150))
    values = draw(generator, 50)
    values[:, 1] -= 1.5
    assert test.judge(values) == test.judge(values[::-1])  # In any order.
    assert test.judge(values)["intensity"] == "below"
    values[:, 2] += 2
    assert test.judge(values)["score"] == "above"
    values[:, 1] -= 9
    assert next(iter(test.judge(values).items())) == ("intensity", "below")  # The farthest.


def test_what_is_no_number_says_nothing():
    values = draw(np.random.default_rng(0), 150)
    values[:, 2] = np.nan
    period = draw(np.random.default_rng(1), 50)
    period[:, 2] = np.nan
    assert PeriodTest(NAMES, values).judge(period) == {}


def test_the_chance_is_exact_in_the_smallest_case():
    """A period of one image: only the highest or the lowest of 300 is one of 1 %."""
    test = PeriodTest(["noise"], np.arange(300.0)[:, None], images=1)
    assert test.judge(np.array([[301.0]])) == {"noise": "above"}
    assert test.judge(np.array([[-1.0]])) == {"noise": "below"}
    assert test.judge(np.array([[280.5]])) == {}


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_features_that_never_vary(value):
    test = PeriodTest(["noise"], np.full((100, 1), value))
    assert test.judge(np.full((50, 1), value)) == {}
