import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mscam_tf import MscamError
from mscam_tf.localization import find_marks
from mscam_tf.metrics import find_peaks
from mscam_tf.runs import Explanation, OperatingPoint

NAMES = ["bone", "none", "wire"]


def explain(maps, scale_maps=()):
    maps = np.asarray(maps, np.float32)
    scale_maps = np.array(scale_maps).reshape(-1, *maps.shape)
    return Explanation("a.png", *[None] * 5, maps, scale_maps, NAMES)


def draw(**peaks):
    """Give an explanation whose map of bone has the given peaks, `atROW_COLUMN=value`."""
    maps = np.zeros((32, 64, 3))
    maps[..., 1] = 9.0  # Nothing is marked in the map of good images.
    for place, value in peaks.items():
        row, column = map(int, place.removeprefix("at").split("_"))
        maps[row, column, 0] = value
    return explain(maps)


def test_marks_are_peaks_from_the_threshold_on():
    point = OperatingPoint({"bone": 2.0}, good="none")
    marks = find_marks(draw(at5_7=2.0, at20_40=1.9, at28_60=8.0), point)
    assert marks.tolist() == [[28.5, 60.5], [5.5, 7.5]]
    assert find_marks(draw(), point).shape == (0, 2)
    assert find_marks(draw(at5_7=2.0), OperatingPoint({}, good="none")).shape == (0, 2)


def test_regions_below_the_minimum_area_bear_no_mark():
    point = OperatingPoint({"bone": 2.0}, minimum_area=2.0, good="none")
    marks = find_marks(draw(at5_7=3.0, at20_40=2.5, at20_41=2.2), point)
    assert marks.tolist() == [[20.5, 40.5]]


def test_a_long_region_bears_several_marks():
    maps = np.zeros((9, 40, 3))
    columns = np.arange(40)
    maps[4, :, 0] = np.maximum(3 - 0.1 * abs(columns - 5), 4 - 0.1 * abs(columns - 30))
    marks = find_marks(explain(maps), OperatingPoint({"bone": 1.0}))
    assert marks.tolist() == [[4.5, 30.5], [4.5, 5.5]]


def test_several_classes_in_one_place_are_one_mark():
    """What counts is how far each is above its own threshold: the wire by 3, the bone by 0.5."""
    maps = np.zeros((10, 30, 3))
    maps[2:5, 2:5, 0] = 2
    maps[3, 4, 2] = 6
    maps[7, 25, 2] = 4
    marks = find_marks(explain(maps), OperatingPoint({"bone": 1.5, "wire": 3.0}, good="none"))
    assert marks.tolist() == [[3.5, 4.5], [7.5, 25.5]]


def test_one_scale_may_be_marked():
    scale = np.zeros((10, 30, 3))
    scale[6, 8, 0] = 3
    point = OperatingPoint({"bone": 2.0}, scale=1)
    assert find_marks(explain(np.zeros((10, 30, 3)), [scale]), point).tolist() == [[6.5, 8.5]]
    with pytest.raises(MscamError, match="maps of each scale"):
        find_marks(explain(np.zeros((10, 30, 3))), point)


@settings(max_examples=30)
@given(arrays(np.float32, (12, 20), elements=st.integers(-3, 3)), st.sampled_from([-1, 0.5, 2]))
def test_they_are_those_that_free_response_counts_at_the_threshold(values, threshold):
    maps = np.zeros((12, 20, 3))
    maps[..., 0] = values
    places, scores = find_peaks(values)
    marks = find_marks(explain(maps), OperatingPoint({"bone": threshold}))
    assert marks.tolist() == (places[scores >= threshold] + 0.5).tolist()
