import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_ndtr, ndtr
from sklearn.linear_model import LogisticRegression

from mscam_tf import MscamError
from mscam_tf.metrics import fit_detection


def draw(count=240, slope=5.0, half=2.5, seed=0):
    generator = np.random.default_rng(seed)
    sizes = np.exp(generator.uniform(0, np.log(7), count))
    return sizes, generator.uniform(size=count) < expit(slope * np.log(sizes / half))


@pytest.mark.parametrize("log", [True, False])
def test_a_logit_is_that_of_another_library(log):
    sizes, hits = draw()
    x = np.log(sizes) if log else sizes
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x[:, None], hits)
    curve = fit_detection(sizes, hits, log=log)
    assert curve.intercept == pytest.approx(other.intercept_[0], rel=1e-3)
    assert curve.slope == pytest.approx(other.coef_[0, 0], rel=1e-3)
    a90 = (np.log(9) - other.intercept_[0]) / other.coef_[0, 0]
    assert curve.find_size(0.9) == pytest.approx(np.exp(a90) if log else a90, rel=1e-3)
    assert not curve.penalized


def test_a_probit_is_the_maximum_of_its_likelihood():
    sizes, hits = draw(seed=1)
    x, sign = np.log(sizes), np.where(hits, 1, -1)
    best = minimize(lambda b: -log_ndtr(sign * (b[0] + b[1] * x)).sum(), [0.0, 1.0]).x
    curve = fit_detection(sizes, hits, "probit")
    assert [curve.intercept, curve.slope] == pytest.approx(list(best), rel=1e-3)
    assert curve.estimate(np.array([3.0]))[0] == pytest.approx(
        ndtr(best @ [1, np.log(3)]), abs=1e-4
    )
    assert curve.log_likelihood == pytest.approx(
        log_ndtr(sign * (best @ [np.ones_like(x), x])).sum()
    )


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("log", [True, False])
def test_bounds_and_sizes_agree(link, log):
    curve = fit_detection(*draw(), link, log=log)
    size, bound = curve.find_size(0.8), curve.bound_size(0.8, 0.9)
    assert size < bound
    assert curve.estimate(np.array([size]))[0] == pytest.approx(0.8)
    assert curve.bound(np.array([bound]), 0.9)[0] == pytest.approx(0.8, abs=1e-4)
    sizes = np.array([1.2, 2.5, 6.0])
    low, high = (curve.bound(sizes, side=side) for side in ("lower", "upper"))
    assert (low < curve.estimate(sizes)).all()
    assert (curve.estimate(sizes) < high).all()


def test_without_correction_the_bound_is_that_of_the_likelihood_ratio():
    """The likelihood of lines that are 0.9 at the bound costs z^2 / 2, z = 1.645."""
    sizes, hits = draw()
    curve = fit_detection(sizes, hits)
    x, sign, bound = np.log(sizes), np.where(hits, 1, -1), curve.bound_size(corrected=False)

    def lose(slope):
        line = np.log(9) + slope * (x - np.log(bound))
        return np.log1p(np.exp(-sign * line)).sum()

    through = minimize(lambda b: lose(b[0]), [curve.slope]).fun
    assert 2 * (curve.log_likelihood + through) == pytest.approx(1.6449**2, abs=1e-2)
    assert curve.bound_size() > bound  # By little: 240 objects are many.
    assert curve.bound_size() < 1.02 * bound


def test_more_objects_bring_the_bound_nearer():
    few, many = fit_detection(*draw(100)), fit_detection(*draw(3000))
    assert many.bound_size() / many.find_size() < few.bound_size() / few.find_size()
    assert many.find_size() == pytest.approx(2.5 * 9 ** (1 / 5), rel=0.05)


def test_where_hits_and_misses_do_not_overlap_firth_s_penalty_is_added():
    """Against the iteration of Heinze and Schemper (2002), by modified scores."""
    sizes = np.linspace(1, 4, 80)
    hits = sizes > 2.2
    curve = fit_detection(sizes, hits, log=False)
    assert curve.penalized
    rows = np.stack([np.ones(80), sizes], axis=1)
    line = np.zeros(2)
    for _ in range(500):
        p = expit(rows @ line)
        information = (rows * (p * (1 - p))[:, None]).T @ rows
        hat = p * (1 - p) * np.einsum("ni,ij,nj->n", rows, np.linalg.inv(information), rows)
        step = np.linalg.solve(information, rows.T @ (hits - p + hat * (0.5 - p)))
        line += step / max(1, np.abs(step).max())
    assert [curve.intercept, curve.slope] == pytest.approx(list(line), rel=1e-3)
    assert 2.2 < curve.find_size() < curve.bound_size() < 3
    assert np.isnan(curve.misfit)


def test_a_curve_of_another_shape_is_told_by_the_lack_of_fit():
    generator = np.random.default_rng(2)
    sizes = generator.uniform(1, 7, 2000)
    bend = np.where(sizes < 4, 0.15, 0.95) + 0.02 * sizes - 0.05
    assert fit_detection(sizes, generator.uniform(size=2000) < bend).misfit < 0.001
    assert fit_detection(*draw(2000, seed=3)).misfit > 0.01


