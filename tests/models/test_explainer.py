from pathlib import Path

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import build_explainer
from tests.conftest import make_backbone, randomize

SIZE = (32, 48)
NATIVE = [(16, 24), (8, 12), (4, 6)]
backends = pytest.mark.backends


def make_multiscale():
    return mscam_tf.build_multiscale_classifier(4, SIZE, backbone=make_backbone())


def make_any_size():
    return mscam_tf.build_multiscale_classifier(4, None, backbone=make_backbone())


def make_soft():
    return mscam_tf.build_multiscale_classifier(4, SIZE, backbone=make_backbone(), pooling="soft")


def make_soft_single():
    return mscam_tf.build_single_scale_classifier(
        4, SIZE, backbone=make_backbone(), pooling="soft", dropout=0.2
    )


def make_single():
    return mscam_tf.build_single_scale_classifier(4, SIZE, backbone=make_backbone(), dropout=0.2)


def make_nested_functional():
    image = keras.Input((*SIZE, 1))
    x = make_backbone(1)(image, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(4)(keras.layers.Dropout(0.1)(x)))


def make_nested_sequential():
    top = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4, use_bias=False)]
    return keras.Sequential([keras.Input((*SIZE, 1)), make_backbone(1), *top])


def make_pooled_backbone():
    return keras.Sequential(
        [keras.Input((*SIZE, 1)), make_backbone(1, pooling="avg"), keras.layers.Dense(4)]
    )


def make_classifier_in_a_model_in_a_model():
    inner = keras.Sequential([keras.Input((*SIZE, 1)), keras.layers.Rescaling(2.0)])
    inner.add(make_nested_functional())
    image = keras.Input((*SIZE, 1))
    return keras.Model(image, inner(image))


def make_softmax_head():
    image = keras.Input((*SIZE, 1))
    x = make_backbone(1)(image)
    x = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    return keras.Model(image, keras.layers.Dense(4, "softmax")(keras.layers.Flatten()(x)))


def make_softmax_layer():
    x = make_nested_functional()
    return keras.Model(x.inputs, keras.layers.Activation("softmax", dtype="float32")(x.outputs[0]))


def make_sigmoid_head():
    image = keras.Input((*SIZE, 1))
    x = keras.layers.GlobalAveragePooling2D()(make_backbone(1)(image))
    return keras.Model(image, keras.layers.Dense(4, "sigmoid")(x))


LOGIT_MODELS = [
    make_multiscale,
    make_any_size,
    make_single,
    make_nested_functional,
    make_nested_sequential,
    make_pooled_backbone,
    make_classifier_in_a_model_in_a_model,
]
PROBABILITY_MODELS = [make_softmax_head, make_softmax_layer, make_sigmoid_head]


def make_images(batch=2):
    return np.random.default_rng(1).random((batch, *SIZE, 1), "float32")


def find_parts(model):
    """Return the relevance and the heads' biases by layer name, not by the code under test."""
    relevance = [x for x in model.layers if isinstance(x, mscam_tf.RelevanceCombine)]
    dense = [v for v in model.weights if v.path.endswith("bias") and v.shape == (4,)]
    biases = [np.asarray(v) for v in dense if "conv" not in v.path]
    h = relevance[0].get_relevance() if relevance else np.ones((1, 4))
    return h, np.array(biases or np.zeros((1, 4)))


@backends
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("make", LOGIT_MODELS)
def test_every_logit_is_accounted_for(make, policy):
    keras.config.set_dtype_policy(policy)
    model = randomize(make())
    if make in (make_multiscale, make_any_size):
        model.get_layer("relevance").relevance_weights.assign(
            np.random.default_rng(0).random((3, 4)) / 10
        )
    explainer = build_explainer(model, map_size="native", scale_maps=True)
    h, biases = find_parts(model)
    for batch in (1, 7):
        x = make_images(batch)
        outputs = explainer.predict(x, verbose=0)
        logits = model.predict(x, verbose=0).astype("float32")
        means = [outputs[f"scale{b}_maps"].mean((1, 2)) for b in range(1, len(h) + 1)]
        summed = sum(h[b] * (means[b] + biases[b]) for b in range(len(h)))
        exact = policy == "float32"
        np.testing.assert_allclose(outputs["logits"], summed, rtol=1e-4, atol=1e-4)
        tolerance = 1e-4 if exact else 2e-2  # The model's own half-precision rounding.
        np.testing.assert_allclose(logits, summed, rtol=tolerance, atol=tolerance)
        assert {v.dtype.name for v in outputs.values()} == {"float32"}
        assert np.abs(logits).max() > 0.1  # A model that says nothing would pass all the above.


