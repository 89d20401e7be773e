from dataclasses import replace

import numpy as np
import pytest

from mscam_tf.simulation.detector import Detector, draw_detector, expose

CLEAN = Detector(
    photons=10_000.0,
    focus_blur=0.01,
    detector_blur=0.01,
    electronic_noise=0.0,
    column_gain=0.0,
    dead_columns=0,
    scratches=(),
)
FLAT = np.full((80, 90), np.exp(-1), np.float32)


def shoot(detector, transmission=FLAT, bit_depth=16):
    return expose(transmission, detector, bit_depth, np.random.default_rng(0))


def test_level_and_photon_noise_by_hand():
    image = shoot(CLEAN) / 65535
    # Optical depth 1 of 2.5; relative noise of 3679 photons is 1 / sqrt(3679) = 0.0165.
    assert image.mean() == pytest.approx(0.4, abs=1e-3)
    assert image.std() == pytest.approx(0.0165 / 2.5, rel=0.05)


def test_light_spreads_and_correlates_the_noise():
    image = shoot(replace(CLEAN, detector_blur=1.0)).astype(float)
    neighbours = np.corrcoef(image[:, :-1].ravel(), image[:, 1:].ravel())[0, 1]
    assert neighbours == pytest.approx(np.exp(-1 / 4), abs=0.05)


@pytest.mark.parametrize(("bit_depth", "dtype"), [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_bits(bit_depth, dtype):
    opaque = np.zeros((8, 8), np.float32)
    image = shoot(CLEAN, opaque, bit_depth)
    assert image.dtype == dtype
    assert image.max() == 2**bit_depth - 1


def test_columns():
    image = shoot(replace(CLEAN, column_gain=0.05)).astype(float)
    assert image.mean(axis=0).std() > 5 * image.mean(axis=1).std()
    mended = shoot(replace(CLEAN, dead_columns=30)).astype(float)
    assert np.isfinite(mended).all()
    assert not np.array_equal(mended, shoot(CLEAN))


def test_scratches_show():
    image = shoot(replace(CLEAN, photons=1e6, scratches=((40.0, 45.0, 0.0, 0.05),))) / 65535 * 2.5
    assert image[40].mean() - image[10].mean() == pytest.approx(0.05, abs=0.005)


def test_drawn_values_are_in_range():
    generator = np.random.default_rng(0)
    drawn = [draw_detector((64, 64), (1e3, 1e4), 1.0, generator) for _ in range(50)]
    assert all(1e3 <= detector.photons <= 1e4 for detector in drawn)
    assert any(detector.scratches for detector in drawn)
    assert not draw_detector((64, 64), (1e3, 1e4), 0.0, generator).scratches
