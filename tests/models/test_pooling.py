import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from mscam_tf import SoftPool
from tests.harness import check_layer

pytestmark = pytest.mark.backends


def test_by_hand():
    maps = np.array([[0.0, np.log(2)], [np.log(3), 0.0]], "float32").reshape(1, 2, 2, 1)
    # Weights 1, 2, 3, 1 of 7.
    expected = (2 * np.log(2) + 3 * np.log(3)) / 7
    np.testing.assert_allclose(to_numpy(SoftPool()(maps)), [[expected]], rtol=1e-5)


def test_from_the_mean_to_the_maximum():
    maps = np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype("float32")
    np.testing.assert_allclose(to_numpy(SoftPool(0)(maps)), maps.mean((1, 2)), atol=1e-6)
    np.testing.assert_allclose(to_numpy(SoftPool(200)(maps)), maps.max((1, 2)), rtol=1e-2)


def test_what_each_place_adds():
    maps = np.array([[0.0, np.log(2)], [np.log(3), 0.0]], "float32").reshape(1, 2, 2, 1)
    expected = np.array([[0, 2 * np.log(2)], [3 * np.log(3), 0]]) / 7
    layer = SoftPool()
    layer.build(maps.shape)
    np.testing.assert_allclose(to_numpy(layer.spread(maps))[0, ..., 0], expected, rtol=1e-5)


def test_a_constant_is_passed_on_and_large_logits_do_not_overflow():
    maps = np.random.default_rng(0).normal(size=(1, 4, 4, 2)).astype("float32")
    shifted = to_numpy(SoftPool()(maps + 1e4))
    np.testing.assert_allclose(shifted - 1e4, to_numpy(SoftPool()(maps)), atol=2e-2)


def test_stands_what_every_layer_must(tmp_path):
    maps = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")
    check_layer(lambda: SoftPool(0.5, name="pool"), maps, tmp_path, trainable=0, frozen=1)
    assert SoftPool(0.5).get_config()["sharpness"] == 0.5


def test_a_negative_sharpness_is_refused():
    with pytest.raises(ValueError, match=r"must be .* at least 0. Received: sharpness=-1"):
        SoftPool(-1)
