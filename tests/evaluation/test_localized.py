import numpy as np
import pytest

from mscam_tf import MscamError
from mscam_tf.evaluation import name_sizes
from mscam_tf.evaluation.localized import summarize
from mscam_tf.evaluation.map_scores import Marked
from tests.evaluation.test_map_scores import ALL, OBJECTS


def test_ranges_of_sizes_have_names():
    assert name_sizes([]) == {"all": (0, np.inf)}
    assert name_sizes([8]) == {"all": (0, np.inf), "< 8": (0, 8), ">= 8": (8, np.inf)}
    assert list(name_sizes([4, 8.5])) == ["all", "< 4", "4 to 8.5", ">= 8.5"]


@pytest.mark.parametrize("thresholds", [[0], [8, 4], [4, 4], [np.nan], [-1, 3]])
def test_thresholds_rise(thresholds):
    with pytest.raises(MscamError, match="`thresholds` must be above 0 and rise"):
        name_sizes(thresholds)


def test_groups_are_drawn_whole():
    """Of two groups the one has all objects found and no false mark, and the other none."""
    objects = [OBJECTS[0], OBJECTS[1], OBJECTS[2]]
    marked = Marked(objects, np.array([True, True, False]), np.array([0, 2, 4]))
    groups = np.array(["x", "y", "y"])
    (row,) = summarize({"marks": marked}, {"all": ALL}, groups, resamples=200)
    assert (row.map, row.size, row.images, row.objects) == ("marks", "all", 2, 3)
    assert row.scores["found"] == (pytest.approx(2 / 3), 0.0, 1.0)
    assert row.scores["false_marks"] == (2.0, 0.0, 3.0)


def test_one_group_has_no_interval():
    marked = Marked(OBJECTS, np.array([True, True, False, False]), np.arange(4))
    (row,) = summarize({"marks": marked}, {"all": ALL}, np.zeros(4), resamples=5)
    value, low, high = row.scores["found"]
    assert value == pytest.approx(2 / 3)
    assert np.isnan([low, high]).all()
