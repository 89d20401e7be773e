import numpy as np
import pytest
from PIL import Image

from mscam_tf import ReadOptions, read_image
from mscam_tf.data.reading import resize_image


def save(path, values):
    Image.fromarray(values).save(path)
    return path


def test_a_window_clips_and_inverts_by_hand(tmp_path):
    path = save(tmp_path / "a.png", np.array([[0, 100, 150], [300, 500, 65535]], np.uint16))
    image = read_image(path, ReadOptions(window=(100, 500)))
    np.testing.assert_allclose(image, [[0, 0, 0.125], [0.5, 1, 1]], atol=1e-7)
    image = read_image(path, ReadOptions(window=(100, 500), invert=True))
    np.testing.assert_allclose(image, [[1, 1, 0.875], [0.5, 0, 0]], atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": (5, 5)}, r"`window` must be .* Received: window=\(5, 5\)"),
        ({"window": (0, float("nan"))}, "`window` must be"),
        ({"page": -1}, "`page` must be a whole number of at least 0. Received: page=-1"),
        ({"max_pixels": 0}, "`max_pixels` must be a number of at least 1. Received: max_pixels=0"),
    ],
)
def test_wrong_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        ReadOptions(**arguments)


def test_resizing_averages_within_the_range(tmp_path):
    image = np.zeros((2, 8), np.float32)
    image[:, 4:] = 1
    assert resize_image(image, (2, 8)) is image
    small = resize_image(image, (1, 2))
    assert small.dtype == np.float32
    # Weights 5, 7, 7, 5, 3 and 1 of 28: a triangle 8 pixels wide, cut at the border.
    np.testing.assert_allclose(small, [[4 / 28, 24 / 28]], atol=1e-6)
    assert resize_image(image, (4, 3)).shape == (4, 3)
