"""The pooling of maps into logits that lets their strongest places count most."""

from typing import Any

import keras
from keras import ops

from mscam_tf.settings import check_setting


@keras.saving.register_keras_serializable(package="mscam_tf")
class SoftPool(keras.layers.Layer):
    r"""Pool a map into a logit, each place weighted by how strong it is.

    `l^c = sum_xy p^c(x, y) M^c(x, y)` with `p^c = softmax_xy(s^c M^c)`: a mean in which strong
    places count more. The sharpness `s^c >= 0` leads from the plain mean (0: global average
    pooling) to the maximum (large). A plain mean dilutes what is small: a bone that covers a
    hundredth of the map has to be a hundred times as strong.

    The weights of all places add up to one, so that every logit is still accounted for by its map,
    place by place: `p^c(x, y) M^c(x, y)` is what a place adds.

    Args:
        sharpness: Initial `s^c`, the same for all classes, in 1 / logits. It is a weight of the
            layer, not trained, so that a class whose map was scaled can be pooled as before.
        **kwargs: `name`, `dtype` and the like, as for any Keras layer.

    Input shape:
        `(batch, H, W, C)`: maps, in logits.

    Output shape:
        `(batch, C)`: logits, float32.

    Raises:
        ValueError: If the sharpness is negative.

    Examples:
        >>> import numpy as np
        >>> maps = np.array([0.0, 0.0, 0.0, 4.0], "float32").reshape(1, 2, 2, 1)
        >>> [round(SoftPool(sharpness)(maps).numpy().item(), 2) for sharpness in (0, 1, 10)]
        [1.0, 3.79, 4.0]

    References:
        - [Stergiou et al., 2021](https://arxiv.org/abs/2101.00440), section 3, equations 1 and 2.
        - [McFee et al., 2018](https://arxiv.org/abs/1804.10070), section III: the sharpness.
    """

    def __init__(self, sharpness: float = 1.0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        check_setting("sharpness", sharpness)
        self.sharpness = sharpness

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.scale = self.add_weight(
            name="scale",
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.sharpness),
            trainable=False,
            dtype="float32",
            autocast=False,
        )

    def call(self, inputs: Any) -> Any:
        maps, weights = self._weigh(inputs)
        return ops.sum(weights * maps, axis=(1, 2)) / ops.sum(weights, axis=(1, 2))

    def spread(self, inputs: Any) -> Any:
        """Return what each place adds, `p M`: `(batch, H, W, C)`, which adds up to the logits."""
        maps, weights = self._weigh(inputs)
        return weights * maps / ops.sum(weights, axis=(1, 2), keepdims=True)

    def _weigh(self, inputs: Any) -> tuple[Any, Any]:
        """Return the maps, and weights in proportion to `p`."""
        maps = ops.cast(inputs, "float32")
        strength = ops.convert_to_tensor(self.scale) * maps
        strongest = ops.max(strength, axis=(1, 2), keepdims=True)
        return maps, ops.exp(strength - ops.stop_gradient(strongest))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sharpness": self.sharpness}
