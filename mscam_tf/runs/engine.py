"""What makes maps of images: Keras here; a runtime for exported models can stand in its place."""

from typing import Any, Protocol

import keras
import numpy as np

from mscam_tf.fused_norms import fuse_norms
from mscam_tf.models import average_flips, build_explainer, read_relevance


class Engine(Protocol):
    """Images in, and out what the explainer says of them."""

    @property
    def relevance(self) -> np.ndarray:
        """The relevance of each scale for each class, `(B, C)`."""

    def explain(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs of `mscam_tf.build_explainer` for images `(n, H, W, 1)`."""


class KerasEngine:
    """A classifier in Keras, with its explainer.

    Args:
        model: The classifier.
        activation: What makes probabilities of its logits, `"softmax"` or `"sigmoid"`.
        scale_maps: Whether to return the maps of each scale too, and what each of its cells adds.
        flips: Whether to average over each image's four mirror images.
    """

    def __init__(
        self, model: keras.Model, activation: str, *, scale_maps: bool = True, flips: bool = False
    ) -> None:
        explainer = build_explainer(
            model, scale_maps=scale_maps, activation=activation, cell_contributions=scale_maps
        )
        self.relevance = read_relevance(model, model.output_shape[-1])
        self._explainer = average_flips(explainer) if flips else explainer
        self._batch_size = 0

    def explain(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs of the explainer for images `(n, H, W, 1)`, float32 in `[0, 1]`."""
        count = len(images)
        if count > self._batch_size:
            self._batch_size = count
            with fuse_norms(self._explainer):  # The first call at a size traces the model.
                return self._predict(images)
        # Another size would have the model traced again, which takes longer than it runs: a
        # smaller batch, such as the last one, is filled up.
        filled = np.resize(images, (self._batch_size, *images.shape[1:]))
        return {name: values[:count] for name, values in self._predict(filled).items()}

    def _predict(self, images: np.ndarray) -> dict[str, np.ndarray]:
        outputs: dict[str, Any] = self._explainer.predict_on_batch(images)
        return {name: np.asarray(values) for name, values in outputs.items()}
