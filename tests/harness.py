"""What every layer of the package must stand: one call per layer, see `check_layer`."""

import json

import keras
import numpy as np
from keras.ops import convert_to_numpy as to_numpy

POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")


def check_layer(make, inputs, folder, *, trainable, frozen=0):
    """Put a layer through config, weights, `.keras`, a training step and mixed precision.

    Args:
        make: Makes the layer, each time anew.
        inputs: A float32 array of its input, the batch first, or a list of such arrays.
        folder: Where to save models.
        trainable: How many weights it trains.
        frozen: How many others it has.
    """
    check_config(make)
    check_weights(make, inputs, trainable, frozen)
    check_saving(make, inputs, folder)
    check_training_step(make, inputs)
    for policy in POLICIES:
        check_precision(make, inputs, policy)


def check_config(make):
    """A copy of the config, by way of JSON, makes the same layer; the arguments are kept."""
    layer = make()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(layer)
    assert copy.get_config() == layer.get_config()
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    assert keras.saving.get_registered_name(type(layer)) == f"mscam_tf>{type(layer).__name__}"


def check_weights(make, inputs, trainable, frozen):
    """Weights are those that are said, in float32, and make another layer do the same."""
    layer, copy = make(), make()
    layer(inputs)
    copy(inputs)
    assert len(layer.trainable_weights) == trainable
    assert len(layer.non_trainable_weights) == frozen
    shift(layer)
    copy.set_weights(layer.get_weights())
    np.testing.assert_allclose(to_numpy(copy(inputs)), to_numpy(layer(inputs)), rtol=1e-6)


def check_saving(make, inputs, folder):
    """A `.keras` file brings back the layer, its weights and its output."""
    model = build_model(make, inputs)
    shift(model.layers[-1])
    path = folder / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert loaded.layers[-1].get_config() == model.layers[-1].get_config()
    np.testing.assert_allclose(to_numpy(loaded(inputs)), to_numpy(model(inputs)), rtol=1e-5)


def check_training_step(make, inputs):
    """One step of `fit` has a loss that is a number, and moves its weights and those before it."""
    model = build_model(make, inputs, add_dense)
    target = to_numpy(model(inputs)) + 1
    before = [to_numpy(weight).copy() for weight in model.trainable_weights]
    model.compile(keras.optimizers.SGD(0.01), "mse")
    loss = model.fit(inputs, target, verbose=0).history["loss"][0]
    assert np.isfinite(loss)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(to_numpy(weight) != old), weight.path


def check_precision(make, inputs, policy):
    """Under mixed precision too, weights, sums and outputs are float32, whatever comes in."""
    expected = to_numpy(make()(inputs))
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        layer = make()
        half = keras.tree.map_structure(lambda x: keras.ops.cast(x, layer.compute_dtype), inputs)
        outputs, rounded = layer(inputs), layer(half)
    finally:
        keras.config.set_dtype_policy(previous)
    dtypes = [variable.dtype for variable in layer.weights] + [outputs.dtype, rounded.dtype]
    assert {keras.backend.standardize_dtype(dtype) for dtype in dtypes} == {"float32"}
    np.testing.assert_allclose(to_numpy(outputs), expected, rtol=1e-6)


def add_dense(x):
    return keras.layers.Dense(x.shape[-1], kernel_initializer="identity")(x)


def build_model(make, inputs, before=lambda x: x):
    images = keras.tree.map_structure(lambda x: keras.Input(x.shape[1:]), inputs)
    return keras.Model(images, make()(keras.tree.map_structure(before, images)))


def shift(layer):
    """Move every weight, each value by its own amount: fresh ones would hide mistakes."""
    generator = np.random.default_rng(0)
    for variable in layer.weights:
        variable.assign(to_numpy(variable) + generator.uniform(0.01, 0.05, variable.shape))
