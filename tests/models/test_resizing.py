import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy
from keras.ops import image

from mscam_tf.models.axes import Axis
from mscam_tf.models.resizing import place_and_sum, resize_and_sum, spread_cells

pytestmark = pytest.mark.backends


def resize_by_keras(maps, size):
    return to_numpy(image.resize(maps, size, data_format="channels_last"))


def test_bilinear_by_hand():
    maps = np.array([[0.0, 4.0], [8.0, 12.0]], "float32").reshape(1, 2, 2, 1)
    resized = to_numpy(resize_and_sum([maps], (2, 4)))[0, ..., 0]
    np.testing.assert_allclose(resized, [[0, 1, 3, 4], [8, 9, 11, 12]])


@pytest.mark.parametrize("stride", [2, 4, 8, 16, 32])
def test_cells_lie_at_their_centres_up_to_the_edge(stride):
    """Cells that hold where they lie make pixels that do; beyond the outermost, values go on."""
    rows, columns = ((np.arange(cells) + 0.5) * stride for cells in (3, 5))
    maps = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).astype("float32")
    found = to_numpy(resize_and_sum([maps[None]], (3 * stride, 5 * stride)))[0]
    y, x = np.arange(3 * stride) + 0.5, np.arange(5 * stride) + 0.5
    np.testing.assert_allclose(found[:, 1, 0], y.clip(rows[0], rows[-1]), rtol=1e-5)
    np.testing.assert_allclose(found[1, :, 1], x.clip(columns[0], columns[-1]), rtol=1e-5)


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


def test_cells_are_sampled_where_they_lie():
    """Cells at pixels 1 and 4; nothing is seen before pixel 1."""
    maps = np.array([3.0, 9.0], "float32").reshape(1, 1, 2, 1)
    places = [(Axis(1, 1), Axis(2, 2, start=1.0, step=3.0, low=0.5))]
    pixels = np.zeros(1, "float32"), np.arange(6, dtype="float32")
    found = to_numpy(place_and_sum(maps=[maps, maps], places=places * 2, pixels=pixels))
    np.testing.assert_allclose(found[0, 0, :, 0], [0, 6, 10, 14, 18, 18], atol=1e-5)


def test_cells_are_shared_out_among_the_pixels_that_they_cover():
    """Cells from -1.5 to 1.5 and from 1.5 to 4.5: a third of the first lies outside the image."""
    cells = np.array([3.0, 9.0], "float32").reshape(1, 1, 2, 1)
    places = Axis(1, 1), Axis(2, 2, start=0.0, step=3.0)
    found = to_numpy(spread_cells(cells, places, (1, 6)))
    np.testing.assert_allclose(found[0, 0, :, 0], [1, 1, 3, 3, 3, 0], atol=1e-5)


def test_small_cells_are_shared_out_too():
    cells = np.array([1.0, 2, 4, 8], "float32").reshape(1, 4, 1, 1)
    places = Axis(1, 4, start=-0.25, step=0.5), Axis(2, 1)
    found = to_numpy(spread_cells(cells, places, (2, 1)))
    np.testing.assert_allclose(found[0, :, 0, 0], [3, 12], atol=1e-5)
