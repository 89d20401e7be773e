import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy
from keras.ops import image

from mscam_tf.models.resizing import resize_and_sum

pytestmark = pytest.mark.backends


def resize_by_keras(maps, size):
    return to_numpy(image.resize(maps, size, data_format="channels_last"))


def test_bilinear_by_hand():
    maps = np.array([[0.0, 4.0], [8.0, 12.0]], "float32").reshape(1, 2, 2, 1)
    resized = to_numpy(resize_and_sum([maps], (2, 4)))[0, ..., 0]
    np.testing.assert_allclose(resized, [[0, 1, 3, 4], [8, 9, 11, 12]])


def test_as_keras_resizes():
    maps = np.random.default_rng(0).random((2, 5, 7, 3), "float32")
    found = to_numpy(resize_and_sum([maps], (13, 9)))
    np.testing.assert_allclose(found, resize_by_keras(maps, (13, 9)), atol=1e-5)


def test_scales_of_different_sizes_add_up():
    fine = np.random.default_rng(0).random((2, 5, 7, 3), "float32")
    coarse = fine[:, :2, :3]
    found = to_numpy(resize_and_sum([fine, coarse], (13, 9)))
    expected = resize_by_keras(fine, (13, 9)) + resize_by_keras(coarse, (13, 9))
    np.testing.assert_allclose(found, expected, atol=1e-5)
