from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mscam_tf.data.manifests import Box

# Sixteenths of pixels, so that sums are exact.
LENGTHS = st.integers(1, 20 * 16).map(lambda value: value / 16)
PLACES = st.integers(-20 * 16, 20 * 16).map(lambda value: value / 16)
BOXES = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h, "pore"), PLACES, PLACES, LENGTHS, LENGTHS
)


def test_shift_and_clip():
    box = Box(10, 20, 30, 24, "pore").shift(-15, -10)
    assert box == Box(-5, 10, 15, 14, "pore")
    assert box.clip(10, 40) == Box(0, 10, 10, 14, "pore", object_size=(20, 4), visible=1.0)
    assert box.clip(40, 12) == Box(0, 10, 15, 12, "pore", (20, 4), 15 * 2 / 80)
    assert box.clip(40, 10) is None
    twice = box.clip(40, 40).shift(-5, 0).clip(40, 40)
    assert (twice.x_max, twice.size) == (10, (20, 4))
    assert twice.visible == pytest.approx(10 / 20)


def test_what_is_larger_than_the_image_is_visible_when_it_fills_it():
    assert Box(-50, 3, 80, 5).clip(20, 20).visible == 1
    assert Box(10, 3, 80, 5).clip(20, 20).visible == 0.5


def test_an_empty_box():
    with pytest.raises(ValueError, match=r"x_min < x_max .* Received: \{'x_min': 3, .*"):
        Box(3, 0, 2, 5)


@given(BOXES, PLACES, PLACES)
def test_a_shift_there_and_back(box, x, y):
    moved = box.shift(x, y)
    assert moved.size == box.size
    assert moved.area == box.area
    assert moved.shift(-x, -y) == box


@given(BOXES, LENGTHS, LENGTHS)
def test_a_cut_box_is_inside_and_remembers_the_whole(box, width, height):
    cut = box.clip(width, height)
    apart = box.x_max <= 0 or box.y_max <= 0 or box.x_min >= width or box.y_min >= height
    assert (cut is None) == apart
    if cut is not None:
        assert 0 <= cut.x_min < cut.x_max <= width
        assert 0 <= cut.y_min < cut.y_max <= height
        assert (cut.label, cut.size) == (box.label, box.size)
        assert cut.visible == pytest.approx(cut.area / box.fit(width, height))
        assert 0 < cut.visible <= 1
        again = cut.clip(width, height)
        assert again.visible == pytest.approx(cut.visible)
        assert replace(again, visible=cut.visible) == cut


@given(BOXES, st.integers(4, 12))
def test_the_pieces_of_a_box_make_it_whole(box, side):
    """Cut by windows side by side, each pixel of the box is in one piece."""
    starts = np.arange(-24, 48, side).tolist()
    cuts = [box.shift(-x, -y).clip(side, side) for x in starts for y in starts]
    assert sum(cut.area for cut in cuts if cut is not None) == box.area


@pytest.mark.parametrize("size", [(float("nan"), 4), (float("inf"), 4), (-1, 4), (0, 4)])
def test_the_size_of_the_whole_object_is_a_size(size):
    with pytest.raises(ValueError, match="object_size of finite numbers above 0"):
        Box(0, 0, 1, 1, object_size=size)


@pytest.mark.parametrize("visible", [float("nan"), -0.1, 1.1])
def test_the_visible_share_is_a_share(visible):
    with pytest.raises(ValueError, match="a visible share from 0 to 1"):
        Box(0, 0, 1, 1, visible=visible)


def test_a_resized_box_keeps_its_share_of_the_image():
    box = Box(-6, 2, 2, 12, "pore").clip(width=20, height=10).resize((10, 20), (5, 60))
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == (0, 1, 6, 5)
    assert box.size == (24, 5)
    assert (box.label, box.visible) == ("pore", 0.2)


def test_a_box_has_the_pixels_whose_centres_it_holds():
    assert Box(0, 0.5, 2, 2.5).find_pixels() == (slice(0, 2), slice(0, 2))
    assert Box(3.6, 7.9, 3.9, 8.1).find_pixels() == (slice(8, 9), slice(3, 4))
    assert Box(-2, -3, 1.2, 1.6).find_pixels() == (slice(0, 2), slice(0, 1))
