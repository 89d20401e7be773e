import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import MscamError, build_multiscale_classifier, build_single_scale_classifier
from tests.conftest import make_backbone, randomize

pytestmark = pytest.mark.backends


def build(**arguments):
    return build_multiscale_classifier(
        **{"num_classes": 3, "image_size": (32, 48), "backbone": make_backbone()} | arguments
    )


def make_images(batch, height=32, width=48, channels=1):
    return np.random.default_rng(0).random((batch, height, width, channels), "float32")


def test_graph_has_the_documented_layers():
    model = build(dropout=0.1)
    names = {layer.name for layer in model.layers}
    assert {"standardize", "backbone", "scale1_pool", "scale3_logits", "relevance"} <= names
    assert model.output_shape == (None, 3)


def test_soft_pooling_lets_a_small_object_count():
    """The same heads on the same features: one bright spot says more than its mean."""
    mean, soft = build(), build(pooling="soft")
    names = {layer.name for layer in soft.layers}
    assert {"scale1_maps", "scale3_logits", "relevance"} <= names
    assert "scale1_pool" not in names
    randomize(mean)
    soft.get_layer("backbone").set_weights(mean.get_layer("backbone").get_weights())
    for scale in (1, 2, 3):
        dense = mean.get_layer(f"scale{scale}_logits")
        soft.get_layer(f"scale{scale}_maps").set_weights(dense.get_weights())
    x = make_images(2)
    assert (soft.predict(x, verbose=0) > mean.predict(x, verbose=0)).all()
    for scale in (1, 2, 3):
        soft.get_layer(f"scale{scale}_logits").scale.assign([0, 0, 0])
    np.testing.assert_allclose(
        soft.predict(x, verbose=0), mean.predict(x, verbose=0), rtol=1e-3, atol=1e-4
    )


def test_logits_are_the_convex_combination_of_the_heads():
    model = randomize(build())
    heads = keras.Model(
        model.inputs, [model.get_layer(f"scale{b}_logits").output for b in (1, 2, 3)]
    )
    model.get_layer("relevance").relevance_weights.assign(
        np.array([[0.2, 0.0, 1.0], [0.3, 0.5, 0.0], [0.5, 0.5, 0.0]]) / 10
    )
    x = make_images(7)
    h = model.get_layer("relevance").get_relevance()
    expected = sum(h[b] * logits for b, logits in enumerate(heads.predict(x, verbose=0)))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("builder", [build_multiscale_classifier, build_single_scale_classifier])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("image_size", [None, (None, 48), (32, 48)])
def test_channels_and_any_size(builder, channels, image_size):
    model = randomize(builder(2, image_size, channels, backbone=make_backbone()))
    assert model.predict(make_images(1, channels=channels), verbose=0).shape == (1, 2)
    if image_size is None:
        assert model.predict(make_images(2, 21, 37, channels), verbose=0).shape == (2, 2)


def test_grey_equals_grey_as_rgb():
    grey = randomize(build())
    color = build(channels=3)
    color.set_weights(grey.get_weights())
    x = make_images(2)
    expected = grey.predict(x, verbose=0)
    np.testing.assert_allclose(color.predict(np.repeat(x, 3, -1), verbose=0), expected, rtol=1e-5)


def test_standardize_makes_exposure_and_contrast_irrelevant():
    model = randomize(build(standardize=True))
    x = make_images(2)
    darker = 0.1 + 0.01 * x
    np.testing.assert_allclose(
        model.predict(darker, verbose=0), model.predict(x, verbose=0), rtol=2e-3, atol=2e-3
    )
    plain = randomize(build(standardize=False))
    difference = plain.predict(darker, verbose=0) - plain.predict(x, verbose=0)
    assert np.abs(difference).max() > 0.01


