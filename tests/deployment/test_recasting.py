import warnings

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf.deployment import recast
from mscam_tf.errors import MscamError
from tests.conftest import make_backbone, randomize


def test_mixed_precision_becomes_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    mixed = mscam_tf.build_multiscale_classifier(3, (32, 48), backbone=make_backbone())
    keras.config.set_dtype_policy("float32")
    exact = mscam_tf.build_multiscale_classifier(3, (32, 48), backbone=make_backbone())
    randomize(mixed), exact.set_weights(mixed.get_weights())
    image = np.random.default_rng(0).random((2, 32, 48, 1), np.float32)
    expected = exact.predict(image, verbose=0)
    assert np.abs(mixed.predict(image, verbose=0) - expected).max() > 1e-4
    copy = recast(mixed)
    np.testing.assert_allclose(copy.predict(image, verbose=0), expected, rtol=1e-5)
    assert copy.input_shape == (None, 32, 48, 1)


def test_a_free_size_changes_the_input_alone():
    model = mscam_tf.build_multiscale_classifier(
        2, (32, 48), backbone=make_backbone(size=(32, 48)), pooling="soft", views=("global", 4, 2)
    )
    copy = recast(randomize(model), free_size=True)
    assert copy.input_shape == (None, None, None, 1)
    image = np.random.default_rng(0).random((2, 32, 48, 1), np.float32)
    expected = model.predict(image, verbose=0)
    np.testing.assert_allclose(copy.predict(image, verbose=0), expected, rtol=1e-5)
    assert copy.predict(image[:, :16], verbose=0).shape == (2, 2)


def test_a_model_of_one_size_says_so():
    image = keras.Input((16, 16, 1))
    x = keras.layers.Dense(4)(keras.layers.Flatten()(image))
    x = keras.layers.Reshape((2, 2, 1))(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 1)(x))
    model = keras.Model(image, keras.layers.Dense(2)(x))
    with pytest.raises(MscamError, match=r"(?s)the size that it was built for.*free_size=True"):
        recast(model, free_size=True)


def test_faint_images_are_standardized_the_same_in_onnx_runtime(tmp_path):
    """Of which the plain layer makes something else there: the sum of all pixels is rounded."""
    onnxruntime = pytest.importorskip("onnxruntime")
    image = keras.Input((256, 256, 1), name="image")
    layer = keras.layers.GroupNormalization(1, center=False, scale=False, epsilon=1e-8)
    model = recast(keras.Model(image, layer(image)), steady=True)
    x = 0.3 + 0.005 * np.random.default_rng(0).random((2, 256, 256, 1), np.float32)
    found = model.predict(x, verbose=0)
    wide = x.astype(np.float64)
    mean, deviation = wide.mean((1, 2), keepdims=True), wide.std((1, 2), keepdims=True)
    np.testing.assert_allclose(found, (wide - mean) / deviation, atol=5e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model.export(str(tmp_path / "model.onnx"), format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    np.testing.assert_allclose(session.run(None, {"image": x})[0], found, atol=2e-5)
