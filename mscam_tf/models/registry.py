"""Backbones by name: those of `keras.applications`, and those that users register."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from mscam_tf.errors import MscamError
from mscam_tf.settings import suggest

InputShape = tuple[int | None, int | None, int]
# A scale and an offset, each a number or one per channel; or what is called with the images.
Preprocessing = tuple[float | Sequence[float], float | Sequence[float]] | Callable[[Any], Any]

# Mean and deviation per channel of ImageNet, from keras.applications.imagenet_utils.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UNIT_DEVIATION = (
    tuple(1 / deviation for deviation in _DEVIATION),
    tuple(-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)),
)
_FROM_MINUS_ONE = (2.0, -1.0)
_BYTES = (255.0, 0.0)
# Made for blue-green-red: the order does not matter, since radiographs are grey.
_BYTES_LESS_MEAN = (255.0, (-103.939, -116.779, -123.68))
_FIXED_SIZE = "NASNet"  # Its padding follows the size of the images, as known when it is built.
# What the pretrained weights of `keras.applications` expect, by how the names begin; those that
# take bytes rescale them inside.
_APPLICATIONS: dict[str, Preprocessing] = {
    "ConvNeXt": _BYTES,
    "DenseNet": _UNIT_DEVIATION,
    "EfficientNet": _BYTES,
    "MobileNetV3": _BYTES,
    "ResNet": _BYTES_LESS_MEAN,
    "VGG": _BYTES_LESS_MEAN,
}


@dataclass(frozen=True)
class Backbone:
    """How a backbone is built, and how images of values in `[0, 1]` become its input."""

    name: str
    build: Callable[[InputShape], keras.Model]
    preprocessing: Preprocessing | None = None

    def preprocess(self, images: Any) -> Any:
        """Turn a Keras tensor of images into the input of the backbone."""
        if self.preprocessing is None:
            return images
        if callable(self.preprocessing):
            return self.preprocessing(images)
        scale, offset = self.preprocessing
        return keras.layers.Rescaling(scale, offset, name="preprocess")(images)


_REGISTERED: dict[str, Backbone] = {}


def register_backbone(
    name: str,
    build: Callable[[InputShape], keras.Model],
    preprocess: Preprocessing | None = None,
) -> None:
    """Give a backbone of your own a name, to train on it with `mscam_tf.train` and the builders.

    The name holds for this process. A trained run needs it no more: its `model.keras` holds the
    whole model. Registering a name again replaces what it stood for.

    Args:
        name: What settings and builders call it; no name in `keras.applications`.
        build: Called with `(height, width, 3)`, the shape of the images, where height and width
            are `None` for images of any size; returns a functional `keras.Model` of such images
            with 4-D feature maps, and without a top. It may come with weights. It may ignore the
            shape and return a model for images of any size, or of grey images (one channel).
        preprocess: How images of values in `[0, 1]` become its input: `(scale, offset)`, each a
            number or one for each channel, for `scale * images + offset`; or a function from Keras
            tensor to Keras tensor, of `keras.layers` or `keras.ops`; or `None`: as they are.

    Raises:
        MscamError: If the name belongs to `keras.applications`, or an argument is not like that.

    Examples:
        >>> import keras, mscam_tf
        >>> def build(input_shape):
        ...     image = keras.Input(input_shape)
        ...     x = keras.layers.Conv2D(8, 3, 2, activation="relu", name="fine")(image)
        ...     return keras.Model(image, keras.layers.Conv2D(16, 3, 2, activation="relu")(x))
        >>> mscam_tf.register_backbone("TwoLayers", build, preprocess=(2.0, -1.0))
        >>> model = mscam_tf.build_single_scale_classifier(3, backbone="TwoLayers", tap="fine")
        >>> model.get_layer("backbone").output_shape
        (None, 127, 127, 8)
    """
    if not isinstance(name, str) or not name or name in _list_applications():
        raise MscamError(
            "`name` must be a string, and none of the names in keras.applications. "
            f"Received: name={name!r}"
        )
    if not callable(build):
        raise MscamError(f"`build` must be a function. Received: build={build!r}")
    is_pair = isinstance(preprocess, tuple | list) and len(preprocess) == 2
    if preprocess is not None and not callable(preprocess) and not is_pair:
        raise MscamError(
            "`preprocess` must be None, a pair (scale, offset) or a function. "
            f"Received: preprocess={preprocess!r}"
        )
    _REGISTERED[name] = Backbone(name, build, preprocess)


def list_backbones() -> list[str]:
    """Name the backbones that can be given by name, in alphabetical order.

    These are the models of `keras.applications`, and those of `register_backbone`.

    Examples:
        >>> "DenseNet121" in list_backbones()
        True
    """
    return sorted({*_list_applications(), *_REGISTERED})


def find_backbone(name: str) -> Backbone:
    """Return the backbone of that name; if there is none, say which come near.

    Raises:
        MscamError: If there is none.
    """
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name in _list_applications():
        return Backbone(name, partial(_build_application, name), _find_preprocessing(name))
    names = list_backbones()
    hint = suggest(name, names) or f" Names: {', '.join(names)}."
    raise MscamError(
        "`backbone` must be a functional keras.Model, or the name of a model in keras.applications "
        f"or of mscam_tf.register_backbone.{hint} Received: backbone={name!r}"
    )


def _list_applications() -> list[str]:
    return [name for name in dir(keras.applications) if name[0].isupper()]


def _build_application(name: str, input_shape: InputShape) -> keras.Model:
    """Build it for images of any size: the same model whatever the images of a training are."""
    shape = input_shape if name.startswith(_FIXED_SIZE) else (None, None, 3)
    if name.startswith(_FIXED_SIZE) and None in shape:
        raise MscamError(
            f"{name} is built for images of one size: give it (image_size, --image-size). "
            f"Received: image_size={shape[:2]}"
        )
    return getattr(keras.applications, name)(weights=None, include_top=False, input_shape=shape)


def _find_preprocessing(name: str) -> Preprocessing:
    if name.endswith("V2") and name.startswith("ResNet"):
        return _FROM_MINUS_ONE
    found = (value for start, value in _APPLICATIONS.items() if name.startswith(start))
    return next(found, _FROM_MINUS_ONE)
