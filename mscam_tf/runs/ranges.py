"""The range of maps, in logits, that pictures tell apart."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from mscam_tf.errors import RunError

if TYPE_CHECKING:
    import keras

PERCENTILES = (1.0, 99.5)
_VALUES = 2**16  # Of the maps of each image: enough for percentiles, and little memory.


def fit_range(explainer: "keras.Model", batches: Iterable[Any]) -> tuple[float, float]:
    """Return the percentiles 1 and 99.5 of the maps of some images, which are made batch by batch.

    Of each image 65,536 values are kept, drawn evenly with a fixed seed. Of smaller maps that is
    every one; of others the percentiles are those of all values within about 0.1 (so that the 99.5
    is at most the 99.6 and at least the 99.4).

    Args:
        explainer: From `mscam_tf.build_explainer`.
        batches: Images, `(n, H, W, channels)`.

    Raises:
        RunError: If the maps hold what is no number.
    """
    generator = np.random.default_rng(0)
    kept = []
    for images in batches:
        maps = np.asarray(explainer.predict_on_batch(images)["maps"])
        if not np.isfinite(maps).all():
            count = np.sum(~np.isfinite(maps))
            raise RunError(f"The maps must be numbers. Received: {count} values that are none")
        kept += [_draw(values.ravel(), generator) for values in maps]
    low, high = np.percentile(np.concatenate(kept), PERCENTILES)
    return float(low), float(high)


def _draw(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if len(values) <= _VALUES:
        return values
    return values[generator.integers(len(values), size=_VALUES)]
