import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mscam_tf import MscamError, metrics


def test_on_few_values_it_is_the_average_precision():
    generator = np.random.default_rng(1)
    masks = generator.random((5, 8, 9)) < 0.2
    maps = np.round(np.clip(generator.random((5, 8, 9)) * 0.7 + 0.3 * masks, 0, 1), 2)
    shifted = maps * 0.99 + 0.0005  # So that no value lies on the border of a bin.
    expected = average_precision_score(masks.ravel(), maps.ravel())
    assert metrics.pxap(shifted, masks) == pytest.approx(expected, abs=1e-12)


def test_pixels_of_one_bin_are_taken_together():
    """Both values lie in one bin: the precision is 1/2 for both, whichever is higher."""
    maps, mask = [np.array([[0.5001, 0.5002]])], [np.array([[1, 0]])]
    assert metrics.pxap(maps, mask) == 0.5


def test_ignored_pixels_do_not_count():
    map_, mask = np.array([[0.2, 0.8, 0.9]]), np.array([[0, 1, 0]])
    assert metrics.pxap([map_], [mask]) == 0.5
    assert metrics.pxap([map_], [mask], [np.array([[0, 1, 1]])]) == 1.0


def test_the_highest_value_has_a_bin_of_its_own():
    counts = metrics.count_pixels(np.array([[0.0, 0.9995, 1.0]]), np.array([[1, 0, 1]]))
    assert counts.shape == (2, 1001)
    assert counts[0, [0, -1]].tolist() == [1, 1]
    assert counts[1, -2] == 1
    assert counts.sum() == 3


def test_without_an_object_there_is_no_precision():
    assert np.isnan(metrics.pxap([np.eye(2)], [np.zeros((2, 2))]))


def test_maps_beyond_one_are_refused():
    with pytest.raises(MscamError, match=r"`map_` must lie in \[0, 1\].*scale_to_unit"):
        metrics.pxap([np.eye(2) * 3], [np.eye(2)])
