import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy
from scipy.ndimage import gaussian_filter

import mscam_tf
from mscam_tf import LocalContrast, MscamError
from tests.conftest import make_backbone
from tests.harness import check_layer

pytestmark = pytest.mark.backends


def draw_images(size=(20, 31), count=2):
    return np.random.default_rng(0).random((count, *size, 1), np.float32)


def blur(image, sigma):
    """Blur over the neighbours that are there: of a Gaussian with zeros outside, renormalised."""
    options = {"sigma": sigma, "mode": "constant", "truncate": 30.0}
    return gaussian_filter(image, **options) / gaussian_filter(np.ones_like(image), **options)


@pytest.mark.parametrize("size", [(20, 31), (1, 40), (5, 3)])
@pytest.mark.parametrize("sigma", [0.7, 3.0])
def test_as_scipy_blurs_also_at_the_borders(size, sigma):
    images = draw_images(size)
    found = to_numpy(LocalContrast(sigma, epsilon=0.05)(images))
    for image, contrast in zip(images[..., 0].astype(float), found[..., 0], strict=True):
        d = image - blur(image, sigma)
        expected = np.clip(d / (np.sqrt(blur(d**2, sigma)) + 0.05), -4, 4)
        np.testing.assert_allclose(contrast, expected, atol=1e-4)


def test_two_pixels_by_hand():
    weight = np.exp(-0.5)  # Of the neighbour, at a distance of one sigma.
    share = weight / (1 + weight)
    image = np.array([0.0, 1.0], np.float32).reshape(1, 1, 2, 1)
    d = share * np.array([-1, 1])
    found = to_numpy(LocalContrast(1.0, epsilon=0.5)(image)).ravel()
    np.testing.assert_allclose(found, d / (share + 0.5), rtol=1e-5)


def test_faint_things_count_the_same_in_dark_and_in_bright_bands():
    image = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[:, None], 64, axis=1)
    image[20, 20] += 0.05
    image[43, 40] += 0.05
    found = to_numpy(LocalContrast(4.0)(image[None, ..., None]))[0, ..., 0]
    assert found[20, 20] == pytest.approx(found[43, 40], rel=0.01)
    assert found[20, 20] > 2


def test_exposure_and_gradients_vanish():
    image = draw_images((32, 32), 1)
    layer = LocalContrast(3.0, epsilon=1e-4)
    changed = to_numpy(layer(0.3 * image + 0.5))
    np.testing.assert_allclose(changed, to_numpy(layer(image)), atol=0.01)


def test_a_constant_image_is_zero():
    assert not to_numpy(LocalContrast(3.0)(np.full((1, 9, 8, 1), 0.7, np.float32))).round(3).any()


def test_channels_are_normalised_each_by_itself():
    images = np.concatenate([draw_images(), 0.5 * draw_images()[::-1], draw_images()], axis=-1)
    found = to_numpy(LocalContrast(3.0)(images))
    single = [to_numpy(LocalContrast(3.0)(images[..., c : c + 1])) for c in range(3)]
    np.testing.assert_allclose(found, np.concatenate(single, axis=-1), atol=1e-5)


@pytest.mark.parametrize("sigma", [1.0, 4.0, 12.0])
def test_no_weight_is_so_small_that_it_slows_products_down(sigma):
    """As matrices of an export, which runtimes multiply with as they stand."""
    image = np.zeros((1, 1, 400, 1), np.float32)
    image[0, 0, 0] = 1
    d = -to_numpy(LocalContrast(sigma, epsilon=1e6, limit=1.0)(image)).ravel()[1:] * 1e6
    assert (d >= 0).all()
    assert d[d > 0].min() > 1e-12
    assert d[int(3 * sigma)] > 0


def test_large_values_are_clipped():
    image = np.zeros((1, 41, 41, 1), np.float32)
    image[0, 20, 20] = 1
    assert to_numpy(LocalContrast(8.0, limit=2.0)(image)).max() == 2


