from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.fakes import make_confusion, make_overlap


def test_first_second_and_margin():
    one = make_overlap("x", "", [0.1, 0.6, 0.3])
    assert (one.first, one.second) == ("b", "c")
    assert one.margin == pytest.approx(0.3)
    equal = make_overlap("x", "", [0.2, 0.4, 0.4])
    assert (equal.first, equal.second, equal.margin) == ("b", "c", 0)


def test_a_difference_by_hand():
    found = make_confusion([0.5, 0.7, 0.6, 0.55, 0.65], [0.1, 0.3, 0.2, 0.15, 0.25])
    assert found.difference == pytest.approx(0.4)
    low, high = found.interval
    assert 0.3 < low < 0.4 < high < 0.5
    assert found.p_value == pytest.approx(2 / 252)  # The most extreme of 252 orders.
    assert found.rate == 0.5


def test_a_group_counts_once():
    """Ten patches of one film are one film, and what has no overlap says nothing."""
    found = make_confusion([0.5, 0.7, 0.6, 0.55, 0.65], [0.1, 0.3, 0.2, 0.15, 0.25])
    film = [replace(found.images[0], group="film") for _ in range(9)]
    film.append(make_overlap("flat", "a", [0.2, 0.8, 0], float("nan")))
    more = replace(found, images=found.images[1:] + film)
    assert more.difference == pytest.approx(found.difference)
    assert more.p_value == found.p_value


@pytest.mark.parametrize(("wrong", "right"), [([0.5] * 4, [0.1] * 9), ([0.5] * 9, [])])
def test_too_few_images_have_no_interval(wrong, right):
    found = make_confusion(wrong, right)
    assert np.isnan([found.difference, *found.interval, found.p_value]).all()
