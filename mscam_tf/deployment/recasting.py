"""A trained classifier as it is exported: in float32, for images of one size or of any."""

from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.errors import MscamError


@keras.saving.register_keras_serializable(package="mscam_tf")
class SteadyStandardize(keras.layers.Layer):
    """Standardize each image by its own mean and deviation, as `GroupNormalization` of one group.

    `(x - m) / sqrt(mean((x - m)^2) + epsilon)`, all means taken along one axis after the other, and
    that of `x - m` taken out once more. Runtimes add up all pixels in one float32: in a radiograph
    of little contrast their mean is then off by a thousandth of the deviation.

    Args:
        epsilon: Added to the variance.
        **kwargs: `name`, `dtype` and the like, as for any Keras layer.

    Input shape:
        `(batch, H, W, channels)`.

    Output shape:
        The same, float32.

    Examples:
        >>> import numpy as np
        >>> SteadyStandardize()(np.array([[[[1.0], [3.0]]]], "float32")).numpy().ravel().tolist()
        [-1.0, 1.0]
    """

    def __init__(self, epsilon: float = 1e-8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs: Any) -> Any:  # noqa: D102
        x = inputs - _mean(inputs)
        x = x - _mean(x)
        return x * ops.rsqrt(_mean(x * x) + self.epsilon)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {**super().get_config(), "epsilon": self.epsilon}


def _mean(x: Any) -> Any:
    for axis in (1, 2, 3):
        x = ops.mean(x, axis=axis, keepdims=True)
    return x


def recast(model: keras.Model, *, free_size: bool = False, steady: bool = False) -> keras.Model:
    """Return the classifier in float32, with the same weights.

    The weights of a training in mixed precision are float32 already; only the computation changes.

    Args:
        model: A functional classifier with one image as its input.
        free_size: Whether the copy takes images of any height and width.
        steady: Whether images are standardized by `SteadyStandardize`, as any runtime can.

    Returns:
        A new model.

    Raises:
        MscamError: If the layers of the model ask for the size that it was built for.

    Examples:
        >>> import mscam_tf
        >>> model = mscam_tf.build_multiscale_classifier(2, (64, 64), backbone="MobileNetV2")
        >>> recast(model, free_size=True).input_shape
        (None, None, None, 1)
    """
    config = _change(keras.saving.serialize_keras_object(model), free_size, steady)
    copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(model.get_weights())
    if free_size:
        _try_another_size(copy, model.input_shape)
    return copy


def _try_another_size(model: keras.Model, shape: Any) -> None:
    height, width = (side or 32 for side in shape[1:3])
    try:
        model(np.zeros((1, height + 32, width + 64, shape[3]), "float32"))
    except Exception as error:  # Of whatever layer, on any backend.
        raise MscamError(
            "The layers of the model ask for images of the size that it was built for: "
            f"{error}. Received: free_size=True"
        ) from error


def _change(config: Any, free_size: bool, steady: bool) -> Any:
    """Return a config of Keras with other policies, input shapes and layers, at any depth."""
    if isinstance(config, list | tuple):
        return type(config)(_change(one, free_size, steady) for one in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return {**config, "config": {**config["config"], "name": "float32"}}
    changed = {name: _change(value, free_size, steady) for name, value in config.items()}
    shape = changed.get("batch_shape")  # Of an input layer.
    if free_size and shape is not None and len(shape) == 4:
        changed["batch_shape"] = (shape[0], None, None, shape[3])
    return _steady(changed) if steady and _standardizes(changed) else changed


def _standardizes(config: dict[str, Any]) -> bool:
    """Whether a config is of a layer that standardizes whole images, and learns nothing."""
    if config.get("class_name") != "GroupNormalization":
        return False
    own = config["config"]
    return own["groups"] == 1 and not (own["center"] or own["scale"])


def _steady(config: dict[str, Any]) -> dict[str, Any]:
    own = {name: config["config"][name] for name in ("name", "trainable", "dtype", "epsilon")}
    layer = keras.saving.serialize_keras_object(SteadyStandardize())
    return {**config, **layer, "config": own}
