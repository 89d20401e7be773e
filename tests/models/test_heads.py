import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf.models import find_heads, find_relevance, read_relevance
from tests.conftest import make_backbone, randomize

pytestmark = pytest.mark.backends


def make_multiscale():
    return mscam_tf.build_multiscale_classifier(2, (32, 32), backbone=make_backbone())


def make_single():
    return mscam_tf.build_single_scale_classifier(2, (32, 32), backbone=make_backbone())


def nest(model):
    return keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Rescaling(2.0), model])


def test_the_relevance_layer_whatever_its_name_and_depth():
    layer = mscam_tf.RelevanceCombine(name="mix")
    model = mscam_tf.build_multiscale_classifier(
        2, (32, 32), backbone=make_backbone(), relevance=layer
    )
    for outer in (model, nest(model), nest(nest(model))):
        assert find_relevance(outer) is layer
        assert find_heads(outer).relevance is layer


def test_of_two_it_is_that_of_the_output():
    image = keras.Input((2,))
    first = mscam_tf.RelevanceCombine(name="first")([image, image])
    last = mscam_tf.RelevanceCombine(name="last")
    assert find_relevance(keras.Model(image, last([first, image]))) is last


def test_relevance_as_numbers():
    model = make_multiscale()
    find_relevance(model).set_relevance([[0.5, 0.25], [0.25, 0.5], [0.25, 0.25]])
    expected = [[0.5, 0.25], [0.25, 0.5], [0.25, 0.25]]
    np.testing.assert_allclose(read_relevance(nest(model), 2), expected)


def test_a_single_scale_has_the_relevance_one():
    assert find_relevance(make_single()) is None
    np.testing.assert_array_equal(read_relevance(make_single(), 2), [[1.0, 1.0]])


def test_heads_and_their_feature_maps():
    found = find_heads(make_multiscale())
    assert [head.dense.name for head in found.heads] == [f"scale{b}_logits" for b in (1, 2, 3)]
    assert [head.feature_map.shape[-1] for head in found.heads] == [4, 6, 8]
    assert found.activation is None


def test_what_is_no_model_of_keras_3_is_named():
    other = type("Functional", (), {"outputs": [0], "__module__": "tf_keras.src.engine.functional"})
    with pytest.raises(mscam_tf.MscamError, match=r"Received: .*tf_keras.src.engine.functional"):
        mscam_tf.build_explainer(other())


def pool(x):
    return keras.layers.GlobalAveragePooling2D()(x)


def pool_and_keep(x):
    return keras.layers.GlobalAveragePooling2D(keepdims=True)(x)


HEADS = {
    "a convolution before the pooling": [keras.layers.Conv2D(3, 1), pool],
    "a norm between them": [
        keras.layers.Dropout(0.5),
        keras.layers.Conv2D(3, 1, padding="same"),
        keras.layers.BatchNormalization(),
        keras.layers.Activation("linear"),
        pool,
        keras.layers.Activation("softmax"),
    ],
    "as in MobileNet": [
        pool_and_keep,
        keras.layers.Dropout(0.1),
        keras.layers.Conv2D(3, 1, padding="same"),
        keras.layers.Reshape((3,)),
        keras.layers.Activation("softmax"),
    ],
    "with an activation": [
        pool_and_keep,
        keras.layers.Conv2D(3, 1, activation="softmax"),
        keras.layers.Flatten(),
    ],
    "norms around Dense": [
        pool,
        keras.layers.BatchNormalization(),
        keras.layers.Reshape((1, 1, 8)),
        keras.layers.Flatten(),
        keras.layers.Dense(3, use_bias=False),
        keras.layers.BatchNormalization(),
    ],
    "two layers": [pool, keras.layers.Dense(5), keras.layers.Dense(3, "softmax")],
    "Dense at each place": [keras.layers.Dense(3), pool, keras.layers.BatchNormalization()],
}


def build_with(*steps):
    backbone = make_backbone(1, (32, 48))
    x = backbone.output
    for step in steps:
        x = step(x)
    return randomize(keras.Model(backbone.input, x))


@pytest.mark.parametrize("steps", HEADS.values(), ids=HEADS)
def test_heads_that_are_linear_all_the_same(steps):
    model = build_with(*steps)
    explainer = mscam_tf.build_explainer(model, "native")
    (head,) = find_heads(model).heads
    assert head.num_classes == 3
    for seed in (0, 1):  # The maps follow the weights.
        randomize(model, seed)
        images = np.random.default_rng(seed).random((2, 32, 48, 1), "float32")
        outputs = explainer.predict(images, verbose=0)
        bias = keras.ops.convert_to_numpy(head.fold()[1])
        summed = outputs["maps"].mean((1, 2)) + bias
        np.testing.assert_allclose(outputs["logits"], summed, rtol=1e-4, atol=1e-4)
        name = "probabilities" if find_heads(model).activation else "logits"
        expected = model.predict(images, verbose=0)
        np.testing.assert_allclose(outputs[name], expected, rtol=1e-3, atol=1e-4)
        assert np.abs(outputs["maps"]).max() > 0.05


NO_HEADS = [
    ([pool, keras.layers.BatchNormalization()], "GlobalAveragePooling2D '.*' is fed by ReLU"),
    ([keras.layers.Conv2D(3, 3, name="c"), pool], "Conv2D 'c' is no 1 x 1 convolution"),
    ([keras.layers.Conv2D(3, 1, activation="softmax", name="c"), pool], "'c' applies 'softmax'"),
    (
        [pool, keras.layers.Dense(3, "sigmoid", name="d"), keras.layers.BatchNormalization()],
        "Dense 'd' applies 'sigmoid' before BatchNormalization",
    ),
    (
        [pool, keras.layers.Dense(3), keras.layers.ReLU(name="r"), keras.layers.Dense(3, name="d")],
        "Dense 'd' is fed by ReLU 'r'",
    ),
    (
        [keras.layers.Dense(3), keras.layers.Reshape((12, 2, 3), name="r"), pool],
        "GlobalAveragePooling2D '.*' is fed by Reshape 'r'",
    ),
    (
        [keras.layers.Dense(3), mscam_tf.SoftPool(name="p"), keras.layers.BatchNormalization()],
        "BatchNormalization '.*' comes after SoftPool 'p'",
    ),
]


@pytest.mark.parametrize(("steps", "message"), NO_HEADS)
def test_layers_that_are_not_linear_are_named(steps, message):
    with pytest.raises(mscam_tf.MscamError, match=rf"{message}.*Received: model="):
        find_heads(build_with(*steps))


def test_only_one_dense_layer_has_weights_that_are_set():
    (head,) = find_heads(build_with(pool, keras.layers.Dense(5), keras.layers.Dense(3))).heads
    with pytest.raises(mscam_tf.MscamError, match=r"one Dense layer each.*Dense 'dense\w*', Dense"):
        _ = head.dense
