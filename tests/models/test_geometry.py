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


def nest(*steps, size=SIZE):
    return keras.Sequential([keras.Input((*size, 1)), *steps])


def draw(explainer, image):
    """Return the map of an image, both `(height, width)`."""
    return to_numpy(explainer(image[None, ..., None], training=False)["maps"])[0, ..., 0]


def locate(explainer, spot):
    """Return where the map of an image with one bright spot is brightest."""
    image = np.zeros(SIZE, "float32")
    image[spot[0] - 3 : spot[0] + 4, spot[1] - 3 : spot[1] + 4] = 1
    maps = draw(explainer, image)
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
    "Lambda 'half'": [layers.Lambda(lambda x: x[:, 32:], output_shape=(32, 96, 1), name="half")],
    "Flip": [ops.flip],
    "GetItem": [lambda x: x[:, 40:8:-1]],
    "GetItem of a row": [lambda x: ops.expand_dims(x[:, 8], 1)],
    "Roll": [lambda x: ops.roll(x, 20, axis=1)],
    "Reshape": [layers.Reshape((96, 64, 1))],
    "Concatenate": [lambda x: layers.Concatenate(axis=1)([x, x])],
    "Shift": [Shift()],
    "Shift 'turned'": [Shift(name="turned"), layers.Permute((2, 1, 3))],
    "Shift 'inner'": [nest(nest(Shift(name="inner")), layers.AveragePooling2D(2))],
    "Add": [lambda x: layers.Add()([layers.Cropping2D(c)(x) for c in (UPPER, LOWER)])],
    "Add of mirrored": [lambda x: layers.Add()([x, ops.flip(x, axis=1)])],
    "AveragePooling2D": [layers.AveragePooling2D(1, data_format="channels_first")],
}
# What an image of 6 rows and 4 columns is taken through, and which of these its map shows.
SMALL, ROWS, COLUMNS = (6, 4), [0, 1, 2, 3, 4, 5], [0, 1, 2, 3]
EXACT = {
    "cropped": ([layers.Cropping2D(((1, 0), (0, 2)))], ROWS[1:], COLUMNS[:2]),
    "the middle": ([layers.CenterCrop(3, 2)], [1, 2, 3], [1, 2]),
    "slices": ([lambda x: x[:, 1:-1, -3:3]], [1, 2, 3, 4], [1, 2]),
    "cropped to an aspect": (
        [layers.Resizing(4, 4, crop_to_aspect_ratio=True)],
        [1, 2, 3, 4],
        COLUMNS,
    ),
    "padded to an aspect": ([layers.Resizing(6, 6, pad_to_aspect_ratio=True)], ROWS, COLUMNS),
    "padded": ([layers.ZeroPadding2D(((3, 0), (0, 1)))], ROWS, COLUMNS),
    "padded twice": (
        [layers.ZeroPadding2D(1), layers.ZeroPadding2D(1), convolve(1)],
        ROWS,
        COLUMNS,
    ),
    "padded by an operation": (
        [lambda x: ops.pad(x, ((0, 0), (2, 0), (0, 1), (0, 0)))],
        ROWS,
        COLUMNS,
    ),
    "padded and cropped": ([layers.ZeroPadding2D(2), layers.CenterCrop(5, 4)], ROWS[:5], COLUMNS),
    "permuted": ([layers.Permute((2, 1, 3))], ROWS, COLUMNS),
    "transposed": ([lambda x: ops.transpose(x, (0, 2, 1, 3))], ROWS, COLUMNS),
    "flipped": ([lambda x: ops.flip(x, axis=(1, -2))], ROWS, COLUMNS),
    "backwards": ([lambda x: x[:, ::-1]], ROWS, COLUMNS),
    "before a turn": ([Gate(), layers.Permute((2, 1, 3)), Gate()], ROWS, COLUMNS),
    "all": (
        [
            layers.Permute((2, 1, 3)),
            lambda x: ops.flip(x, axis=1),
            layers.Cropping2D(((0, 1), (2, 0))),  # Of the mirrored columns, and of the rows.
            nest(layers.ZeroPadding2D(((1, 0), (0, 3))), size=(3, 4)),
        ],
        ROWS[2:],
        COLUMNS[1:],
    ),
}
LARGE = {
    "cropped": lambda h, w: [layers.Cropping2D(((17, 30), (5, 22)))],
    "the middle": lambda h, w: [layers.CenterCrop(h - 41, w - 38)],
    "padded": lambda h, w: [layers.ZeroPadding2D(((37, 0), (3, 64)))],
    "cropped to an aspect": lambda h, w: [layers.Resizing(401, 401, crop_to_aspect_ratio=True)],
    "padded to an aspect": lambda h, w: [layers.Resizing(448, 448, pad_to_aspect_ratio=True)],
    "permuted": lambda h, w: [layers.Permute((2, 1, 3))],
    "sliced": lambda h, w: [lambda x: x[:, 8:-9, ::-1]],
    "all": lambda h, w: [
        *(lambda x: ops.flip(x, axis=(1, 2)), layers.Cropping2D(((17, 0), (0, 22)))),
        *(layers.Permute((2, 1, 3)), layers.Resizing(400, 390)),
    ],
}
HALVINGS = [
    lambda: [layers.AveragePooling2D(2)],
    lambda: [convolve(3, strides=2, padding="same", use_bias=False)],
    lambda: [convolve(3, strides=2, use_bias=False)],
    lambda: [layers.ZeroPadding2D(1), convolve(3, strides=2, use_bias=False)],
]


