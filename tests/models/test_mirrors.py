import keras
import numpy as np
import pytest

import mscam_tf
from tests.conftest import make_backbone, randomize

SIZE = (32, 48)


@pytest.fixture(params=["mean", "soft"])
def explainer(request):
    model = mscam_tf.build_multiscale_classifier(
        4, SIZE, backbone=make_backbone(), pooling=request.param
    )
    randomize(model)
    return mscam_tf.build_explainer(model, scale_maps=True, cell_contributions=True)


@pytest.fixture
def images():
    return np.random.default_rng(0).random((2, *SIZE, 1), np.float32)


def predict(explainer, images):
    outputs = explainer.predict(images, verbose=0)
    return {name: np.asarray(values) for name, values in outputs.items()}


@pytest.mark.backends
def test_mean_of_four_predictions(explainer, images):
    found = predict(mscam_tf.average_flips(explainer), images)
    plain = predict(explainer, images)
    vertical = predict(explainer, images[:, ::-1])
    horizontal = predict(explainer, images[:, :, ::-1])
    both = predict(explainer, images[:, ::-1, ::-1])
    for name in ("maps", "scale1_maps", "scale3_maps", "scale2_contributions"):
        views = [plain[name], vertical[name][:, ::-1], horizontal[name][:, :, ::-1]]
        expected = np.mean([*views, both[name][:, ::-1, ::-1]], axis=0)
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)
        assert not np.allclose(found[name], plain[name], atol=1e-5)
    for name in ("logits", "contributions"):
        expected = np.mean([o[name] for o in (plain, vertical, horizontal, both)], axis=0)
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)
    odds = np.exp(found["logits"])
    np.testing.assert_allclose(found["probabilities"], odds / odds.sum(1, keepdims=True), rtol=1e-4)


@pytest.mark.backends
def test_one_class(images):
    model = mscam_tf.build_multiscale_classifier(1, SIZE, backbone=make_backbone())
    found = predict(mscam_tf.average_flips(mscam_tf.build_explainer(model)), images[:1])
    expected = 1 / (1 + np.exp(-found["logits"]))
    np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-4)


def test_images_of_any_size(images):
    model = mscam_tf.build_multiscale_classifier(4, None, backbone=make_backbone())
    explainer = mscam_tf.average_flips(mscam_tf.build_explainer(model))
    assert predict(explainer, images[:, :, :40])["maps"].shape == (2, 32, 40, 4)


def test_no_explainer():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="plain")
    with pytest.raises(ValueError, match=r"must come from build_explainer.*Received.*'plain'"):
        mscam_tf.average_flips(model)


def build_cropping(*steps, shape=(8, 6, 1)):
    x = image = keras.Input(shape)
    for step in steps:
        x = step(x)
    pooled = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(1, kernel_initializer="ones")(pooled))


@pytest.mark.backends
def test_images_with_the_channels_first_are_flipped_by_rows_and_columns():
    """The first two rows are cut off: after all flips each row is seen half of the time."""
    model = build_cropping(
        keras.layers.Permute((2, 3, 1)), keras.layers.Cropping2D(((2, 0), (0, 0))), shape=(1, 8, 6)
    )
    explainer = mscam_tf.average_flips(mscam_tf.build_explainer(model))
    image = np.random.default_rng(0).random((8, 6), np.float32)
    share = np.array([0.5, 0.5, 1, 1, 1, 1, 0.5, 0.5])[:, None]
    found = predict(explainer, image[None, None])["maps"][0, ..., 0]
    np.testing.assert_allclose(found, image * share, atol=1e-5)


def test_native_maps_of_a_crop_are_refused():
    explainer = mscam_tf.build_explainer(
        build_cropping(keras.layers.Cropping2D(((2, 0), (0, 0)))), "native"
    )
    with pytest.raises(mscam_tf.MscamError, match=r"Native maps .*Received: model='functional"):
        mscam_tf.average_flips(explainer)
