from dataclasses import replace

import numpy as np
import pytest

from mscam_tf import Box, MscamError, find_regions
from mscam_tf.localization import estimate_size, list_regions, measure_around, measure_width
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
    for scale, size in (
        ("sum", 4**2 - 1.5**2),  # 0.75 cells of 2 pixels.
        (1, 4**2 - 2.8**2),  # 1.4 cells of 2 pixels,
        (2, 1),  # or of 4, which is more than there is.
    ):
        (region,) = list_regions(explanation, OperatingPoint({"bone": 1.0}, scale=scale))
        assert region.size == pytest.approx(size**0.5)


@pytest.mark.parametrize("threshold", [0.5, 2.0, 3.9])
def test_the_size_by_one_scale_does_not_hang_on_the_threshold(threshold):
    """A bar of 5 rows, at 2 logits and more, with a tip of one pixel at 4."""
    map_ = np.zeros((16, 24, 3))
    map_[4:9, :, 1], map_[6, 11, 1] = 2.0, 4.0
    cells = (np.ones((8, 12, 3)), np.ones((4, 6, 3)))
    explanation = replace(
        explain_by_hand(),
        maps=map_,
        scale_maps=np.stack([map_, 0 * map_]),
        cell_contributions=cells,
    )
    (region, *_) = list_regions(explanation, OperatingPoint({"bone": threshold}, scale=1))
    assert region.size == pytest.approx((5**2 - 2.8**2) ** 0.5)


def test_the_size_by_sharp_maps_is_their_width():
    image = np.full((40, 40), 0.5)
    image[18:22, 18:22] = 0.1
    maps = np.full((40, 40, 3), [0.0, 9.0, -9.0])  # Bone is sure everywhere.
    cells = (np.ones((20, 20, 3)), np.ones((10, 10, 3)))
    explanation = replace(explain_by_hand(), image=image, maps=maps, cell_contributions=cells)
    sharp = OperatingPoint({}, scale="sharp").take_maps(explanation)[..., 1]
    for share in (0.3, 0.6, 0.95):  # Of the peak.
        point = OperatingPoint({"bone": share * sharp.max()}, scale="sharp")
        region = list_regions(explanation, point)[0]
        assert region.size == measure_around(sharp, region.box, region.peak)
        assert 3 <= region.size <= 7


def test_the_width_around_a_region_is_that_of_its_own_place():
    map_ = np.zeros((60, 200))
    map_[10:17, 5:9] = 3.0
    map_[12, 6] = 5.0
    map_[10:40, 30:60] = 9.0  # Something larger that does not touch it,
    map_[:, 150:] = 5.0  # and something far away.
    assert measure_around(map_, Box(6, 12, 7, 13), (6.5, 12.5)) == 4


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
    with pytest.raises(MscamError, match="`spread` must be a number of at least 0"):
        estimate_size(9, 4, value)


@pytest.mark.parametrize("threshold", [1.0, 2.0, 4.5, 5.9])
def test_the_size_by_the_sum_is_counted_from_even_odds(threshold):
    """The biases of bone are -2: half way from 2 to the tip at 6 is 4, where 5 rows are."""
    map_ = np.zeros((16, 24, 3))
    map_[2:12, :, 1], map_[4:9, :, 1], map_[6, 11, 1] = 3.5, 4.0, 6.0
    cells = (np.ones((8, 12, 3)), np.ones((4, 6, 3)))
    explanation = replace(explain_by_hand(), maps=map_, cell_contributions=cells)
    region = list_regions(explanation, OperatingPoint({"bone": threshold}))[0]
    assert region.size == pytest.approx((5**2 - 1.5**2) ** 0.5)
    against = replace(
        explanation, logits=explanation.logits + np.array([3, 0, 0])
    )  # Those of none are 3:
    region = list_regions(against, OperatingPoint({"bone": threshold}, good="none"))[0]
    assert region.size == 1  # half way from 5 to 6 there is the tip alone.
