"""A loss for the head of each scale beside that of the mixed logits."""

from typing import Any

import keras
from keras import ops

from mscam_tf.errors import MscamError
from mscam_tf.models import find_inputs, find_relevance


def show_heads(model: keras.Model) -> keras.Model:
    """Return a model of the same layers that ends in all logits, for deep supervision.

    Args:
        model: A multi-scale classifier of `B` scales.

    Returns:
        A model that ends in `(batch, C, 1 + B)`, float32: the mixed logits `z`, then each head's
        `l_b`.

    Raises:
        ValueError: If the model has no `RelevanceCombine`.

    References:
        Lee et al., 2015, "Deeply-supervised nets", arXiv:1409.5185; here without their threshold on
        the heads' losses, and with a weight that does not decay.
    """
    relevance = find_relevance(model)
    if relevance is None:
        raise MscamError(
            "Deep supervision needs a multi-scale classifier. "
            f"Received: model={model.name!r} without RelevanceCombine"
        )
    heads = find_inputs(model, relevance)
    logits = [ops.cast(x, "float32") for x in (model.output, *heads)]
    return keras.Model(model.input, ops.stack(logits, axis=-1), name=model.name)


class DeepLoss(keras.losses.Loss):
    """The loss of the mixed logits, and with a weight that of each head's own."""

    def __init__(self, loss: keras.losses.Loss, weight: float) -> None:
        super().__init__(name="deep_loss")
        self.loss, self.weight = loss, weight

    def call(self, y_true: Any, y_pred: Any) -> Any:
        mixed, *heads = (self.loss.call(y_true, x) for x in ops.unstack(y_pred, axis=-1))
        return mixed + self.weight * sum(heads)


class MixedMetric(keras.metrics.Metric):
    """A metric of the mixed logits alone."""

    def __init__(self, metric: keras.Metric) -> None:
        super().__init__(name=metric.name)
        self.metric = metric

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.metric.update_state(y_true, y_pred[..., 0], sample_weight)

    def result(self) -> Any:
        return self.metric.result()

    def reset_state(self) -> None:
        self.metric.reset_state()
