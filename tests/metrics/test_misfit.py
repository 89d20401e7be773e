import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import chi2
from statsmodels.stats.diagnostic_gen import test_chisquare_binning as check_bins

from mscam_tf.metrics import fit_detection
from mscam_tf.metrics.misfit import measure_misfit


def test_of_three_sizes_by_hand():
    """Found are 8, 12 and 18 of 20 each, where 10, 10 and 19 are expected: 12 / 15 and 1 / 0.95."""
    sizes, found = np.repeat([1.0, 2.0, 4.0], 20), np.repeat([8, 12, 18], 20)
    hits, rates = np.arange(60) % 20 < found, np.repeat([0.5, 0.5, 0.95], 20)
    expected = chi2.sf(2**2 / 5 + 2**2 / 5 + 1 / 0.95, 1)
    assert measure_misfit(sizes, hits, rates) == pytest.approx(expected)
    order = np.random.default_rng(0).permutation(60)
    assert measure_misfit(sizes[order], hits[order], rates[order]) == pytest.approx(expected)


@pytest.mark.parametrize("count", [60, 97, 200])
def test_of_different_sizes_it_is_that_of_another_library(count):
    generator = np.random.default_rng(count)
    sizes = generator.uniform(1, 6, count)
    rates = expit(2 * (sizes - 3))
    hits = generator.uniform(size=count) < rates
    pairs = [np.stack([one, 1 - one], axis=1) for one in (hits.astype(float), rates)]
    other = check_bins(*pairs, rates, 10, sort_method="stable")
    assert measure_misfit(sizes, hits, rates) == pytest.approx(other.pvalue)


def test_of_two_sizes_there_is_no_misfit():
    """A line goes through both shares, whatever the order of the objects."""
    sizes, hits = np.repeat([1.0, 2.0], 40), np.arange(80) % 40 < np.repeat([10, 20], 40)
    assert np.isnan(fit_detection(sizes, hits).misfit)


def test_it_holds_for_test_pieces_of_few_sizes():
    """In 5 % of draws p is below 0.05, though hits are listed before misses."""
    generator, sizes = np.random.default_rng(1), np.repeat([1.0, 1.5, 2.0, 3.0, 4.0, 5.0], 29)
    small = []
    for _ in range(200):
        hits = generator.uniform(size=len(sizes)) < expit(1.5 * (sizes - 3))
        listed = np.concatenate([np.sort(part)[::-1] for part in np.split(hits, 6)])
        small.append(fit_detection(sizes, listed, log=False).misfit < 0.05)
    assert 0.02 <= np.mean(small) <= 0.09


def test_where_all_are_found_as_expected_nothing_is_lost():
    sizes, hits = np.repeat([1.0, 2.0, 4.0], 20), np.repeat([False, True, True], 20)
    hits[:10] = True
    assert measure_misfit(sizes, hits, np.repeat([0.5, 1.0, 1.0], 20)) == 1
