import keras
import numpy as np
import pytest
from keras import ops
from keras.ops import convert_to_numpy as to_numpy

import mscam_tf
from mscam_tf import MscamError, list_backbones, register_backbone
from mscam_tf.models.registry import find_backbone
from tests.conftest import make_backbone, randomize

pytestmark = pytest.mark.backends


def make_images(height=32, width=48, channels=1):
    return np.random.default_rng(0).random((2, height, width, channels), "float32")


def test_registered_backbones_are_listed_beside_those_of_keras():
    names = list_backbones()
    assert {"TinyNet", "DenseNet121", "ConvNeXtTiny"} <= set(names)
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("name", "nearest"), [("DenseNet12", "DenseNet121"), ("TinyNett", "TinyNet")]
)
def test_an_unknown_name_says_the_nearest(name, nearest):
    with pytest.raises(MscamError, match=rf"Did you mean '{nearest}'.*Received: backbone='{name}'"):
        mscam_tf.build_multiscale_classifier(2, backbone=name)


def test_a_name_that_is_like_none_lists_all():
    with pytest.raises(MscamError, match=r"Names: ConvNeXtBase, .*, Xception\. Received"):
        mscam_tf.build_multiscale_classifier(2, backbone="?")


@pytest.mark.parametrize(
    ("preprocess", "expected"),
    [
        (None, [0.0, 0.5, 1.0]),
        ((2.0, -1.0), [-1.0, 0.0, 1.0]),
        (([1.0, 2.0, 4.0], [0.0, 10.0, 20.0]), [0.0, 11.0, 24.0]),
        (lambda x: ops.square(x) + 1, [1.0, 1.25, 2.0]),
        (keras.layers.Rescaling(255.0), [0.0, 127.5, 255.0]),
    ],
)
def test_how_images_become_its_input(preprocess, expected):
    register_backbone("Own", lambda input_shape: make_backbone(), preprocess)
    pixel = np.array([0.0, 0.5, 1.0], "float32").reshape(1, 1, 1, 3)
    found = to_numpy(find_backbone("Own").preprocess(pixel))
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-6)


def test_it_is_built_for_the_images():
    shapes = []

    def build(input_shape):
        shapes.append(input_shape)
        return make_backbone(size=input_shape[:2])

    register_backbone("Own", build)
    for image_size in ((32, 48), (None, 48), None):
        mscam_tf.build_multiscale_classifier(2, image_size, backbone="Own")
    assert shapes == [(32, 48, 3), (None, 48, 3), (None, None, 3)]


def test_a_model_with_a_function_before_its_backbone_is_saved_whole(tmp_path):
    register_backbone("Own", lambda input_shape: make_backbone(), lambda x: 2 * x - 1)
    model = randomize(mscam_tf.build_multiscale_classifier(2, (32, 48), backbone="Own"))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    found, expected = (to_numpy(one(make_images())) for one in (loaded, model))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_backbone_of_one_size():
    register_backbone("Fixed", lambda input_shape: make_backbone(size=(32, 48)))
    model = mscam_tf.build_multiscale_classifier(2, (32, 48), backbone="Fixed")
    assert model(make_images()).shape == (2, 2)
    for image_size in ((48, 32), (32, None), None):
        with pytest.raises(MscamError, match=r"of \(32, 48\) pixels(.|\n)*Received: image_size="):
            mscam_tf.build_multiscale_classifier(2, image_size, backbone="Fixed")


def test_a_backbone_for_grey_images():
    register_backbone("Grey", lambda input_shape: make_backbone(channels=1))
    model = mscam_tf.build_multiscale_classifier(2, (32, 48), backbone="Grey")
    assert model(make_images()).shape == (2, 2)
    with pytest.raises(MscamError, match=r"images of 1 channels\. Received: channels=3"):
        mscam_tf.build_multiscale_classifier(2, (32, 48), 3, backbone="Grey")


def test_what_builds_no_model():
    register_backbone("Own", lambda input_shape: "a model")
    with pytest.raises(MscamError, match="Received: backbone='a model'"):
        mscam_tf.build_multiscale_classifier(2, backbone="Own")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("DenseNet121", make_backbone), "none of the names in .* Received: name='DenseNet121'"),
        ((3, make_backbone), "`name` must be a string"),
        (("Own", "build"), "`build` must be a function. Received: build='build'"),
        (("Own", make_backbone, (1, 2, 3)), r"`preprocess` must be .* Received: .*\(1, 2, 3\)"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(MscamError, match=message):
        register_backbone(*arguments)


def test_a_backbone_of_keras_hub_from_its_config(tmp_path):
    keras_hub = pytest.importorskip("keras_hub")

    def build(input_shape):
        return keras_hub.models.ResNetBackbone(
            input_conv_filters=[64],
            input_conv_kernel_sizes=[7],
            stackwise_num_filters=[64, 16, 16, 16],
            stackwise_num_blocks=[1, 1, 1, 1],
            stackwise_num_strides=[1, 2, 2, 2],
            block_type="basic_block",
            image_shape=input_shape,
        )

    register_backbone("HubResNet", build, (2.0, -1.0))
    model = randomize(mscam_tf.build_multiscale_classifier(2, (64, 96), backbone="HubResNet"))
    outputs = mscam_tf.build_explainer(model, "native")(make_images(64, 96))
    assert outputs["maps"].shape == (2, 8, 12, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    images = make_images(64, 96)
    np.testing.assert_allclose(to_numpy(loaded(images)), to_numpy(outputs["logits"]), atol=1e-3)


def test_a_backbone_whose_padding_follows_the_size_asks_for_it():
    with pytest.raises(MscamError, match=r"one size.*--image-size.*image_size=\(None, 64\)"):
        find_backbone("NASNetMobile").build((None, 64, 3))
    if keras.backend.backend() == "torch":
        pytest.skip("Keras has no NASNet for PyTorch")
    assert find_backbone("NASNetMobile").build((64, 96, 3)).input_shape == (None, 64, 96, 3)
