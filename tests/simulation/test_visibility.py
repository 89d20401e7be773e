import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mscam_tf.simulation.visibility import Signal, measure_visibility


def _put(image, side, contrast, width=None):
    """A square of a contrast in the middle."""
    start = image.shape[0] // 2 - side // 2
    window = (slice(start, start + side), slice(start, start + side))
    change = np.full((side, side), contrast, np.float32)
    image[window] += change
    return Signal(window, change, side if width is None else width)


@pytest.mark.parametrize(("side", "contrast"), [(3, 0.05), (5, 0.02), (9, 0.02), (11, 0.005)])
def test_a_flat_object_in_white_noise_has_the_index_of_rose(side, contrast):
    """Contrast over noise, times the root of the pixels: `c n / sigma` for a square of side n."""
    found = []
    for seed in range(12):
        noise = np.random.default_rng(seed).standard_normal((96, 96), dtype=np.float32)
        image = 0.01 * noise
        found += measure_visibility(image, [_put(image, side, contrast)])
    assert np.mean(found) == pytest.approx(contrast / 0.01 * side, rel=0.1)


def test_grain_of_the_size_of_an_object_hides_it_more_than_fine_grain():
    """Two textures of one deviation: clumps of 2 pixels' blur leave means of 5 x 5 uneven."""
    white = np.random.default_rng(0).standard_normal((96, 96), dtype=np.float32)
    clumps = gaussian_filter(white, 2.0)
    index = []
    for noise in (white / white.std(), clumps / clumps.std()):
        image = 0.01 * noise
        index += measure_visibility(image, [_put(image, 5, 0.02)])
    assert index[0] > 2.5 * index[1]


def test_slopes_hide_nothing():
    """Only grey levels of 1 / 1020 apart limit; 8 / 9 of the object differs from its surround."""
    image = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (96, 1))
    index = measure_visibility(image, [_put(image, 5, 0.01)], floor=1 / 1020 / np.sqrt(12))
    assert index[0] == pytest.approx(8 / 9 * 0.05 * 1020 * np.sqrt(12), rel=0.01)


def test_other_objects_are_no_noise():
    noise = 0.01 * np.random.default_rng(1).standard_normal((96, 96), dtype=np.float32)
    beside = (slice(52, 56), slice(46, 50))
    crowded = noise.copy()
    crowded[beside] += 0.5
    near = Signal(beside, np.full((4, 4), 0.5, np.float32), 4)
    alone = measure_visibility(noise, [_put(noise, 4, 0.02)])
    assert measure_visibility(crowded, [_put(crowded, 4, 0.02), near])[0] == pytest.approx(alone[0])


def test_what_changes_nothing_is_not_seen():
    image = np.ones((32, 32), np.float32)
    signal = Signal((slice(3, 8), slice(3, 8)), np.zeros((5, 5), np.float32), 5)
    assert measure_visibility(image, [signal]) == [0.0]
