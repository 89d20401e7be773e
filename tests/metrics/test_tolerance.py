import numpy as np
import pytest
from scipy.stats import binom

from mscam_tf import MscamError
from mscam_tf.metrics import count_allowed, count_needed, exceed_all_but

VALUES = np.array([0.3, -2.0, 7.1, 7.1, 1.0])


@pytest.mark.parametrize(("count", "reach"), [(0, 0), (1, 0), (2, 2), (3, 3), (4, 4)])
def test_at_most_so_many_values_reach_the_threshold(count, reach):
    assert (exceed_all_but(VALUES, count) <= VALUES).sum() == reach


def test_the_threshold_lies_just_above_the_value():
    assert exceed_all_but(VALUES, 2) == pytest.approx(1.0)
    assert exceed_all_but(np.array([0.1 + 1e-12])) > 0.1 + 1e-12  # Which float32 has not.


@pytest.mark.parametrize(
    ("values", "count"),
    [([], 0), ([1.0], 1), ([1.0], -1), ([1.0, np.nan], 0), ([1.0, np.inf], 0), ([[1.0]], 0)],
)
def test_what_gives_no_threshold_is_refused(values, count):
    with pytest.raises(MscamError, match=rf"`count` from 0 to n - 1\. Received: .* count={count}"):
        exceed_all_but(np.array(values), count)


@pytest.mark.parametrize(("rate", "needed"), [(0.01, 299), (0.005, 598), (0.05, 59), (0.1, 29)])
def test_the_number_needed_is_the_first_that_is_enough(rate, needed):
    assert count_needed(rate) == needed
    assert count_allowed(needed, rate) == 0
    assert count_allowed(needed - 1, rate) is None


@pytest.mark.parametrize("n", [60, 331, 2000])
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_the_number_allowed_is_the_largest_that_keeps_the_promise(n, rate):
    allowed = count_allowed(n, rate)
    assert binom.cdf(allowed, n, rate) <= 0.05 < binom.cdf(allowed + 1, n, rate)


def test_a_threshold_keeps_its_promise_in_so_many_draws():
    """Uniform values: the share of new ones that reach a threshold is 1 less it."""
    generator, n, rate = np.random.default_rng(0), 250, 0.04
    allowed = count_allowed(n, rate)
    rates = [1 - exceed_all_but(generator.uniform(size=n), allowed) for _ in range(4000)]
    kept = binom.sf(allowed, n, rate)  # P(R <= rate), 0.9585.
    assert np.mean(np.array(rates) <= rate) == pytest.approx(kept, abs=0.012)
    assert kept >= 0.95


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, 1e-320, float("nan")])
def test_what_is_no_share_is_refused(value):
    with pytest.raises(MscamError, match=r"`rate` must be above 0 and below 1\. Received: rate="):
        count_allowed(100, value)
    with pytest.raises(MscamError, match="`confidence` must be above 0 and below 1"):
        count_needed(0.1, value)


def test_a_tiny_rate_needs_many_images_and_no_division_by_zero():
    assert count_needed(1e-18) == pytest.approx(2.9957e18, rel=1e-4)
