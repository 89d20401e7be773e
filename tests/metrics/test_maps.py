import numpy as np
import pytest

from mscam_tf import MscamError, metrics


def test_one_threshold_serves_all_maps():
    """Each map ranks its own pixels right, but the second lies higher as a whole."""
    maps = np.array([[[1.0, 0.0]], [[9.0, 8.0]]])
    masks = np.array([[[True, False]], [[True, False]]])
    # Ranked 9 (hit), 8, 1 (hit), 0: precision 1 at the first hit and 2/3 at the second.
    precision, prevalence = metrics.pixel_average_precision(maps, masks)
    assert precision == pytest.approx((1 + 2 / 3) / 2)
    assert prevalence == 0.5


def test_without_an_object_there_is_no_precision():
    precision, prevalence = metrics.pixel_average_precision(np.eye(2)[None], np.zeros((1, 2, 2)))
    assert np.isnan(precision)
    assert prevalence == 0


def test_pointing_without_an_object_misses():
    assert not metrics.points_at(np.eye(4), np.zeros((4, 4), bool), tolerance=99)


def test_a_map_without_evidence_has_no_energy():
    assert metrics.energy_inside(np.full((2, 2), -1.0), np.ones((2, 2), bool)) == 0


def test_a_map_that_is_the_same_everywhere_points_nowhere():
    everywhere = np.ones((3, 3), bool)
    for value in (0, -2.5, 7):
        assert not metrics.points_at(np.full((3, 3), value), everywhere)
    almost = np.zeros((3, 3))
    almost[2, 2] = 1e-9
    assert metrics.points_at(almost, everywhere)


def test_of_several_brightest_pixels_the_first_counts():
    values = np.array([[0, 1, 0, 0, 0, 1]])
    assert metrics.points_at(values, [[0, 1, 0, 0, 0, 0]], tolerance=0)
    assert not metrics.points_at(values, [[0, 0, 0, 0, 0, 1]], tolerance=0)


@pytest.mark.parametrize(
    ("values", "tolerance", "message"),
    [
        (np.full((2, 2), np.nan), 3, "`values` must be finite numbers"),
        (np.arange(3.0), 3, "`values` must have 2 dimensions"),
        (np.zeros((1, 2, 2)), 3, "`values` must have 2 dimensions"),
        (np.eye(2), -1, "`tolerance` must be a number of at least 0"),
        (np.eye(2), np.nan, "`tolerance` must be a number of at least 0"),
    ],
)
def test_what_cannot_point_is_refused(values, tolerance, message):
    with pytest.raises(MscamError, match=message):
        metrics.points_at(values, np.ones(np.shape(values)), tolerance)
