"""A trained classifier as it is exported: in float32, for images of one size or of any."""

from typing import Any

import keras
import numpy as np

from mscam_tf.errors import MscamError


def recast(model: keras.Model, *, free_size: bool = False) -> keras.Model:
    """Return the classifier in float32, with the same weights.

    The weights of a training in mixed precision are float32 already; only the computation changes.

    Args:
        model: A functional classifier with one image as its input.
        free_size: Whether the copy takes images of any height and width.

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
    config = _change(keras.saving.serialize_keras_object(model), free_size)
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


def _change(config: Any, free_size: bool) -> Any:
    """Return a config of Keras with other policies and input shapes, at any depth."""
    if isinstance(config, list | tuple):
        return type(config)(_change(one, free_size) for one in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return {**config, "config": {**config["config"], "name": "float32"}}
    changed = {name: _change(value, free_size) for name, value in config.items()}
    shape = changed.get("batch_shape")  # Of an input layer.
    if free_size and shape is not None and len(shape) == 4:
        changed["batch_shape"] = (shape[0], None, None, shape[3])
    return changed
