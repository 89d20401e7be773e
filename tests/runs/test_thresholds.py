import numpy as np
import pytest

from mscam_tf import RunError
from mscam_tf.runs import (
    OneLabel,
    SeveralFindings,
    choose_negatives,
    fit_map_thresholds,
    measure_maxima,
)

LABEL = OneLabel(["bone", "none", "void"])


class Explainer:
    """Stands in for a model: its maps are its images, and their negative."""

    def predict_on_batch(self, images):
        maps = np.concatenate([images, -images], axis=-1)
        return {"maps": maps, "logits": maps.mean((1, 2))}


def test_of_each_map_the_highest_place_is_kept():
    images = np.arange(24.0).reshape(3, 2, 4, 1)
    found = measure_maxima(Explainer(), iter([images[:2], images[2:]]))
    np.testing.assert_array_equal(found, [[7, 0], [15, -8], [23, -16]])
    seen = []
    measure_maxima(Explainer(), [images[:2], images[2:]], lambda *both: seen.append(both))
    assert [len(batch) for batch, _ in seen] == [2, 1]
    np.testing.assert_array_equal(seen[1][0], images[2:])
    np.testing.assert_array_equal(seen[1][1], [[19.5, -19.5]])


def test_maps_that_are_no_numbers_are_refused():
    images = np.zeros((3, 2, 2, 1))
    images[1, 0, 0] = np.nan
    with pytest.raises(RunError, match=r"maps must be numbers\. Received: .* in 1 images"):
        measure_maxima(Explainer(), [images])


def test_negatives_are_good_images_where_there_are_any():
    found = choose_negatives(LABEL, np.array([1, 0, 2, 1]), "none")
    assert {name: chosen.tolist() for name, chosen in found.items()} == {
        "bone": [True, False, False, True],
        "void": [True, False, False, True],
    }


def test_without_good_images_those_without_the_class_count():
    found = choose_negatives(OneLabel(["thin", "wide"]), np.array([0, 1, 1]), None)
    assert found["thin"].tolist() == [False, True, True]
    assert found["wide"].tolist() == [True, False, False]
    findings = choose_negatives(SeveralFindings(["a", "b"]), np.array([[1.0, 0.0], [1, 1]]), None)
    assert findings["b"].tolist() == [True, False]
    assert findings["a"].tolist() == [True, True]  # None is without it.


def test_one_in_twenty_negatives_may_reach_a_threshold():
    maxima = np.stack([np.arange(40.0), np.zeros(40), -np.arange(40.0)], axis=1)
    labels = np.array([1] * 39 + [0])
    found = fit_map_thresholds(LABEL, maxima, labels, "none")
    assert found == {"bone": pytest.approx(37.0), "void": pytest.approx(-1.0)}
    reach = maxima[:39] >= [found["bone"], np.inf, found["void"]]
    assert reach.sum(0).tolist() == [1, 0, 1]


def test_of_few_negatives_none_may():
    maxima = np.array([[2.0, 9.0, -1.0], [3.0, 9.0, -4.0]])
    found = fit_map_thresholds(LABEL, maxima, np.array([1, 1]), "none")
    assert 3.0 < found["bone"] < 3.001
    assert -1.0 < found["void"] < -0.999