@backends
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("make", [make_soft, make_soft_single])
def test_logits_pooled_softly_are_accounted_for_too(make, policy):
    keras.config.set_dtype_policy(policy)
    model = randomize(make())
    explainer = build_explainer(model, map_size="native", scale_maps=True)
    h, biases = find_parts(model)
    x = make_images(3)
    outputs = explainer.predict(x, verbose=0)
    summed = 0
    for b in range(len(h)):
        maps = outputs[f"scale{b + 1}_maps"].reshape(3, -1, 4)
        # The sharpness is a weight, and `randomize` has changed it.
        name = f"scale{b + 1}_logits" if len(h) > 1 else "logits"
        sharpness = np.asarray(keras.ops.convert_to_numpy(model.get_layer(name).scale))
        shares = np.exp(sharpness * maps)
        pooled = (shares * maps).sum(1) / shares.sum(1)
        np.testing.assert_allclose(
            outputs["contributions"][:, b], h[b] * pooled, rtol=1e-3, atol=1e-4
        )
        summed = summed + h[b] * (pooled + biases[b])
    np.testing.assert_allclose(outputs["logits"], summed, rtol=1e-3, atol=1e-4)
    logits = model.predict(x, verbose=0).astype("float32")
    tolerance = 1e-3 if policy == "float32" else 2e-2
    np.testing.assert_allclose(logits, summed, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("make", PROBABILITY_MODELS)
def test_final_activations_are_looked_behind(make, policy):
    keras.config.set_dtype_policy(policy)
    model = randomize(make())
    outputs = build_explainer(model).predict(make_images(), verbose=0)
    expected = model.predict(make_images(), verbose=0).astype("float32")
    np.testing.assert_allclose(
        outputs["probabilities"], expected, atol=1e-5 if policy == "float32" else 1e-2
    )
    sums = outputs["probabilities"].sum(-1)
    assert np.allclose(sums, 1) == (make is not make_sigmoid_head)


@backends
def test_plain_application_classifier():
    model = keras.applications.MobileNetV2(weights=None, classes=4, input_shape=(64, 96, 1))
    randomize(model)
    outputs = build_explainer(model, "native").predict(
        np.random.default_rng(0).random((1, 64, 96, 1)), verbose=0
    )
    assert outputs["maps"].shape == (1, 2, 3, 4)
    np.testing.assert_allclose(
        outputs["maps"].mean((1, 2)), outputs["contributions"][:, 0], rtol=1e-4, atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_plain_densenet_classifier(policy):
    keras.config.set_dtype_policy(policy)
    model = keras.applications.DenseNet121(weights=None, classes=4, input_shape=(64, 96, 1))
    x = np.random.default_rng(0).random((2, 64, 96, 1))
    outputs = build_explainer(model, "native", scale_maps=True).predict(x, verbose=0)
    logits = outputs["scale1_maps"].mean((1, 2)) + np.asarray(model.layers[-1].bias)
    np.testing.assert_allclose(outputs["logits"], logits, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        model.predict(x, verbose=0).astype("float32"), outputs["probabilities"], atol=1e-2
    )


class CountCalls(keras.layers.Layer):
    calls = 0

    def call(self, x):
        type(self).calls += 1
        return x


def make_counting_backbone(pooling=None):
    image = keras.Input((*SIZE, 1))
    rest = make_backbone(1, pooling=pooling)
    taps = [rest.get_layer(f"relu{number}").output for number in (1, 2, 3)]
    outputs = keras.Model(rest.inputs, rest.output if pooling else taps)(CountCalls()(image))
    return keras.Model(image, outputs, name="counting")


def make_counting_multiscale(nested):
    image = keras.Input((*SIZE, 1))
    pooled = [keras.layers.GlobalAveragePooling2D()(f) for f in make_counting_backbone()(image)]
    logits = [keras.layers.Dense(4)(x) for x in pooled]
    model = keras.Model(image, mscam_tf.RelevanceCombine()(logits))
    return keras.Sequential([keras.Input((*SIZE, 1)), model]) if nested else model


def make_counting_pooled():
    top = keras.layers.Dense(4)
    return keras.Sequential([keras.Input((*SIZE, 1)), make_counting_backbone("avg"), top])


@backends
@pytest.mark.parametrize(
    "make",
    [
        lambda: make_counting_multiscale(nested=False),
        lambda: make_counting_multiscale(nested=True),
        make_counting_pooled,
    ],
)
def test_the_backbone_runs_once(make):
    model = make()
    explainer = build_explainer(model, scale_maps=True)
    CountCalls.calls = 0
    outputs = explainer(make_images())
    assert CountCalls.calls == 1
    logits, expected = map(keras.ops.convert_to_numpy, (outputs["logits"], model(make_images())))
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-4)


@backends
def test_map_sizes():
    model = randomize(make_multiscale())
    x = make_images(1)
    assert build_explainer(model)(x)["maps"].shape == (1, 32, 48, 4)
    assert build_explainer(model, (10, 11))(x)["maps"].shape == (1, 10, 11, 4)
    outputs = build_explainer(model, "native", scale_maps=True)(x)
    assert outputs["maps"].shape[1:3] == NATIVE[0]
    assert [tuple(outputs[f"scale{b}_maps"].shape[1:3]) for b in (1, 2, 3)] == NATIVE
    full = build_explainer(model, scale_maps=True)(x)
    assert {tuple(full[f"scale{b}_maps"].shape) for b in (1, 2, 3)} == {(1, 32, 48, 4)}


@backends
def test_full_size_map_is_the_relevance_weighted_sum_and_keeps_the_mean():
    model = randomize(make_multiscale())
    model.get_layer("relevance").relevance_weights.assign(
        np.array([[0.7, 0.1, 0, 1], [0.3, 0.2, 0, 0], [0, 0.7, 1, 0]]) / 10
    )
    outputs = build_explainer(model, scale_maps=True).predict(make_images(2), verbose=0)
    h = model.get_layer("relevance").get_relevance()
    summed = sum(h[b] * outputs[f"scale{b + 1}_maps"] for b in range(3))
    np.testing.assert_allclose(outputs["maps"], summed, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        outputs["maps"].mean((1, 2)), outputs["contributions"].sum(1), rtol=1e-4, atol=1e-5
    )


@backends
def test_any_size_model_follows_the_image():
    model = randomize(make_any_size())
    explainer = build_explainer(model)
    for size in ((16, 24), (33, 20)):
        x = np.random.default_rng(0).random((2, *size, 1), "float32")
        outputs = explainer.predict(x, verbose=0)
        assert outputs["maps"].shape == (2, *size, 4)
        np.testing.assert_allclose(
            outputs["logits"], model.predict(x, verbose=0), rtol=1e-3, atol=1e-4
        )


def test_maps_follow_the_weights_while_the_model_trains():
    model = randomize(make_multiscale())
    explainer = build_explainer(model, "native", scale_maps=True)
    x = make_images(4)
    before = explainer.predict(x, verbose=0)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, np.array([0, 1, 2, 3]), verbose=0)
    after = explainer.predict(x, verbose=0)
    assert np.abs(after["maps"] - before["maps"]).max() > 1e-4
    np.testing.assert_allclose(after["logits"], model.predict(x, verbose=0), rtol=1e-3, atol=1e-4)


