"""The layer that mixes the logits of several scales, with a learned relevance per class."""

from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.errors import MscamError
from mscam_tf.settings import check_setting


@keras.saving.register_keras_serializable(package="mscam_tf")
class RelevanceCombine(keras.layers.Layer):
    r"""Mix the logits of `B` scales per class: `z^c = sum_b h_b^c l_b^c`.

    The relevance `h` has the shape `(B, C)`, starts as the plain mean `1 / B` and is learned with
    the rest of the model. For each class it is meant to be a convex combination over the scales
    (`h >= 0`, `sum_b h_b^c = 1`). There are two ways to get there:

    - `normalization="penalty"`: free weights, clipped to `[0, 1]` after every optimizer step, and
      a loss that pulls their sum `s^c = sum_b h_b^c` towards one. It is, with
      `lambda = penalty_weight`,

      | `penalty` | added loss |
      | --- | --- |
      | `"squared"` | `lambda * sum_c (1 - s^c)^2` |
      | `"absolute"` | `lambda * sum_c abs(1 - s^c)` |
      | `"signed"` | `lambda * sum_c (1 - s^c)`, as the paper prints it |

      The sum is near one, not exactly one: the weights are never renormalised behind your back.
    - `normalization="softmax"`: `h = softmax(weights)` over the scales; convex by construction,
      no loss is added.

    **Why the printed, signed form does not yield a convex combination.** Its gradient is
    `d loss / d h_b^c = -lambda`, the same for every weight, whatever the sum is: it has no
    minimum at `s^c = 1`. Minimising it drives every weight up until the clip stops it at 1, so
    that `sum_b h_b^c = B` (and the added loss ends at `lambda * C * (1 - B)`, below zero). The
    squared and the absolute form have their minimum where the sum is one.

    Adam-like optimizers move every weight by about one learning rate a step, so a relevance in
    `[0, 1]` would hardly leave `1 / B` in a short training. The layer therefore stores
    `h / rate` (or the softmax's argument divided by `rate`): one step of Adam and its kin moves
    `h` about `rate` times as far, on any backend. A step of plain SGD, which follows the size of
    the gradient, moves it `rate^2` times as far, and the squared penalty then overshoots: with
    SGD take `rate=1`.

    During `fit` the added loss is shown as the metric `relevance_penalty` (TensorFlow and torch
    backends; under JAX a layer cannot update a metric, use `mscam_tf.RelevanceLogger` there).

    All arithmetic and the weights are in float32 (float64 under a float64 policy), also under
    `mixed_float16` and `mixed_bfloat16`; so is the output.

    Args:
        normalization: `"penalty"` or `"softmax"`.
        penalty: `"squared"`, `"absolute"` or `"signed"`; used by `normalization="penalty"`.
        penalty_weight: Weight `lambda >= 0` of the added loss, in units of the main loss.
        rate: Learning rate of the relevance relative to that of an Adam-like optimizer, positive;
            1 for plain SGD.
        **kwargs: `name`, `dtype` and the like, as for any Keras layer.

    Input shape:
        A list of `B >= 1` logit tensors of shape `(batch, C)`, the finest scale first.

    Output shape:
        `(batch, C)`: logits.

    Raises:
        ValueError: If an argument is not one of those above, or the inputs differ in shape.

    Examples:
        >>> import numpy as np
        >>> layer = RelevanceCombine()
        >>> fine = np.array([[2.0, 0.0]], "float32")
        >>> coarse = np.array([[4.0, 6.0]], "float32")
        >>> np.asarray(layer([fine, coarse])).tolist()
        [[3.0, 3.0]]
        >>> layer.get_relevance().tolist()
        [[0.5, 0.5], [0.5, 0.5]]

    References:
        - Lee and Cho, 2021: layer relevance weights and the added loss.
        - [Sedai et al., 2018](https://arxiv.org/abs/1808.08280): per-layer relevance weights.
    """

    def __init__(
        self,
        normalization: str = "penalty",
        penalty: str = "squared",
        penalty_weight: float = 1.0,
        rate: float = 10.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        check_setting("normalization", normalization)
        check_setting("penalty", penalty)
        check_setting("penalty_weight", penalty_weight)
        check_setting("rate", rate)
        self.normalization = normalization
        self.penalty = penalty
        self.penalty_weight = penalty_weight
        self.rate = rate
        self._penalty_tracker = None
        if normalization == "penalty" and keras.backend.backend() != "jax":
            self._penalty_tracker = keras.metrics.Mean(name="relevance_penalty")

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        shapes = _check_shapes(input_shape)
        penalised = self.normalization == "penalty"
        start = 1.0 / (len(shapes) * self.rate) if penalised else 0.0
        self.relevance_weights = self.add_weight(
            name="relevance_weights",
            shape=(len(shapes), shapes[0][-1]),
            initializer=keras.initializers.Constant(start),
            constraint=_Clip(1.0 / self.rate) if penalised else None,
            dtype=keras.backend.result_type(self.variable_dtype, "float32"),
            autocast=False,
        )

    def call(self, inputs: list[Any]) -> Any:
        relevance = self.relevance
        logits = ops.stack([ops.cast(x, relevance.dtype) for x in inputs], axis=1)
        if self.normalization == "penalty":
            loss = self.compute_penalty(relevance)
            self.add_loss(loss)
            if self._penalty_tracker is not None:
                self._penalty_tracker.update_state(loss)
        return ops.sum(relevance * logits, axis=1)

    @property
    def relevance(self) -> Any:
        """The relevance `h` as a tensor of shape `(B, C)`, float32: for use inside a graph."""
        weights = self.rate * ops.convert_to_tensor(self.relevance_weights)
        return ops.softmax(weights, axis=0) if self.normalization == "softmax" else weights

    def get_relevance(self) -> np.ndarray:
        """Return the relevance `h` as a NumPy array of shape `(scales, classes)`, float32."""
        return np.asarray(ops.convert_to_numpy(self.relevance))

    def set_relevance(self, values: Any) -> None:
        """Set the relevance `h`.

        Args:
            values: `(scales, classes)`, in `[0, 1]`; for `"softmax"` positive, with
                `sum_b h_b^c = 1`.

        Raises:
            ValueError: If the values are not like that.

        Examples:
            >>> import numpy as np
            >>> layer = RelevanceCombine()
            >>> _ = layer([np.zeros((1, 1)), np.zeros((1, 1))])
            >>> layer.set_relevance([[0.75], [0.25]])
            >>> layer.get_relevance().tolist()
            [[0.75], [0.25]]
        """
        h = np.asarray(values, np.float32)
        shape = tuple(self.relevance_weights.shape)
        softmax = self.normalization == "softmax"
        if h.shape != shape or h.min() < 0 or h.max() > 1:
            raise MscamError(
                f"A relevance must have the shape {shape} and lie in [0, 1]. Received: {values}"
            )
        if softmax and (h.min() == 0 or not np.allclose(h.sum(0), 1, atol=1e-3)):
            raise MscamError(
                f"A softmax relevance must be positive and add up to one. Received: {values}"
            )
        self.relevance_weights.assign((np.log(h) if softmax else h) / self.rate)

    def compute_penalty(self, relevance: Any) -> Any:
        """Return the added loss, a scalar, of a relevance of shape `(B, C)`."""
        missing = 1.0 - ops.sum(relevance, axis=0)
        form = {"squared": ops.square, "absolute": ops.abs, "signed": lambda x: x}[self.penalty]
        return self.penalty_weight * ops.sum(form(missing))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "normalization": self.normalization,
            "penalty": self.penalty,
            "penalty_weight": self.penalty_weight,
            "rate": self.rate,
        }


class _Clip(keras.constraints.Constraint):
    """Keep the stored weights in `[0, maximum]`, so that the relevance stays in `[0, 1]`."""

    def __init__(self, maximum: float) -> None:
        self.maximum = maximum

    def __call__(self, w: Any) -> Any:
        return ops.clip(w, 0.0, self.maximum)


def _check_shapes(input_shape: Any) -> list[tuple[int | None, ...]]:
    shapes = [tuple(shape) for shape in input_shape if isinstance(shape, list | tuple)]
    if not shapes or len(shapes) != len(input_shape):
        raise MscamError(
            "RelevanceCombine takes a list of logit tensors, one per scale. "
            f"Received: input_shape={input_shape}"
        )
    if any(len(shape) != 2 or shape[-1] != shapes[0][-1] for shape in shapes):
        raise MscamError(
            "All inputs of RelevanceCombine must have the same shape (batch, num_classes). "
            f"Received: input_shape={input_shape}"
        )
    return shapes
