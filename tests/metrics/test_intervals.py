import numpy as np

from mscam_tf import metrics
from tests.metrics.test_classification import LABELS, PROBABILITIES


def test_interval_holds_the_value_and_shrinks_with_more_images():
    generator = np.random.default_rng(0)
    widths = []
    for count in (50, 800):
        labels = generator.integers(0, 2, count)
        right = generator.random(count) < 0.8
        probabilities = np.eye(2)[np.where(right, labels, 1 - labels)]
        low, high = metrics.bootstrap_interval(metrics.accuracy, labels, probabilities)
        assert low < metrics.accuracy(labels, probabilities) < high
        widths.append(high - low)
    # The normal interval is 2 * 1.96 * sqrt(0.8 * 0.2 / n) wide: 0.222 and 0.055.
    np.testing.assert_allclose(widths, [0.222, 0.055], rtol=0.25)


def test_copies_in_one_group_do_not_narrow_the_interval():
    labels = np.repeat([0, 1] * 10, 4)
    predicted = np.repeat([0, 1] * 7 + [1, 0] * 3, 4)
    probabilities, groups = np.eye(2)[predicted], np.repeat(np.arange(20), 4)
    grouped = metrics.bootstrap_interval(metrics.accuracy, labels, probabilities, groups)
    naive = metrics.bootstrap_interval(metrics.accuracy, labels, probabilities)
    assert grouped[1] - grouped[0] > 1.5 * (naive[1] - naive[0])


def test_interval_is_seeded():
    arguments = (metrics.accuracy, LABELS, PROBABILITIES)
    assert metrics.bootstrap_interval(*arguments, seed=1) == metrics.bootstrap_interval(
        *arguments, seed=1
    )


def test_one_group_has_no_interval():
    interval = metrics.bootstrap_interval(metrics.accuracy, LABELS, PROBABILITIES, np.zeros(4))
    assert np.isnan(interval).all()


def test_interval_where_resamples_miss_a_class():
    low, high = metrics.bootstrap_interval(metrics.auroc, LABELS, PROBABILITIES)
    assert 0 <= low <= high <= 1
    only = metrics.bootstrap_interval(metrics.auroc, LABELS[:2], PROBABILITIES[:2])
    assert np.isnan(only).all()


def test_groups_of_any_kind_and_order_are_drawn_whole():
    names = np.array(["film", "a", "b", "b", "film", "a", "b"])
    seen = []

    def see(drawn, _):
        seen.append(sorted(drawn.tolist()))
        return 0.0

    metrics.bootstrap_interval(see, np.arange(7), np.zeros((7, 2)), names, resamples=50)
    groups = [[0, 4], [1, 5], [2, 3, 6]]
    for drawn in seen:
        assert sum(drawn.count(members[0]) for members in groups) == 3
        assert all(drawn.count(members[0]) == drawn.count(m) for members in groups for m in members)


def test_progress_counts_the_resamples():
    counts = []
    metrics.bootstrap_intervals(
        {"accuracy": metrics.accuracy},
        LABELS,
        PROBABILITIES,
        resamples=7,
        on_progress=counts.append,
    )
    assert counts == [1] * 7
