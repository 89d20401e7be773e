import pytest

from mscam_tf.data.manifests import Box


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
