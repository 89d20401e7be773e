import subprocess
import sys

import numpy as np
import pytest

from mscam_tf.plots import COLOR_MAP, color_map, paint_overlay


def test_colours_are_those_of_all_pictures():
    values = np.linspace(-3, 3, 61)[None]
    expected = COLOR_MAP((np.clip(values / 2, -1, 1) + 1) / 2)
    np.testing.assert_allclose(color_map(values, (-2, 1)), expected, atol=0.02)


def test_the_map_lies_over_the_image_and_the_box_around_its_region():
    image = np.zeros((300, 280))
    image[:, 140:] = 0.5
    map_ = np.zeros_like(image)
    map_[100:110, 200:220] = 4
    picture = paint_overlay(image, map_, (-4, 2), [(200, 100, 220, 110)], "reject 1.5: bone")
    below = picture[20:]
    grey, overlay = below[:, :280], below[:, 284:]
    assert (grey[..., 0] == grey[..., 2]).all()
    assert grey[0, 0].tolist() == [0, 0, 0]
    assert grey[0, 279].tolist() == [255, 255, 255]  # Its contrast is stretched.
    np.testing.assert_array_equal(overlay[:90], grey[:90])  # Where the map is zero.
    red, green, blue = (0.75 * np.array([0.85, 0, 0.1]) + 0.25) * 255
    assert overlay[105, 210].tolist() == pytest.approx([red, green, blue], abs=1)
    assert overlay[99, 210].tolist() == [255] * 3  # The box, and around it its edge.
    assert overlay[98, 210].tolist() == [0] * 3
    assert picture[:20].min() < 128  # The title.


def test_small_and_wide_images_and_any_name_are_painted():
    assert paint_overlay(np.zeros((3, 9)), np.zeros((3, 9)), (0, 0)).shape == (
        20 + 2 * 258 + 4,
        774,
        3,
    )
    boxes = [(0, 0, 9, 3)] * 50
    for title in ("필름 \udcff\x07", "a" * 500, "two\nlines"):
        picture = paint_overlay(np.zeros((3, 9)), np.ones((3, 9)), (-1, 1), boxes, title)
        assert picture.dtype == np.uint8


def test_it_does_without_matplotlib():
    code = "import sys\nimport mscam_tf.plots.painting\nprint('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