@backends
def test_shares_the_weights_and_owns_none():
    model = make_multiscale()
    explainer = build_explainer(model)
    assert {id(w) for w in explainer.weights} <= {id(w) for w in model.weights}


@backends
def test_one_class_is_a_sigmoid():
    model = mscam_tf.build_multiscale_classifier(1, SIZE, backbone=make_backbone())
    outputs = build_explainer(randomize(model)).predict(make_images(), verbose=0)
    expected = 1 / (1 + np.exp(-outputs["logits"]))
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=1e-4)


def test_several_labels_on_request():
    model = randomize(make_multiscale())
    outputs = build_explainer(model, activation="sigmoid").predict(make_images(), verbose=0)
    expected = 1 / (1 + np.exp(-outputs["logits"]))
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=1e-4)


def test_exports_whole_and_is_not_saved(tmp_path):
    import tensorflow as tf

    model = randomize(make_multiscale())
    explainer = build_explainer(model, scale_maps=True)
    explainer.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved")
    outputs = served.serve(make_images())
    for name, expected in explainer.predict(make_images(), verbose=0).items():
        np.testing.assert_allclose(outputs[name], expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(NotImplementedError, match="Save the classifier"):
        explainer.save(tmp_path / "explainer.keras")


def make_flattened():
    x = make_backbone(1, SIZE)
    return keras.Model(x.input, keras.layers.Dense(4)(keras.layers.Flatten()(x.output)), name="m")


def make_hidden():
    x = make_backbone(1, pooling="avg")
    hidden = keras.layers.Dense(5, "relu", name="hidden")(x.output)
    return keras.Model(x.input, keras.layers.Dense(4, name="out")(hidden), name="m")


def make_max_pooled():
    x = make_backbone(1)
    pooled = keras.layers.GlobalMaxPooling2D(name="max")(x.output)
    return keras.Model(x.input, keras.layers.Dense(4, name="out")(pooled), name="m")


def make_heads_with(activation):
    model = make_backbone(1)
    pooled = keras.layers.GlobalAveragePooling2D()(model.output)
    heads = [keras.layers.Dense(4, activation, name=f"head{b}")(pooled) for b in (1, 2)]
    return keras.Model(model.input, mscam_tf.RelevanceCombine()(heads), name="m")


def make_two_activations():
    inner = make_softmax_head()
    return keras.Model(inner.input, keras.layers.Activation("sigmoid")(inner.output), name="m")


def make_subclassed():
    class Opaque(keras.Model):
        def call(self, x):
            return keras.ops.mean(x, axis=(1, 2))

    return keras.Sequential([keras.Input((*SIZE, 4)), Opaque(name="opaque")], name="m")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: make_heads_with("sigmoid"), "'head1' applies 'sigmoid' before RelevanceCombine"),
        (make_two_activations, "applies 'softmax' before the final sigmoid"),
        (make_subclassed, "its logits come from Opaque 'opaque'"),
        (make_flattened, r"Dense 'dense\w*' is fed by Flatten 'flatten"),
        (make_hidden, "Dense 'hidden' applies 'relu' before Dense 'out'"),
        (make_max_pooled, "Dense 'out' is fed by GlobalMaxPooling2D 'max'"),
        (lambda: make_backbone(1), "its logits come from ReLU 'relu3'"),
        (keras.Sequential, "functional or a built Sequential"),
    ],
)
def test_says_why_a_model_has_no_map(make, message):
    with pytest.raises(ValueError, match=f"{message}(.|\n)*Received: model="):
        build_explainer(make())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"map_size": "full"}, "`map_size` must be .* Received: map_size='full'"),
        ({"map_size": (3, 0)}, r"`map_size` must be .* Received: map_size=\(3, 0\)"),
        ({"activation": "relu"}, "`activation` must be .* Received: activation='relu'"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_explainer(make_single(), **arguments)


@backends
@backends
@pytest.mark.parametrize("make", [make_multiscale, make_soft, make_soft_single, make_any_size])
def test_what_each_cell_adds(make):
    model = randomize(make())
    x = make_images(3)
    plain = build_explainer(model, scale_maps=True).predict(x, verbose=0)
    explainer = build_explainer(model, "native", scale_maps=True, cell_contributions=True)
    outputs = explainer.predict(x, verbose=0)
    h, _ = find_parts(model)
    for b in range(len(h)):
        cells, maps = outputs[f"scale{b + 1}_contributions"], outputs[f"scale{b + 1}_maps"]
        assert cells.shape == maps.shape
        np.testing.assert_allclose(cells.sum((1, 2)), plain["contributions"][:, b], atol=1e-4)
        weights = cells / (h[b] * maps)  # Of the mean all are alike, else strong cells have more.
        size = maps.shape[1] * maps.shape[2]
        even = make in (make_multiscale, make_any_size)
        assert np.allclose(weights, 1 / size, rtol=1e-3) is even
        np.testing.assert_allclose(weights.sum((1, 2)), 1, rtol=1e-3)
    for name in ("logits", "probabilities", "contributions"):
        np.testing.assert_allclose(outputs[name], plain[name], atol=1e-5)
    assert not any(name.endswith("_contributions") for name in plain)


def test_saved_weights_say_the_same_on_every_backend():
    """What TensorFlow wrote with version 0.1.0: logits and maps are equal on each backend."""
    saved = Path(__file__).parents[1] / "saved"
    explainer = build_explainer(keras.saving.load_model(saved / "classifier.keras"))
    with np.load(saved / "expected.npz") as expected:
        outputs = explainer.predict(expected["images"].astype("float32"), verbose=0)
        for name, values in (("logits", outputs["logits"]), ("maps", outputs["maps"][:, ::8, ::8])):
            np.testing.assert_allclose(values, expected[f"classifier_{name}"], rtol=1e-4, atol=1e-4)
