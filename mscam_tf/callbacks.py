"""Keras callbacks that show what the relevance layer learns."""

from typing import Any

import keras

from mscam_tf.layers import RelevanceCombine


class RelevanceLogger(keras.callbacks.Callback):
    """Log the relevance of each scale for each class, and the added loss, at every epoch's end.

    Adds `relevance_scale1_NAME`, ... for every class and `relevance_penalty` to the epoch's logs.
    Callbacks after it in the list (CSVLogger, TensorBoard) and the returned history have them.
    Does nothing for a model without `RelevanceCombine`.

    Args:
        class_names: Name of each class; by default its index.

    Examples:
        >>> import keras, numpy as np, mscam_tf
        >>> a, b = keras.Input((2,)), keras.Input((2,))
        >>> model = keras.Model([a, b], mscam_tf.RelevanceCombine()([a, b]))
        >>> model.compile("sgd", "mse")
        >>> logger = mscam_tf.RelevanceLogger(["none", "bone"])
        >>> x = np.zeros((4, 2))
        >>> history = model.fit([x, x], x, epochs=2, verbose=0, callbacks=[logger])
        >>> history.history["relevance_scale2_bone"]
        [0.5, 0.5]
    """

    def __init__(self, class_names: list[str] | None = None) -> None:
        super().__init__()
        self.class_names = class_names

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Add the relevance to the logs."""
        layers = [x for x in self.model.layers if isinstance(x, RelevanceCombine)]
        if logs is None or not layers:
            return
        relevance = layers[0].get_relevance()
        names = self.class_names or [str(c) for c in range(relevance.shape[1])]
        for scale, row in enumerate(relevance, start=1):
            for name, value in zip(names, row, strict=True):
                logs[f"relevance_scale{scale}_{name}"] = float(value)
        logs["relevance_penalty"] = float(layers[0].compute_penalty(relevance))
