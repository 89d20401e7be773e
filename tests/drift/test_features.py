import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mscam_tf.drift import FEATURES, measure_image
from mscam_tf.errors import MscamError


@pytest.fixture
def image():
    """Stripes along the rows, 16 pixels apart, and noise; higher than wide."""
    rows = 0.4 + 0.1 * np.sin(2 * np.pi * np.arange(96) / 16)
    noise = np.random.default_rng(0).normal(0, 0.004, (96, 64))
    return (rows[:, None] + noise).astype(np.float32)


def measure(image):
    return dict(zip(FEATURES, measure_image(image).tolist(), strict=True))


def test_percentiles_by_hand():
    found = measure(np.linspace(0, 1, 90)[:, None].repeat(30, axis=1))
    # Every third of 90 rows, 10 pixels each: 0, 3, ..., 87 of 89. The median is the
    # value 150, in row 45, the percentiles 25 and 75 are in the rows 21 and 66.
    assert found["intensity"] == pytest.approx(45 / 89, abs=1e-6)
    assert found["darkest"] == 0
    assert found["brightest"] == pytest.approx(87 / 89, abs=1e-6)
    assert np.exp(found["contrast"]) == pytest.approx(45 / 89, abs=1e-6)


def test_differences_by_hand():
    """A slope of 0.01 down and 0.002 to the right: differences are slopes times distances."""
    y, x = np.mgrid[:40, :50]
    found = measure(0.01 * y + 0.002 * x)
    assert np.exp(found["sharpness"]) == pytest.approx(0.012 / (4 * 0.012), rel=1e-3)
    assert np.exp(found["orientation"]) == pytest.approx(0.2, rel=1e-3)


def test_noise_is_that_of_the_pixels_not_of_edges(image):
    assert np.exp(measure(image)["noise"]) / 0.6745 == pytest.approx(0.004, rel=0.07)
    image[:, 32:] += 0.3
    assert np.exp(measure(image)["noise"]) / 0.6745 == pytest.approx(0.004, rel=0.1)


def change(before, after):
    return {name: after[name] - before[name] for name in FEATURES}


def test_a_turned_image_swaps_its_directions(image):
    before, after = measure(image), measure(image.T)
    assert after["orientation"] == pytest.approx(-before["orientation"])
    assert abs(before["orientation"]) > 1
    assert after["row_defect"] == pytest.approx(before["column_defect"], abs=0.5)


def test_each_fault_has_its_feature(image):
    before = measure(image)
    dead = image.copy()
    dead[:, 40] += 0.02
    assert change(before, measure(dead))["column_defect"] > 2
    assert abs(change(before, measure(dead))["row_defect"]) < 0.5
    lost = image.T.copy()
    lost[50] = lost[49] + 0.02
    assert change(measure(image.T), measure(lost))["row_defect"] > 2
    blurred = change(before, measure(gaussian_filter(image, 1)))
    assert blurred["sharpness"] < -0.1
    assert blurred["noise"] < -1
    assert change(before, measure(image + 0.05))["intensity"] == pytest.approx(0.05, abs=1e-6)


def test_spots_are_no_edges():
    image = np.random.default_rng(0).normal(0.4, 0.004, (96, 64)).astype(np.float32)
    before = measure(image)["spots"]
    edge = image.copy()
    edge[:, 32:] += 0.3
    assert measure(edge)["spots"] == pytest.approx(before, abs=0.3)
    dirt = image.copy()
    dirt[30:33, 20:23] += 0.1
    assert np.exp(measure(dirt)["spots"]) == pytest.approx(0.1, abs=0.02)
    dirt[70, 50] = 0  # A dead pixel.
    assert np.exp(measure(dirt)["spots"]) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_images_of_one_value_have_numbers(value):
    assert np.isfinite(measure_image(np.full((9, 12), value, np.float32))).all()


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (40, 40, 1), (0,)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(MscamError, match=r"`image` must be .* 9 or more\. Received: shape="):
        measure_image(np.zeros(shape))