def test_where_size_says_nothing_the_bound_is_infinite():
    sizes, hits = np.linspace(1, 3, 80), np.arange(80) % 2 == 0
    hits[-3:] = True
    curve = fit_detection(sizes, hits)
    assert curve.bound_size() == np.inf
    assert (curve.bound(np.array([2.0]))[0]) > 0


def draw_two_sizes(first, second):
    """Return 40 objects of size 1 and 40 of 2, of which some are found: a line fits both shares."""
    found = np.concatenate([np.arange(40) < first, np.arange(40) < second])
    return np.repeat([1.0, 2.0], 40), found


def test_what_lies_beyond_the_largest_object_is_no_figure_by_hand():
    """A quarter of 1 and a half of 2: log odds of -ln 3 and 0, so a90 = 2 + ln 9 / ln 3 = 4."""
    curve = fit_detection(*draw_two_sizes(10, 20), log=False)
    assert curve.find_size(0.5) == pytest.approx(2)
    assert curve.find_size() == pytest.approx(4)
    assert curve.bound_size() > 4
    assert [curve.is_tried(size) for size in (0.99, 1, 1.5, 2, 4)] == [0, 1, 1, 1, 0]
    assert [curve.show_size(size) for size in (0.99, 1.5, 4, np.inf, -np.inf)] == [
        *("below 1", "1.5", "beyond 2", "beyond 2", "below 1")
    ]
    by_logarithm = fit_detection(*draw_two_sizes(10, 20))
    assert by_logarithm.find_size() == pytest.approx(8)  # 2 * 2^(ln 9 / ln 3)
    assert by_logarithm.show_size(by_logarithm.find_size()) == "beyond 2"


def test_what_lies_below_the_smallest_object_is_no_figure_by_hand():
    """Three quarters of 1 and 0.9 of 2: log odds of ln 3 and 2 ln 3, so a50 = 0."""
    curve = fit_detection(*draw_two_sizes(30, 36), log=False)
    assert curve.find_size(0.5) == pytest.approx(0, abs=1e-4)
    assert curve.show_size(curve.find_size(0.5)) == "below 1"
    assert curve.show_size(curve.find_size(0.8)) == "1.26"  # ln 4 / ln 3
    assert curve.find_size() == pytest.approx(2)
    assert curve.show_size(curve.bound_size()) == "beyond 2"


@pytest.mark.parametrize(
    ("sizes", "hits", "match"),
    [
        (np.ones(59), np.arange(59) % 2, "needs 60 objects or more.*Received: 29 of 59"),
        (np.arange(1, 71), np.ones(70), r"hits and misses among them.*Received: 70 of 70"),
        (np.arange(1, 71), np.zeros(70), "Received: 0 of 70"),
        (np.arange(70), np.arange(70) % 2, "must be finite numbers above 0"),
        (np.full(70, np.nan), np.arange(70) % 2, "must be finite numbers"),
        (np.full(70, 2.0), np.arange(70) % 2, "objects of several sizes. Received: all of 2"),
        (np.arange(1, 71), np.arange(70) < 30, "found more often"),
        (np.arange(1, 71), np.arange(70) % 3, "hits be booleans"),
        (np.arange(1, 71), np.ones(3), r"Received: shapes \(70,\) and \(3,\)"),
    ],
)
def test_what_gives_no_curve_is_refused(sizes, hits, match):
    with pytest.raises(MscamError, match=match):
        fit_detection(sizes, hits)


def test_other_links_and_shares_are_refused():
    with pytest.raises(MscamError, match="must be one of 'logit', 'probit'"):
        fit_detection(*draw(), "cloglog")
    curve = fit_detection(*draw())
    with pytest.raises(MscamError, match="`probability` must be above 0"):
        curve.find_size(1.0)
    with pytest.raises(MscamError, match="`confidence` must be above 0"):
        curve.bound_size(0.9, 95)


@pytest.mark.slow
@pytest.mark.parametrize("link", ["logit", "probit"])
def test_a90_95_holds_in_95_percent_of_draws(link):
    generator, held = np.random.default_rng(4), []
    for _ in range(1000):
        sizes = np.exp(generator.uniform(0, np.log(6), 150))
        chance = {"logit": expit, "probit": ndtr}[link](4 * np.log(sizes / 2.5))
        curve = fit_detection(sizes, generator.uniform(size=150) < chance, link)
        truth = {"logit": np.log(9), "probit": 1.2816}[link] / 4 + np.log(2.5)
        held.append(curve.bound_size() >= np.exp(truth))
    assert 0.94 <= np.mean(held) <= 0.965


def test_a_side_that_there_is_not_is_no_upper_bound():
    curve = fit_detection(*draw())
    with pytest.raises(MscamError, match="`side` must be one of 'lower', 'upper'"):
        curve.bound(np.array([2.0]), side="Lower")
    for sizes in ([np.nan], [0.0], [-1.0]):
        with pytest.raises(MscamError, match="`sizes` must be finite numbers above 0"):
            curve.estimate(np.array(sizes))