def skip_where_impossible(open_sides=False, backwards=False):
    backend = keras.backend.backend()
    if open_sides and backend != "tensorflow":
        pytest.skip("Other backends try a layer out with made-up sides, which do not fit a crop.")
    if backwards and backend == "torch":
        pytest.skip("PyTorch has no slices that run backwards.")


def find_centre(values):
    """Return the centre of mass of an image or a map, in pixels."""
    rows, columns = np.mgrid[: values.shape[0], : values.shape[1]]
    return np.array([(values * rows).sum(), (values * columns).sum()]) / values.sum()


def paint_spot(size, centre, width):
    rows, columns = np.mgrid[: size[0], : size[1]]
    squares = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2
    return np.exp(-squares / 2 / width**2).astype("float32")


@backends
@pytest.mark.parametrize("steps", KEPT.values(), ids=KEPT)
def test_a_map_lies_where_the_spot_is(steps):
    explainer = build_explainer(classify(*steps))
    for spot in ((12, 20), (12, 80), (50, 20)):
        assert np.abs(np.subtract(locate(explainer, spot), spot)).max() <= 4


@backends
@pytest.mark.parametrize(("steps", "rows", "columns"), EXACT.values(), ids=EXACT)
@pytest.mark.parametrize("open_sides", [False, True])
def test_a_map_is_the_image_where_the_model_looked(steps, rows, columns, open_sides, request):
    skip_where_impossible(open_sides, "backwards" in request.node.callspec.id)
    size = (None, None) if open_sides else SMALL
    explainer = build_explainer(classify(*steps, size=size))
    image = np.random.default_rng(0).random(SMALL, "float32")
    expected = np.zeros(SMALL)
    expected[np.ix_(rows, columns)] = image[np.ix_(rows, columns)]
    found = draw(explainer, image)
    if any(isinstance(step, Gate) for step in steps):  # A gate weighs the whole image.
        found = found / found[0, 0] * image[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@backends
@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize(
    ("size", "halvings"), [((512, 600), 5), ((577, 513), 5), ((577, 513), 2), ((512, 600), 1)]
)
def test_a_spot_is_found_within_half_a_pixel(make, size, halvings, request):
    skip_where_impossible(backwards="sliced" in request.node.callspec.id)
    for halve in HALVINGS:
        steps = [step for _ in range(halvings) for step in halve()]
        explainer = build_explainer(classify(*make(*size), *steps, size=size))
        spot = paint_spot(size, (0.47 * size[0] + 0.3, 0.53 * size[1] + 0.2), 2**halvings)
        found = draw(explainer, spot)
        np.testing.assert_allclose(find_centre(found), find_centre(spot), atol=0.1)


@backends
def test_a_layer_that_shrinks_by_itself_is_followed():
    spot = paint_spot(SIZE, (30.2, 50.7), 5)
    explainer = build_explainer(classify(layers.Cropping2D(((8, 4), (12, 0))), Patches()))
    np.testing.assert_allclose(find_centre(draw(explainer, spot)), (30.2, 50.7), atol=0.1)


@backends
def test_a_mirrored_window_begins_at_the_other_end():
    """Of 7 columns, mirrored, windows of two see 6 and 5, 4 and 3, 2 and 1."""
    model = classify(lambda x: ops.flip(x, axis=2), layers.AveragePooling2D(2), size=(2, 7))
    image = np.array([[9, 1, 1, 3, 3, 7, 7]] * 2, "float32")
    expected = [1, 1, 1.5, 2.5, 4, 6, 7]  # Cells at 1.5, 3.5 and 5.5.
    np.testing.assert_allclose(draw(build_explainer(model), image), [expected] * 2, atol=1e-5)


@backends
def test_native_maps_are_turned_as_the_image_is():
    steps = [layers.Permute((2, 1, 3)), lambda x: ops.flip(x, axis=1), layers.Cropping2D(1)]
    explainer = build_explainer(classify(*steps, size=SMALL), "native", scale_maps=True)
    image = np.random.default_rng(0).random(SMALL, "float32")
    outputs = explainer(image[None, ..., None])
    for name in ("maps", "scale1_maps"):
        np.testing.assert_allclose(to_numpy(outputs[name])[0, ..., 0], image[1:-1, 1:-1], atol=1e-5)


@backends
def test_maps_of_another_size():
    """Rows 0 to 3 of 6 are cut off: of 3 rows that each show two, the last one is seen."""
    model = classify(layers.Cropping2D(((4, 0), (0, 0))), size=SMALL)
    image = np.arange(24, dtype="float32").reshape(SMALL)
    found = draw(build_explainer(model, (3, 4)), image)
    np.testing.assert_allclose(found, [[0] * 4, [0] * 4, [18, 19, 20, 21]], atol=1e-5)


@backends
def test_scales_that_lie_unlike_each_other_are_each_put_in_their_place():
    image = keras.Input((*SMALL, 1))
    cropped = layers.Cropping2D(((2, 0), (0, 0)))(image)
    pooled = [layers.GlobalAveragePooling2D()(x) for x in (image, cropped)]
    logits = [layers.Dense(1, kernel_initializer="ones")(x) for x in pooled]
    model = keras.Model(image, mscam_tf.RelevanceCombine()(logits))
    values = np.random.default_rng(0).random(SMALL, "float32")
    outputs = build_explainer(model, scale_maps=True, cell_contributions=True)(
        values[None, ..., None]
    )
    lower = np.where(np.arange(6)[:, None] < 2, 0, values)
    maps = [to_numpy(outputs[f"{name}maps"])[0, ..., 0] for name in ("scale1_", "scale2_", "")]
    np.testing.assert_allclose(maps, [values, lower, (values + lower) / 2], atol=1e-5)
    cells = [to_numpy(outputs[f"scale{b}_contributions"])[0, ..., 0] for b in (1, 2)]
    np.testing.assert_allclose(cells, [values / 24 / 2, lower / 16 / 2], atol=1e-6)


@backends
def test_contributions_of_cells_are_shared_out_among_pixels():
    """Cells of 2 x 2 pixels; what lies in the padding counts for the logit alone."""
    steps = [lambda x: x[:, 2:], layers.ZeroPadding2D(2), layers.AveragePooling2D(2)]
    explainer = build_explainer(classify(*steps, size=SMALL), cell_contributions=True)
    values = np.random.default_rng(0).random(SMALL, "float32")
    outputs = explainer(values[None, ..., None])
    means = values[2:].reshape(2, 2, 2, 2).mean((1, 3)) / 16 / 4
    expected = np.vstack([np.zeros((2, 4)), np.kron(means, np.ones((2, 2)))])
    shared = to_numpy(outputs["scale1_contributions"])[0, ..., 0]
    np.testing.assert_allclose(shared, expected, atol=1e-6)
    np.testing.assert_allclose(shared.sum(), to_numpy(outputs["logits"])[0, 0], atol=1e-5)


@backends
@pytest.mark.parametrize("name", LOST)
def test_a_layer_that_moves_places_is_named(name):
    start = name.split(" of ")[0]
    with pytest.raises(MscamError, match=rf"wrong place of the image.*: {start}.*Received: model="):
        build_explainer(classify(*LOST[name]))


@backends
@pytest.mark.parametrize(
    "step",
    [
        lambda x: ops.roll(x, 1, axis=2),
        lambda x: layers.Conv2DTranspose(1, 4, kernel_initializer="ones")(x),
    ],
    ids=["Roll", "Conv2DTranspose"],
)
def test_small_moves_add_up(step, request):
    build_explainer(classify(step))
    named = request.node.callspec.id
    with pytest.raises(MscamError, match=rf"wrong place.*small moves add up.*last in {named}"):
        build_explainer(classify(*[step] * 6))


def shift_step_by_step(x):
    for _ in range(5):
        x = convolve(3)(layers.ZeroPadding2D(((2, 0), (2, 0)))(x))
    return x


@backends
@pytest.mark.parametrize("order", [1, -1])
def test_one_branch_that_moves_places_is_enough(order):
    join = layers.Add(name="join")
    with pytest.raises(MscamError, match=r"wrong place.*Add 'join' joins tensors"):
        build_explainer(classify(lambda x: join([x, shift_step_by_step(x)][::order])))


@backends
@pytest.mark.parametrize(
    ("steps", "rows"),
    [
        ([layers.Permute((2, 3, 1)), layers.GlobalAveragePooling2D()], 0),
        ([layers.Permute((3, 2, 1)), layers.GlobalAveragePooling2D()], 0),
        ([layers.GlobalAveragePooling2D(data_format="channels_first")], 0),
        (
            [
                layers.Cropping2D(((2, 0), (0, 0)), data_format="channels_first"),
                layers.Permute((2, 3, 1)),
                layers.GlobalAveragePooling2D(),
            ],
            2,
        ),
    ],
    ids=["permuted", "turned too", "to the end", "cropped"],
)
@pytest.mark.parametrize("open_sides", [False, True])
def test_maps_of_channels_first_images(steps, rows, open_sides):
    skip_where_impossible(open_sides=open_sides)
    x = image = keras.Input((1, None, None) if open_sides else (1, *SMALL))
    for step in steps:
        x = step(x)
    model = keras.Model(image, layers.Dense(1, kernel_initializer="ones")(x))
    values = np.random.default_rng(0).random(SMALL, "float32")
    maps = to_numpy(build_explainer(model)(values[None, None])["maps"])
    expected = np.where(np.arange(6)[:, None] < rows, 0, values)
    np.testing.assert_allclose(maps[0, ..., 0], expected, atol=1e-5)


@backends
@pytest.mark.parametrize("axis", [2, 3])
def test_a_move_in_channels_first_images_is_seen(axis):
    image = keras.Input((3, *SIZE))
    x = layers.Permute((2, 3, 1))(ops.roll(image, 20, axis=axis))
    model = keras.Model(image, layers.Dense(1)(layers.GlobalAveragePooling2D()(x)))
    with pytest.raises(MscamError, match=r"wrong place of the image.*: Roll"):
        build_explainer(model)


@backends
def test_layers_that_take_channels_for_rows_are_refused():
    image = keras.Input((1, *SIZE))
    x = layers.Permute((2, 3, 1))(convolve(3, padding="same", data_format="channels_last")(image))
    model = keras.Model(image, layers.Dense(1)(layers.GlobalAveragePooling2D()(x)))
    with pytest.raises(MscamError, match=r"Conv2D 'conv2d.*takes other axes"):
        build_explainer(model)


def test_places_are_followed_through_a_deep_backbone():
    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )
    cropped = classify(layers.CenterCrop(32, 64), backbone, channels=3)
    maps = build_explainer(cropped)(np.random.default_rng(0).random((1, *SIZE, 3)))["maps"]
    seen = np.abs(to_numpy(maps)[0, ..., 0]) > 0
    assert seen[16:48, 16:80].all()
    assert seen.sum() == 32 * 64


@backends
def test_half_precision_does_not_blur_places():
    keras.config.set_dtype_policy("mixed_bfloat16")
    explainer = build_explainer(classify(layers.ZeroPadding2D(((300, 0), (0, 200))), size=SMALL))
    image = np.arange(24, dtype="float32").reshape(SMALL)  # Whole numbers that bfloat16 holds.
    np.testing.assert_allclose(draw(explainer, image), image, atol=1e-3)


def test_exports_images_of_any_size(tmp_path):
    import tensorflow as tf

    steps = [
        lambda x: ops.flip(x, axis=1),
        layers.CenterCrop(3, 2),
        convolve(3, strides=2, padding="same"),
    ]
    explainer = build_explainer(classify(*steps, size=(None, None)))
    explainer.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved")
    for size in (SMALL, (7, 9)):
        images = np.random.default_rng(0).random((1, *size, 1), "float32")
        expected = to_numpy(explainer(images)["maps"])
        np.testing.assert_allclose(served.serve(images)["maps"], expected, atol=1e-5)


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
    explainer = build_explainer(model)
    assert explainer.output["maps"].shape == (None, 96, 96, 2)
    assert explainer.get_layer("cam").geometry.is_plain
