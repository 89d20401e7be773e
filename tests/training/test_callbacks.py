import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import RelevanceLogger

pytestmark = pytest.mark.backends


def test_logs_what_the_layer_learned():
    a, b = keras.Input((2,)), keras.Input((2,))
    layer = mscam_tf.RelevanceCombine(rate=1.0)
    model = keras.Model([a, b], layer([a, b]))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x, y = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])
    history = model.fit(
        [x, 0 * x], y, epochs=3, verbose=0, callbacks=[RelevanceLogger(["none", "bone"])]
    ).history
    assert history["relevance_scale1_none"][-1] > 0.55
    assert history["relevance_scale1_none"][-1] == pytest.approx(layer.get_relevance()[0, 0])
    sums = layer.get_relevance().sum(0)
    assert history["relevance_penalty"][-1] >= 0
    assert history["relevance_penalty"][0] == pytest.approx(((1 - sums) ** 2).sum(), abs=0.1)


def test_names_are_logged_in_utf8():
    """TensorBoard takes no others, and a training would end with its first epoch."""
    a, b = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([a, b], mscam_tf.RelevanceCombine()([a, b]))
    model.compile("sgd", "mse")
    x, logger = np.zeros((2, 2)), RelevanceLogger(["caf\udce9", "뼈"])
    history = model.fit([x, x], x, verbose=0, callbacks=[logger]).history
    assert {"relevance_scale1_caf\\udce9", "relevance_scale1_뼈"} <= set(history)


def test_finds_the_layer_in_a_nested_model():
    image = keras.Input((2,))
    inner = keras.Model(image, mscam_tf.RelevanceCombine()([image, image]))
    model = keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(2.0), inner])
    model.compile("sgd", "mse")
    x = np.zeros((2, 2))
    history = model.fit(x, x, verbose=0, callbacks=[RelevanceLogger()]).history
    assert history["relevance_scale2_1"] == [0.5]
    with pytest.raises(ValueError, match=r"the model's 2 classes. Received: class_names=\['a'\]"):
        model.fit(x, x, verbose=0, callbacks=[RelevanceLogger(["a"])])


def test_a_model_without_relevance_logs_nothing():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.zeros((2, 2))
    history = model.fit(x, x[:, :1], verbose=0, callbacks=[RelevanceLogger()]).history
    assert set(history) == {"loss"}
