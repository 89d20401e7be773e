from dataclasses import replace

import numpy as np
import pytest

from mscam_tf import MscamError, find_regions
from mscam_tf.localization import estimate_size, list_regions, measure_width
from mscam_tf.runs import OperatingPoint
from tests.localization.explanations import explain_by_hand
from tests.localization.test_regions import see


def test_the_width_at_half_height_by_hand():
    heights = np.zeros((9, 20))
    heights[1:8] = 2.0
    heights[2:7] = 4.0  # Five rows are at least half as high as the highest.
    heights[4, 3] = 8.0
    assert measure_width(heights, heights > 0) == 5
    heights[4, 3] = 4.0  # And now seven are.
    assert measure_width(heights, heights > 0) == 7
    assert measure_width(np.zeros((3, 4)), np.ones((3, 4), bool)) == 3


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_a_point_has_hardly_a_size(stride):
    """Whatever the stride: its region is as wide as the map makes it, about a cell."""
    (region,) = find_regions(see(5.2 * stride, 4.1 * stride, stride, width=0.6), 1.0)
    assert region.size > stride
    assert estimate_size(region.size, stride) < min(1.1 * stride, region.size)


def test_blur_is_taken_off():
    assert estimate_size(5, 4) == 4  # 5^2 = 4^2 + (0.75 4)^2
    assert estimate_size(3, 4) == estimate_size(0, 4) == 1
    widths = np.linspace(3.2, 60, 20)
    assert (np.diff([estimate_size(width, 4) for width in widths]) > 0).all()


def test_regions_of_explanations_have_the_size_of_their_scale():
    explanation = explain_by_hand()
    wide = np.zeros((4, 8, 3))
    wide[..., 1] = 3.0  # Four pixels wide; cells have 2 pixels, or 4.
    explanation = replace(explanation, maps=wide, scale_maps=np.stack([wide, wide]))
    for scale, stride in (("sum", 2), (1, 2), (2, 4)):
        (region,) = list_regions(explanation, OperatingPoint({"bone": 1.0}, scale=scale))
        assert region.size == pytest.approx(
            estimate_size(find_regions(wide[..., 1], 1)[0].size, stride)
        )


@pytest.mark.parametrize(
    ("heights", "mask", "message"),
    [
        ([[np.nan, 1]], [[1, 1]], "`heights` must be finite"),
        ([[1, 1]], [[0, 0]], "at least one pixel"),
        ([[-1, 1]], [[1, 1]], "the lowest -1"),
        ([[1, 1]], [[1]], "the same shape"),
    ],
)
def test_what_is_no_region_has_no_width(heights, mask, message):
    with pytest.raises(MscamError, match=message):
        measure_width(np.array(heights), np.array(mask))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1])
def test_what_is_no_width_or_stride_gives_no_size(value):
    with pytest.raises(MscamError, match="`width` must be a number of at least 0"):
        estimate_size(value, 4)
    with pytest.raises(MscamError, match="`stride` must be a number of at least 0"):
        estimate_size(9, value)
