import keras
import numpy as np
import pytest
from keras import layers, ops
from keras.ops import convert_to_numpy as to_numpy

import mscam_tf
from mscam_tf import MscamError, build_explainer

SIZE = (64, 96)
UPPER, LOWER = ((8, 0), (0, 0)), ((0, 8), (0, 0))
backends = pytest.mark.backends


class Shift(layers.Layer):
    """Move the image down by a sixth of its height, as none of Keras' own layers does."""

    def call(self, inputs):
        return ops.roll(inputs, inputs.shape[1] // 6, axis=1)


class Gate(layers.Layer):
    """Weigh the channels by what is in the whole image."""

    def call(self, inputs):
        return inputs * ops.sigmoid(ops.mean(inputs, axis=(1, 2), keepdims=True))


class Spread(layers.Layer):
    """Stretch the intensities of each image to the unit range, as many own models begin."""

    def call(self, inputs):
        low, high = (f(inputs, axis=(1, 2, 3), keepdims=True) for f in (ops.min, ops.max))
        return (inputs - low) / (high - low + 1e-6)


class Patches(layers.Layer):
    """Mean of each 4 x 4 pixels."""

    def call(self, inputs):
        return ops.average_pool(inputs, 4, 4)


def classify(*steps, size=SIZE, channels=1):
    """Build a classifier whose one logit is the mean brightness after some steps."""
    x = image = keras.Input((*size, channels))
    for step in steps:
        x = step(x)
    dense = layers.Dense(1, kernel_initializer="ones")
    return keras.Model(image, dense(layers.GlobalAveragePooling2D()(x)))


def convolve(side, **options):
    return layers.Conv2D(1, side, kernel_initializer="ones", **options)


def nest(*steps):
    return keras.Sequential([keras.Input((*SIZE, 1)), *steps])


def locate(explainer, spot):
    """Return where the map of an image with one bright spot is brightest."""
    image = np.zeros((1, *SIZE, 1), "float32")
    image[0, spot[0] - 3 : spot[0] + 4, spot[1] - 3 : spot[1] + 4] = 1
    maps = to_numpy(explainer(image, training=False)["maps"])[0, ..., 0]
    return np.unravel_index(maps.argmax(), maps.shape)


KEPT = {
    "nothing": [],
    "resizing": [layers.Resizing(32, 48)],
    "stretching": [layers.Resizing(32, 80)],
    "a resizing to the aspect it has": [layers.Resizing(32, 48, pad_to_aspect_ratio=True)],
    "padding that a convolution takes up": [
        layers.ZeroPadding2D(3),
        convolve(7, strides=2),
    ],
    "padding on one side for a stride": [
        layers.ZeroPadding2D(((0, 1), (0, 1))),
        layers.DepthwiseConv2D(3, 2, depthwise_initializer="ones"),
    ],
    "dilated": [
        layers.ZeroPadding2D(2),
        layers.Conv2D(1, 3, dilation_rate=2, kernel_initializer="ones"),
    ],
    "NASNet's shift by a pixel": [
        layers.ZeroPadding2D(((0, 1), (0, 1))),
        layers.Cropping2D(((1, 0), (1, 0))),
        layers.AveragePooling2D(1, 2),
    ],
    "a layer of one's own": [Gate(), Patches()],
    "stretched intensities": [Spread()],
    "a crop to the size it has": [layers.CenterCrop(*SIZE)],
    "augmentation": [
        layers.RandomFlip(),
        layers.RandomRotation(0.2),
        layers.RandomTranslation(0.2, 0.2),
    ],
    "a random crop, which waits for training": [layers.RandomCrop(32, 32)],
    "upsampling": [layers.AveragePooling2D(4), layers.UpSampling2D(2)],
    "numbers": [lambda x: x / 2.0 + 0.5, layers.Lambda(lambda x: ops.relu(x))],
    "windows without padding": [convolve(5), layers.AveragePooling2D(4)],
    "channels": [lambda x: ops.concatenate([x, x], axis=-1), lambda x: x[..., :1]],
    "nested": [nest(layers.Rescaling(2.0), nest(layers.AveragePooling2D(2)))],
}
LOST = {
    "CenterCrop": [layers.CenterCrop(32, 32)],
    "Cropping2D": [layers.Cropping2D(((16, 0), (0, 0)))],
    "Cropping2D 'small'": [layers.Cropping2D(2, name="small")],
    "ZeroPadding2D": [layers.ZeroPadding2D(((32, 0), (0, 0)))],
    "ZeroPadding2D 'same'": [
        layers.ZeroPadding2D(1, name="same"),
        layers.Conv2D(1, 3, padding="same"),
    ],
    "ZeroPadding2D 'twice'": [
        layers.ZeroPadding2D(1),
        layers.ZeroPadding2D(1, name="twice"),
        layers.Conv2D(1, 3),
    ],
    "ZeroPadding2D 'last'": [layers.AveragePooling2D(4), layers.ZeroPadding2D(1, name="last")],
    "Resizing 'crop'": [layers.Resizing(32, 32, crop_to_aspect_ratio=True, name="crop")],
    "Resizing 'pad'": [layers.Resizing(48, 48, pad_to_aspect_ratio=True, name="pad")],
    "windows without padding": [convolve(15)],
    "windows without padding again": [convolve(3), convolve(3), convolve(3)],
    "Permute": [layers.Permute((2, 1, 3))],
    "Transpose": [lambda x: ops.transpose(x, (0, 2, 1, 3))],
    "Flip": [lambda x: ops.flip(x, axis=2)],
    "GetItem": [lambda x: x[:, ::-1]],
    "Lambda 'half'": [layers.Lambda(lambda x: x[:, 32:], output_shape=(32, 96, 1), name="half")],
    "Pad": [lambda x: ops.pad(x, ((0, 0), (8, 0), (0, 0), (0, 0)))],
    "Roll": [lambda x: ops.roll(x, 20, axis=1)],
    "Reshape": [layers.Reshape((96, 64, 1))],
    "Concatenate": [lambda x: layers.Concatenate(axis=1)([x, x])],
    "Shift": [Shift()],
    "Add": [lambda x: layers.Add()([layers.Cropping2D(c)(x) for c in (UPPER, LOWER)])],
    "Permute 'inner'": [
        nest(nest(layers.Permute((2, 1, 3), name="inner")), layers.AveragePooling2D(2))
    ],
    "AveragePooling2D": [layers.AveragePooling2D(1, data_format="channels_first")],
}


@backends
@pytest.mark.parametrize("steps", KEPT.values(), ids=KEPT)
def test_a_map_lies_where_the_spot_is(steps):
    explainer = build_explainer(classify(*steps))
    for spot in ((12, 20), (12, 80), (50, 20)):
        assert np.abs(np.subtract(locate(explainer, spot), spot)).max() <= 4


@backends
@pytest.mark.parametrize("name", LOST)
def test_a_layer_that_moves_places_is_named(name):
    with pytest.raises(
        MscamError,
        match=rf"wrong place of the image.*: {name.removesuffix(' again')}.*Received: model=",
    ):
        build_explainer(classify(*LOST[name]))


@backends
@pytest.mark.parametrize(
    "step",
    [
        lambda x: ops.roll(x, 1, axis=2),
        lambda x: x[:, 1:, 1:],
        lambda x: layers.Conv2DTranspose(1, 4, kernel_initializer="ones")(x),
    ],
    ids=["rolls", "slices", "transposed convolutions"],
)
def test_small_moves_add_up(step):
    build_explainer(classify(step))
    with pytest.raises(MscamError, match=r"wrong place.*small moves add up to"):
        build_explainer(classify(*[step] * 6))


def shift_step_by_step(x):
    for _ in range(5):
        x = convolve(3)(layers.ZeroPadding2D(((2, 0), (2, 0)))(x))
    return x


@backends
@pytest.mark.parametrize("order", [1, -1])
def test_one_branch_that_moves_places_is_enough(order):
    join = layers.Add()
    with pytest.raises(MscamError, match=r"wrong place.*more than two cells"):
        build_explainer(classify(lambda x: join([x, shift_step_by_step(x)][::order])))


@backends
def test_channels_first_images_are_refused():
    image = keras.Input((1, *SIZE))
    x = layers.GlobalAveragePooling2D()(layers.Permute((2, 3, 1))(image))
    with pytest.raises(MscamError, match="Permute"):
        build_explainer(keras.Model(image, layers.Dense(1)(x)))


def test_places_are_followed_through_a_deep_backbone():
    backbone = keras.applications.DenseNet121(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )
    cropped = classify(layers.CenterCrop(32, 64), backbone, channels=3)
    with pytest.raises(MscamError, match="CenterCrop"):
        build_explainer(cropped)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("ConvNeXtTiny", "EfficientNetB0", "EfficientNetV2B0", "InceptionResNetV2", "InceptionV3"),
        *("MobileNet", "MobileNetV3Small", "NASNetMobile", "ResNet50", "ResNet50V2", "VGG16"),
        "Xception",
    ],
)
def test_backbones_of_keras_keep_places(name):
    model = mscam_tf.build_multiscale_classifier(2, (96, 96), backbone=name)
    assert build_explainer(model).output["maps"].shape == (None, 96, 96, 2)
