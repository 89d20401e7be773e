"""Local contrast: how far each pixel differs from its surroundings, in the deviation there."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mscam_tf.errors import MscamError
from mscam_tf.settings import GLOBAL, View, check_setting, is_finite

# Mean and deviation of ImageNet in grey, on a scale of 0 to 1: what pretrained weights expect.
_GREY_MEAN, _GREY_DEVIATION = 0.449, 0.226
_LEAST = 1e-10  # Weight of a pixel, where the middle one has 1.


@keras.saving.register_keras_serializable(package="mscam_tf")
class LocalContrast(keras.layers.Layer):
    r"""Normalise each pixel by the mean and the deviation of its surroundings.

    With a Gaussian `G_s` of `s` pixels and the image `x`: `d = x - G_s(x)`, and the output is
    `d / (sqrt(G_s(d^2)) + epsilon)`, clipped to `[-limit, limit]`. A radiograph may run from black
    to white within a few centimetres; what is faint in its dark and its bright bands then has the
    contrast of what is faint elsewhere. At the borders `G_s` is the mean over those neighbours that
    are there: nothing is padded. It is a product with a matrix for rows and one for columns, so it
    is exact at any size, and costs little up to a few thousand pixels a side.

    Args:
        sigma: Deviation `s` of the Gaussian in pixels.
        epsilon: Deviation, in the units of the image, below which a difference is not lifted any
            more: about the noise, so that flat places do not become noise of full contrast.
        limit: Largest output.
        **kwargs: As for any Keras layer. It works in float32, also under a mixed policy.

    Input shape:
        `(batch, height, width, channels)`, float; for images in `[0, 1]` `epsilon` has its default.

    Output shape:
        The same, float32.

    Raises:
        ValueError: If an argument is not a positive number.

    Examples:
        >>> import numpy as np
        >>> image = np.full((1, 32, 32, 1), 0.25, "float32")
        >>> image[0, 16, 16] += 0.02  # A faint speck ...
        >>> contrast = LocalContrast(sigma=4.0)(image)
        >>> round(float(contrast[0, 16, 16, 0]), 1), round(float(contrast[0, 2, 2, 0]), 1)
        (1.7, 0.0)

    References:
        [Jarrett et al., 2009](https://doi.org/10.1109/ICCV.2009.5459469), section 2, local contrast
        normalisation.
    """

    def __init__(
        self, sigma: float, epsilon: float = 0.01, limit: float = 4.0, **kwargs: Any
    ) -> None:
        kwargs = {"dtype": "float32", **kwargs}
        super().__init__(autocast=False, **kwargs)
        for name, value in (("sigma", sigma), ("epsilon", epsilon), ("limit", limit)):
            if not is_finite(value) or value <= 0:
                raise MscamError(f"`{name}` must be a positive number. Received: {name}={value!r}")
        self.sigma, self.epsilon, self.limit = sigma, epsilon, limit

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, "float32")
        if x.shape[-1] == 1:  # Runtimes copy what is transposed, also where that moves nothing.
            return ops.expand_dims(self._normalise(ops.squeeze(x, -1)), -1)
        return ops.transpose(self._normalise(ops.transpose(x, (0, 3, 1, 2))), (0, 2, 3, 1))

    def _normalise(self, x: Any) -> Any:
        """Return the local contrast of `(..., height, width)`."""
        rows, columns = (_gaussian(side, self.sigma) for side in ops.shape(x)[-2:])
        columns = ops.transpose(columns)

        def blur(values: Any) -> Any:
            return ops.matmul(ops.matmul(rows, values), columns)

        d = x - blur(x)
        deviation = ops.sqrt(ops.maximum(blur(d * d), 0.0))
        return ops.clip(d / (deviation + self.epsilon), -self.limit, self.limit)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"sigma": self.sigma, "epsilon": self.epsilon, "limit": self.limit}
        return {**super().get_config(), **own}


def _gaussian(length: Any, sigma: float) -> Any:
    """Return the matrix `(length, length)` that blurs along one axis; its rows add up to one."""
    places = ops.arange(length, dtype="float32")
    distances = (ops.expand_dims(places, 1) - ops.expand_dims(places, 0)) / sigma
    weights = ops.exp(-0.5 * distances * distances)
    # Less would add nothing, and numbers near the smallest of float32 slow products down.
    weights = ops.where(weights < _LEAST, 0.0, weights)
    return weights / ops.sum(weights, axis=1, keepdims=True)


def view_image(image: Any, views: Sequence[View], channels: int, standardize: bool) -> Any:
    """Turn an image into what the channels of a backbone see of it.

    Args:
        image: Symbolic, `(batch, height, width, 1 or 3)`, values in `[0, 1]`.
        views: `"global"`, or the deviation of a `LocalContrast` in pixels; one for all channels,
            or one for each.
        channels: Of the backbone.
        standardize: Whether the global view has its mean and its deviation taken out.

    Raises:
        ValueError: If the views do not fit the channels.
    """
    views = tuple(views)
    check_setting("views", views)
    _check_number(views, channels, image.shape[-1])
    seen = [_view(image, view, standardize) for view in views]
    if len(seen) == 1 and image.shape[-1] < channels:
        seen *= channels
    if len(seen) == 1:
        return seen[0]
    return keras.layers.Concatenate(name="channels")(seen)


def _view(image: Any, view: View, standardize: bool) -> Any:
    if view == "global" and not standardize:
        return image
    if view == "global":
        x = keras.layers.GroupNormalization(  # One group of all pixels: each image by itself.
            groups=1, epsilon=1e-8, center=False, scale=False, dtype="float32", name="standardize"
        )(image)
        name = "to_grey_levels"
    else:
        pixels = _name_number(view)
        x = LocalContrast(float(view), name=f"local_contrast_{pixels}")(image)
        name = f"to_grey_levels_{pixels}"
    return keras.layers.Rescaling(_GREY_DEVIATION, _GREY_MEAN, name=name)(x)


def _name_number(number: float) -> str:
    """Write a number with the signs that TensorFlow allows in names, and no two numbers alike."""
    digits = repr(float(number)).removesuffix(".0")
    return digits.replace(".", "_").replace("+", "")


def _check_number(views: tuple[View, ...], channels: int, image_channels: int) -> None:
    if image_channels > 1 and views != GLOBAL:
        raise MscamError(
            "Views other than 'global' are of grey images. "
            f"Received: views={views!r} and images of {image_channels} channels"
        )
    if len(views) not in (1, channels) or len(set(views)) < len(views):
        raise MscamError(
            f"`views` must be one view, or {channels} that differ, one for each channel of the "
            f"backbone. Received: views={views!r}"
        )