def test_it_stands_what_every_layer_must(tmp_path):
    check_layer(lambda: LocalContrast(2.0, 0.02, 3.0), draw_images(), tmp_path, trainable=0)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_changes_nothing(policy):
    images = draw_images()
    expected = to_numpy(LocalContrast(2.0)(images))
    keras.config.set_dtype_policy(policy)
    found = LocalContrast(2.0)(images)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_array_equal(to_numpy(found), expected)


@pytest.mark.parametrize("name", ["sigma", "epsilon", "limit"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "3", None, True])
def test_what_is_no_positive_number_is_refused(name, value):
    with pytest.raises(MscamError, match=rf"`{name}` must be a positive number.*Received: {name}="):
        LocalContrast(**{"sigma": 2.0, name: value})


def test_a_model_of_any_size_sees_each_view_in_its_channel():
    model = mscam_tf.build_multiscale_classifier(
        2, None, backbone=make_backbone(), views=("global", 6.0, 2.5)
    )
    seen = keras.Model(model.input, model.get_layer("channels").output)
    for size in ((32, 48), (40, 32)):
        images = draw_images(size)
        channels = to_numpy(seen(images))
        np.testing.assert_allclose(channels[..., 0].mean((1, 2)), 0.449, atol=1e-3)
        for channel, sigma in ((1, 6.0), (2, 2.5)):
            contrast = to_numpy(LocalContrast(sigma)(images))[..., 0]
            np.testing.assert_allclose(channels[..., channel], 0.449 + 0.226 * contrast, atol=1e-4)


def test_one_view_fills_all_channels():
    model = mscam_tf.build_single_scale_classifier(2, (32, 32), backbone=make_backbone(), views=[4])
    seen = to_numpy(
        keras.Model(model.input, model.get_layer("channels").output)(draw_images((32, 32)))
    )
    assert (seen[..., :1] == seen).all()
    assert "standardize" not in {layer.name for layer in model.layers}


def test_a_model_with_views_is_explained_saved_and_loaded(tmp_path):
    model = mscam_tf.build_multiscale_classifier(
        2, (32, 32), backbone=make_backbone(), views=("global", 6.0, 2.5)
    )
    images = draw_images((32, 32))
    outputs = mscam_tf.build_explainer(model).predict(images, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(images, verbose=0), outputs["logits"], atol=1e-5)


@pytest.mark.parametrize(
    ("views", "message"),
    [
        (("global", 4.0), "one view, or 3 that differ"),
        (("global", 4.0, 4.0), "one view, or 3 that differ"),
        (("local",), "`views` must be a tuple of views"),
        ((), "`views` must be a tuple of views"),
        ((0.0,), "`views` must be a tuple of views"),
        (("global", 4.0, float("nan")), "`views` must be a tuple of views"),
    ],
)
def test_views_that_do_not_fit_are_refused(views, message):
    with pytest.raises(MscamError, match=message):
        mscam_tf.build_multiscale_classifier(2, backbone=make_backbone(), views=views)


def test_local_views_of_colour_images_are_refused():
    with pytest.raises(MscamError, match="Views other than 'global' are of grey images"):
        mscam_tf.build_multiscale_classifier(
            2, channels=3, backbone=make_backbone(), views=("global", 4.0, 2.0)
        )


def test_views_of_any_number_of_pixels_have_names_of_their_own():
    """TensorFlow takes no `+` in a name, as in 1e+09; it shows only where a graph is traced."""
    views = (1e9, 4.1, 4.1000001)
    model = mscam_tf.build_single_scale_classifier(
        2, (32, 32), backbone=make_backbone(), views=views
    )
    names = [layer.name for layer in model.layers if isinstance(layer, LocalContrast)]
    assert names == [f"local_contrast_{name}" for name in ("1000000000", "4_1", "4_1000001")]
    assert np.isfinite(model.predict(draw_images((32, 32)), verbose=0)).all()
    huge = mscam_tf.build_single_scale_classifier(
        2, (32, 32), backbone=make_backbone(), views=[1e30]
    )
    assert np.isfinite(huge.predict(draw_images((32, 32)), verbose=0)).all()
