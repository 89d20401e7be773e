import numpy as np
import pytest
from scipy.special import expit

from mscam_tf.metrics.likelihood import BinaryLikelihood
from mscam_tf.metrics.signed_root import find_end, measure_root

X = np.array([-1.3, -0.6, -0.2, 0.1, 0.7, 0.9, 1.4, 2.2])
HITS = np.array([False, False, True, False, True, False, True, True])


def test_of_a_logit_the_correction_is_that_of_a_linear_exponential_family():
    """There `u` is the distance in the canonical parameter, in units of its deviation."""
    likelihood = BinaryLikelihood(X, HITS, "logit")
    best, x, value = likelihood.maximize(), 0.8, 2.0
    slope = likelihood.steepen(x, value, best[1])
    rows = np.stack([np.ones(8), X - x])

    def measure(line):
        p = expit(line)
        return (rows * (p * (1 - p))) @ rows.T

    high = best[0] + best[1] * X
    distance = best[0] + best[1] * x - value
    along = measure(value + slope * (X - x))[1, 1]
    u = distance * np.sqrt(np.linalg.det(measure(high)) / along)
    root = measure_root(likelihood, best, x, value, corrected=False)
    found = measure_root(likelihood, best, x, value)
    assert root < 0
    assert found == pytest.approx(root + np.log(u / root) / root, rel=1e-6)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_the_root_is_zero_on_the_best_line_and_falls_with_the_value(link):
    likelihood = BinaryLikelihood(X, HITS, link)
    best = likelihood.maximize()
    on_it = best[0] + best[1] * 0.5
    assert measure_root(likelihood, best, 0.5, on_it) == pytest.approx(0, abs=1e-3)
    roots = [measure_root(likelihood, best, 0.5, on_it + d) for d in (-1, -0.5, 0.5, 1)]
    assert roots == sorted(roots, reverse=True)
    assert roots[1] > 0 > roots[2]


def test_with_a_penalty_nothing_is_corrected():
    likelihood = BinaryLikelihood(X, HITS, "logit", penalized=True)
    best = likelihood.maximize()
    plain = measure_root(likelihood, best, 0.5, 1.0, corrected=False)
    assert measure_root(likelihood, best, 0.5, 1.0) == plain != 0


@pytest.mark.parametrize(("step", "end"), [(1.0, 5.0), (-1.0, -1.0)])
def test_an_end_is_where_a_cost_becomes_zero(step, end):
    assert find_end(lambda x: abs(x - 2) - 3, 2.0, step) == pytest.approx(end)


def test_a_cost_that_stays_below_zero_has_no_end():
    ends = [find_end(lambda x: np.tanh(x) - 1.5, 0.0, step) for step in (1.0, -1.0)]
    assert ends == [np.inf, -np.inf]
