import keras
import numpy as np
import pytest

from mscam_tf.fused_norms import fuse_norms


def build(**options):
    """A small network, one of whose norms is within another model."""
    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [
            keras.Input((6, 5, 3)),
            keras.layers.BatchNormalization(momentum=0.8, **options),
            keras.layers.Conv2D(4, 3, activation="relu"),
        ]
    )
    model = keras.Sequential(
        [
            keras.Input((8, 7, 2)),
            keras.layers.Conv2D(3, 3),
            inner,
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def fit(model, images, targets):
    """Return losses, also those of not training, weights, and predictions."""
    data = {"validation_data": (images[:4], targets[:4]), "batch_size": 4, "shuffle": False}
    history = model.fit(images, targets, epochs=3, verbose=0, **data).history
    losses = [*history["loss"], *history["val_loss"]]
    return losses, [*model.get_weights(), model.predict(images, verbose=0)]


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    images = generator.normal(2, 3, (12, 8, 7, 2)).astype(np.float32)
    return images, generator.normal(size=(12, 2)).astype(np.float32)


@pytest.mark.parametrize(
    "options", [{}, {"scale": False}, {"center": False}, {"epsilon": 1e-7}, {"trainable": False}]
)
def test_trains_to_the_same_weights(data, options):
    expected = fit(build(**options), *data)
    model = build(**options)
    with fuse_norms(model):
        found = fit(model, *data)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4)
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_uses_the_kernel_and_leaves_no_trace_behind(data, monkeypatch):
    import tensorflow as tf

    calls, kernel = [], tf.compat.v1.nn.fused_batch_norm
    monkeypatch.setattr(
        tf.compat.v1.nn, "fused_batch_norm", lambda *a, **k: calls.append(1) or kernel(*a, **k)
    )
    model = build()
    with fuse_norms(model):
        fit(model, *data)
    assert len(calls) == 6  # Two layers in training, validation and prediction.
    assert "call" not in vars(model.layers[1].layers[0])
    model(data[0], training=True)
    assert len(calls) == 6
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(data[0]), model.predict(data[0]), rtol=1e-5)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_low_precision(data, precision):
    expected = fit(build(), *data)
    keras.config.set_dtype_policy(precision)
    try:
        model = build()
    finally:
        keras.config.set_dtype_policy("float32")
    with fuse_norms(model):
        found = fit(model, *data)
    np.testing.assert_allclose(found[0], expected[0], rtol=0.05)
    assert all(np.isfinite(value).all() for value in found[1])


def test_a_single_value_has_no_variance():
    model = keras.Sequential([keras.Input((1, 1, 2)), keras.layers.BatchNormalization()])
    model.compile("sgd", "mse")
    with fuse_norms(model):
        model.fit(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 2)), verbose=0)
    np.testing.assert_allclose(model.layers[0].moving_variance, [0.99, 0.99], rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "options"), [((3,), {}), ((4, 4, 3), {"axis": 1}), ((4, 4, 3), {"dtype": "float64"})]
)
def test_others_stay_as_they_are(shape, options):
    layer = keras.layers.BatchNormalization(**options)
    model = keras.Sequential([keras.Input(shape), layer])
    with fuse_norms(model):
        assert "call" not in vars(layer)
    with fuse_norms(keras.Sequential([keras.layers.BatchNormalization()])):
        pass  # Not built yet.


def test_layers_that_are_shared_and_blocks_within_blocks():
    layer = keras.layers.BatchNormalization()
    inner = keras.Sequential([keras.Input((4, 4, 3)), layer])
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, layer(inner(inputs)))
    with fuse_norms(model):
        with fuse_norms(model):
            assert "call" in vars(layer)
        assert "call" in vars(layer)
    assert "call" not in vars(layer)
