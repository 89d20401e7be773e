import numpy as np
import pytest

from mscam_tf import MscamError, metrics


def test_the_middle_is_highest_and_follows_the_sides():
    middle = metrics.draw_middle((5, 9))
    assert middle.shape == (5, 9)
    assert np.unravel_index(middle.argmax(), middle.shape) == (2, 4)
    assert middle[2, 4] == 1
    # A fifth of the height from the middle is 0.8 deviations.
    assert middle[1, 4] == pytest.approx(np.exp(-(0.8**2) / 2))
    np.testing.assert_allclose(middle, middle[::-1, ::-1])


def test_spots_are_found_on_a_slope():
    """Wherever the ground is, dark spots are high in one map, and bright ones in the other."""
    image = np.tile(np.linspace(0.45, 0.55, 60), (40, 1))
    image[10:13, 15:18] -= 0.05
    image[28:31, 44:47] += 0.05
    dark, bright = metrics.find_spots(image), metrics.find_spots(image, "bright")
    np.testing.assert_allclose(dark, -bright)
    assert np.abs(np.array(np.unravel_index(dark.argmax(), dark.shape)) - [11, 16]).max() <= 1
    assert np.abs(np.array(np.unravel_index(bright.argmax(), dark.shape)) - [29, 45]).max() <= 1


def test_an_image_without_contrast_has_no_spots():
    np.testing.assert_allclose(metrics.find_spots(np.full((8, 9), 0.3)), 0, atol=1e-12)


def test_other_tones_and_sizes_are_refused():
    with pytest.raises(MscamError, match="`tone` must be one of 'dark', 'bright'"):
        metrics.find_spots(np.eye(3), "grey")
    with pytest.raises(MscamError, match=r"`image_size` must be .* at least 1"):
        metrics.draw_middle((0, 3))
