import numpy as np
import pytest

from mscam_tf import MscamError, metrics


def draw_specks():
    image = np.tile(np.linspace(0.45, 0.55, 60), (40, 1))
    image[10:13, 15:18] -= 0.05
    image[28:31, 44:47] += 0.05
    return image


def test_it_is_the_probability_times_the_strength_of_spots():
    image, odds = draw_specks(), np.random.default_rng(0).normal(size=(40, 60))
    expected = np.abs(metrics.find_spots(image)) / (1 + np.exp(-odds))
    np.testing.assert_allclose(metrics.sharpen_maps(odds, image), expected)


@pytest.mark.parametrize(("side", "place"), [(0, (11, 16)), (1, (29, 45))])
def test_a_coarse_hint_becomes_the_place_of_a_dark_and_of_a_bright_speck(side, place):
    odds = np.full((40, 60), -4.0)
    odds[:, :30] += 8.0 * (side == 0)
    odds[:, 30:] += 8.0 * (side == 1)
    sharp = metrics.sharpen_maps(odds, draw_specks())
    assert np.abs(np.array(np.unravel_index(sharp.argmax(), sharp.shape)) - place).max() <= 1


def test_maps_of_several_classes_are_sharpened_each_by_itself():
    image, odds = draw_specks(), np.random.default_rng(1).normal(size=(40, 60, 3))
    sharp = metrics.sharpen_maps(odds, image)
    for number in range(3):
        np.testing.assert_array_equal(
            sharp[..., number], metrics.sharpen_maps(odds[..., number], image)
        )


def test_large_odds_overflow_nowhere_and_half_precision_is_taken():
    odds = np.array([[-6e4, 6e4]] * 2, np.float16)
    sharp = metrics.sharpen_maps(odds, np.array([[0.1, 0.9]] * 2))
    assert sharp.dtype == np.float64
    assert sharp[0, 0] == 0
    assert sharp[0, 1] > 0


@pytest.mark.parametrize(
    ("odds", "image", "match"),
    [
        (np.zeros((4, 5)), np.zeros((5, 4)), r"same height and width\. Received: odds of \(4, 5\)"),
        (np.zeros((4, 5, 2)), np.zeros((4, 4)), "same height and width"),
        (np.full((4, 5), np.nan), np.zeros((4, 5)), "odds"),
        (np.zeros((4, 5)), np.full((4, 5), np.inf), "image"),
        (np.zeros(4), np.zeros((4, 5)), "odds"),
    ],
)
def test_what_is_no_map_of_the_image_is_refused(odds, image, match):
    with pytest.raises(MscamError, match=match):
        metrics.sharpen_maps(odds, image)