def test_standardize_by_hand():
    model = build()
    image = keras.Model(model.inputs, model.get_layer("standardize").output)
    x = np.zeros((1, 32, 48, 1), "float32")
    x[:, :16] = 0.5  # Half at 0, half at 0.5: mean 0.25, deviation 0.25.
    standardized = image.predict(x, verbose=0)
    np.testing.assert_allclose(standardized[0, [0, 31], 0, 0], [1, -1], rtol=1e-4)
    # A blank image: only the rounding of its float32 mean is left, over the epsilon's 1e-4.
    np.testing.assert_allclose(image.predict(x * 0 + 0.7, verbose=0), 0, atol=0.1)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("DenseNet121", [-2.1179, -2.0357, -1.8044], [2.2489, 2.4286, 2.64]),
        ("ResNet50V2", [-1, -1, -1], [1, 1, 1]),
        ("EfficientNetV2B0", [0, 0, 0], [255, 255, 255]),
        ("ResNet50", [-103.939, -116.779, -123.68], [151.061, 138.221, 131.32]),
    ],
)
def test_preprocessing_of_pretrained_weights(name, low, high):
    model = build(backbone=name, standardize=False)
    preprocess = keras.Model(model.inputs, model.get_layer("preprocess").output)
    x = np.zeros((2, 32, 48, 1), "float32")
    x[1] = 1
    values = preprocess.predict(x, verbose=0)[:, 0, 0]
    np.testing.assert_allclose(values, [low, high], atol=1e-3)


def test_taps_and_scales_by_name():
    model = build(taps=["relu1", "relu3"])
    assert model.get_layer("relevance").get_relevance().shape == (2, 3)


def test_no_tap_is_read_twice():
    with pytest.raises(MscamError, match=r"`taps` must be .*different.*'relu1', 'relu1'"):
        build(taps=["relu1", "relu1"])


def test_unit_norm_heads_after_a_step():
    model = build(unit_norm_heads=True)
    model.compile("sgd", "mse")
    model.fit(make_images(2), np.ones((2, 3)), verbose=0)
    kernel = np.asarray(model.get_layer("scale2_logits").kernel)
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), np.ones(3), rtol=1e-5)


def test_own_relevance_layer():
    model = build(relevance=mscam_tf.RelevanceCombine("softmax", name="mix"))
    assert model.layers[-1].normalization == "softmax"


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_gives_float32_logits(policy):
    keras.config.set_dtype_policy(policy)
    model = build(backbone=make_backbone())
    assert keras.backend.standardize_dtype(model.compute_dtype) == policy.removeprefix("mixed_")
    assert model.output.dtype == "float32"
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(make_images(4), np.array([0, 1, 2, 1]), verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_several_labels_train_with_sigmoid():
    model = build()
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    y = np.array([[1, 0, 1], [0, 0, 0]])
    losses = model.fit(make_images(2), y, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_save_and_load(tmp_path):
    model = randomize(build())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = make_images(2)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


def test_weights_of_another_model_without_its_heads(tmp_path):
    source = randomize(build(num_classes=5))
    source.save(tmp_path / "source.keras")
    single = build_single_scale_classifier(
        2, (32, 48), backbone=make_backbone(), weights=tmp_path / "source.keras"
    )
    for name in ("conv1", "bn3"):
        a = source.get_layer("backbone").get_layer(name).get_weights()
        b = single.get_layer("backbone").get_layer(name).get_weights()
        np.testing.assert_array_equal(a[0], b[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "`num_classes` must be at least 1. Received: num_classes=0"),
        ({"image_size": 64}, r"`image_size` must be None or .* Received: image_size=64"),
        ({"image_size": (64, 64, 1)}, r"`image_size` must be None or .* Received: .*64, 1"),
        ({"channels": 2}, "`channels` must be 1 or 3. Received: channels=2"),
        ({"pooling": "max"}, r"`pooling` must be one of .*Received: pooling='max'"),
        ({"dropout": 1.0}, "`dropout` must be .* below 1. Received: dropout=1.0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)
