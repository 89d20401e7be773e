import numpy as np
import pytest
from scipy.special import expit, logit, ndtr

from mscam_tf.metrics.likelihood import BinaryLikelihood

X = np.array([-1.0, 0.2, 0.9, 1.4, 2.2])
HITS = np.array([False, True, False, True, True])


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_curvatures_are_second_derivatives(link):
    step = 1e-4
    for index in range(5):
        one = BinaryLikelihood(X[index : index + 1], HITS[index : index + 1], link)
        values = [one.evaluate(0.3 + k * step, 0.7) for k in (-1, 0, 1)]
        expected = -(values[0] - 2 * values[1] + values[2]) / step**2
        assert one.curvatures(0.3 + 0.7 * one.x)[0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("link", "inverse"), [("logit", expit), ("probit", ndtr)])
def test_rate_changes_are_derivatives_of_the_log_odds(link, inverse):
    line, step = 0.1 + X, 1e-6
    change = (logit(inverse(line + step)) - logit(inverse(line - step))) / (2 * step)
    found = BinaryLikelihood(X, HITS, link).rate_changes(line)
    np.testing.assert_allclose(found, change, rtol=1e-5)


def test_the_best_slope_through_a_place_is_the_best():
    likelihood = BinaryLikelihood(X, HITS, "logit")
    slope = likelihood.steepen(1.0, 0.5, 1.0)
    values = [likelihood.evaluate(0.5 - b, b) for b in np.linspace(slope - 1, slope + 1, 201)]
    assert np.argmax(values) == 100


def test_the_penalty_is_half_the_log_determinant():
    plain, penalized = (BinaryLikelihood(X, HITS, "logit", flag) for flag in (False, True))
    p = 1 / (1 + np.exp(-(0.2 + 0.5 * X)))
    rows = np.stack([np.ones(5), X])
    determinant = np.linalg.det((rows * (p * (1 - p))) @ rows.T)
    added = penalized.evaluate(0.2, 0.5) - plain.evaluate(0.2, 0.5)
    assert added == pytest.approx(0.5 * np.log(determinant))
