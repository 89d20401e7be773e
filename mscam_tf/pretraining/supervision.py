"""Supervise maps with masks: what each scale's map should say, and how far it is from it."""

from typing import Any

import keras
import numpy as np
from keras import ops

_POSITIVE_WEIGHT = 4.0  # Objects cover few cells: each counts as much as four empty ones.


def name_maps(scales: int) -> list[str]:
    """Return the outputs of an explainer that are supervised: the sum, and each scale."""
    return ["maps", *(f"scale{number}_maps" for number in range(1, scales + 1))]


def make_map_targets(coverage: Any, scales: int) -> dict[str, np.ndarray]:
    """Return what each map should say: the root of the covered share, on each scale's grid.

    The sides of the cells double from one scale to the next.

    The root lifts small objects, and still tells a cell with an object in it from a cell that is
    only touched.

    Examples:
        >>> import numpy as np
        >>> coverage = np.zeros((1, 4, 4, 1)); coverage[0, 0, 1] = 0.25
        >>> targets = make_map_targets(coverage, scales=3)
        >>> targets["scale1_maps"][0, 0, 1].item(), targets["scale2_maps"][0, 0, 0].item()
        (0.5, 0.25)
        >>> targets["scale3_maps"].shape
        (1, 1, 1, 1)
    """
    batch, height, width, classes = coverage.shape
    targets = {"maps": np.sqrt(coverage)}
    for scale in range(scales):
        side = 2**scale
        cells = coverage.reshape(batch, height // side, side, width // side, side, classes)
        targets[f"scale{scale + 1}_maps"] = np.sqrt(cells.mean((2, 4)))
    return targets


@keras.saving.register_keras_serializable(package="mscam_tf")
class MapCalibration(keras.layers.Layer):
    """`g M + o` for each class, in float32: what a map says in log-odds; for training only."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        options: dict[str, Any] = {"shape": shape, "dtype": "float32", "autocast": False}
        self.gain = self.add_weight(initializer="ones", name="gain", **options)
        start = keras.initializers.Constant(-3.0)
        self.offset = self.add_weight(initializer=start, name="offset", **options)

    def call(self, inputs: Any) -> Any:
        maps = ops.cast(inputs, "float32")
        return ops.softplus(ops.convert_to_tensor(self.gain)) * maps + self.offset


def weighted_cross_entropy(target: Any, logits: Any) -> Any:
    """Return the mean cross entropy of cells, `(batch,)`, objects weighted four times."""
    positive = _POSITIVE_WEIGHT * target * ops.softplus(-logits)
    return ops.mean(positive + (1 - target) * ops.softplus(logits), axis=(1, 2, 3))
