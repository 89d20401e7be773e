import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from mscam_tf import SoftPool

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


def test_a_constant_is_passed_on_and_large_logits_do_not_overflow():
    maps = np.random.default_rng(0).normal(size=(1, 4, 4, 2)).astype("float32")
    shifted = to_numpy(SoftPool()(maps + 1e4))
    np.testing.assert_allclose(shifted - 1e4, to_numpy(SoftPool()(maps)), atol=2e-2)


def test_it_is_saved_with_its_sharpness(tmp_path):
    image = keras.Input((None, None, 2))
    model = keras.Model(image, SoftPool(0.5, name="pool")(image))
    model.get_layer("pool").scale.assign([2.0, 3.0])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("pool").sharpness == 0.5
    maps = np.random.default_rng(0).normal(size=(1, 4, 6, 2)).astype("float32")
    np.testing.assert_allclose(to_numpy(loaded(maps)), to_numpy(model(maps)), rtol=1e-6)
    assert not model.trainable_variables


def test_a_negative_sharpness_is_refused():
    with pytest.raises(ValueError, match=r"must be .* at least 0. Received: sharpness=-1"):
        SoftPool(-1)
