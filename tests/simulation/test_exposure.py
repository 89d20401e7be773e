from dataclasses import replace

import numpy as np
import pytest

from mscam_tf.simulation.detector import Detector
from mscam_tf.simulation.exposure import Exposure, Tone, digitise, draw_exposure, expose_film

SHARP = Detector(1e9, 1e-3, 1e-3, 0.0, 0.0, 0, ())
PLAIN = Exposure(SHARP, 0.0, 1.0, 0.0, None, 1.0, 1.0, False, 65535, None)


def _expose(transmission, exposure, seed=0):
    return expose_film(transmission, exposure, np.random.default_rng(seed))


def test_depth_is_that_of_the_radiation_that_is_left():
    depth = _expose(np.full((8, 8), 0.25, np.float32), PLAIN)
    assert depth == pytest.approx(np.log(4), abs=1e-3)


def test_noise_of_photons_by_hand():
    """10,000 photons, a quarter gets through: 2,500, so 1 / 50 of the intensity."""
    exposure = replace(PLAIN, detector=replace(SHARP, photons=1e4))
    depth = _expose(np.full((128, 128), 0.25, np.float32), exposure)
    assert depth.std() == pytest.approx(0.02, rel=0.03)


def test_grain_has_its_deviation_and_its_size():
    """White noise blurred by `s` is alike at the distance `d` as `exp(-d^2 / (4 s^2))` says."""
    exposure = replace(PLAIN, grain=0.02, grain_size=2.0)
    depth = _expose(np.full((256, 256), 0.5, np.float32), exposure)
    grain = depth - depth.mean()
    assert grain.std() == pytest.approx(0.02, rel=0.01)
    for distance in (1, 2, 4):
        alike = (grain[:, distance:] * grain[:, :-distance]).mean() / grain.var()
        assert alike == pytest.approx(np.exp(-(distance**2) / 16), abs=0.04)


def test_grain_grows_with_the_root_of_the_density():
    """Four times the radiation, twice the grain."""
    transmission = np.full((128, 256), 0.2, np.float32)
    transmission[:, 128:] = 0.8
    depth = _expose(transmission, replace(PLAIN, grain=0.02))
    assert depth[:, 140:].std() / depth[:, :116].std() == pytest.approx(2, rel=0.1)


def test_ends_are_clipped_as_asked():
    """A wedge from 0 to 1: a tenth is black, a fifth is white, the rest is linear."""
    depth = np.tile(np.linspace(0, 1, 199, dtype=np.float32), (8, 1))
    image = Tone(depth, replace(PLAIN, window=(0.1, 0.2), headroom=0.5))(depth)
    assert (image == 0).mean() == pytest.approx(0.1, abs=0.01)
    assert (image == 1).mean() == pytest.approx(0.2, abs=0.01)
    assert image[0, 89] == pytest.approx((89 / 198 - 0.1) / 0.7, abs=0.01)


def test_without_a_window_the_scale_begins_at_nothing():
    depth = np.tile(np.linspace(0.5, 1, 199, dtype=np.float32), (8, 1))
    image = Tone(depth, replace(PLAIN, headroom=0.8))(depth)
    assert image[0, 0] == pytest.approx(0.4, abs=2e-3)
    assert image.max() == pytest.approx(0.8, abs=2e-3)
    inverted = Tone(depth, replace(PLAIN, headroom=0.8, inverted=True))(depth)
    assert np.allclose(inverted, 1 - image)


def test_levels_and_floor_by_hand():
    image = np.array([[0.0, 0.3, 0.5, 1.0]], np.float32)
    assert np.allclose(digitise(image, replace(PLAIN, levels=3)) * 3, [[0, 1, 2, 3]])
    assert replace(PLAIN, levels=255).floor == pytest.approx(1 / 255 / np.sqrt(12))
    # Quality 75: steps of 16 (2 - 1.5) = 8 levels.
    assert replace(PLAIN, quality=75).floor == pytest.approx(8 / 255 / np.sqrt(12))


def test_half_of_the_films_are_clipped():
    drawn = [draw_exposure((32, 32), True, np.random.default_rng(seed)) for seed in range(300)]
    assert 0.4 < np.mean([max(one.window) > 0 for one in drawn]) < 0.62
    assert all(one.grain > 0 for one in drawn)
    assert draw_exposure((32, 32), False, np.random.default_rng(0)).window is None
