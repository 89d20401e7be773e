import keras
import pytest
from keras import layers, ops

from mscam_tf.models.graph import Cursor
from mscam_tf.models.places import measure_shifts

pytestmark = pytest.mark.backends


def keeps(function, shape=(40, 60, 2), batch=None):
    image = keras.Input(shape, batch_size=batch)
    return measure_shifts(Cursor(function(image)), [True]) is not None


def fail(x):
    raise RuntimeError("not on these numbers")


@pytest.mark.parametrize("shape", [(40, 60, 2), (None, None, 2), (8, 8, 2), (300, 20, 1)])
def test_what_keeps_places_and_what_moves_them(shape):
    assert keeps(lambda x: ops.relu(x) * 3.0, shape)
    assert keeps(lambda x: ops.average_pool(x, 2, 2), shape)
    assert not keeps(lambda x: ops.flip(x, axis=1), shape)
    assert not keeps(lambda x: ops.flip(x, axis=(1, 2)), shape)
    assert not keeps(lambda x: ops.transpose(x, (0, 2, 1, 3)), shape)


def test_a_shift_by_two_pixels_is_found():
    assert keeps(lambda x: ops.roll(x, 1, axis=1))  # Within a cell.
    assert not keeps(lambda x: ops.roll(x, 2, axis=1))
    assert not keeps(lambda x: ops.roll(x, 2, axis=2))


def test_what_shows_no_change_or_fails_is_not_taken():
    assert not keeps(ops.zeros_like)
    assert not keeps(layers.Lambda(fail, output_shape=(40, 60, 2)))
    assert not keeps(lambda x: ops.mean(x, axis=(1, 2), keepdims=True))
    assert not keeps(layers.Reshape((40 * 60, 2)))


def test_only_inputs_with_places_are_changed():
    image, weights = keras.Input((40, 60, 2)), keras.Input((1, 1, 2))
    output = layers.Lambda(lambda pair: pair[0] * pair[1])([image, weights])
    assert measure_shifts(Cursor(output), [True, False]) is not None
