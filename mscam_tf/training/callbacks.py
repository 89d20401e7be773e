"""Keras callbacks that show what the relevance layer learns."""

from typing import Any

import keras

from mscam_tf.errors import MscamError
from mscam_tf.models import RelevanceCombine, find_relevance
from mscam_tf.names import clean


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
        self._layer: RelevanceCombine | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Find the layer, and check that every class has a name."""
        self._layer = find_relevance(self.model)
        if self._layer is None or self.class_names is None:
            return
        num_classes = self._layer.get_relevance().shape[1]
        if len(self.class_names) != num_classes:
            raise MscamError(
                f"`class_names` must name the model's {num_classes} classes. "
                f"Received: class_names={self.class_names}"
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Add the relevance to the logs."""
        if logs is None or self._layer is None:
            return
        relevance = self._layer.get_relevance()
        # TensorBoard takes UTF-8 alone, and the name of a folder may be of any bytes.
        names = [clean(str(n)) for n in self.class_names or range(relevance.shape[1])]
        for scale, row in enumerate(relevance, start=1):
            for name, value in zip(names, row, strict=True):
                logs[f"relevance_scale{scale}_{name}"] = float(value)
        logs["relevance_penalty"] = float(self._layer.compute_penalty(relevance))
