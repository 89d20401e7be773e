"""Try out on random numbers whether a layer keeps places, whatever it is made of."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.models.graph import Cursor

# Sides where a graph leaves them open, unlike each other: of feature maps, and of images, which a
# whole backbone may shrink 32 times.
_SIDES, _IMAGE_SIDES, _IMAGE_CHANNELS = (32, 48), (224, 288), 4
_SPOTS = ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25))  # Without symmetry: no turn goes unnoticed.
_BRIGHT = (0.75, 0.75)  # A spot that does not change.
_SPOT_SIDE = 8  # So many in a side of the image.
_CHANGE = 3.0
_NEAR, _NEAR_SHARE = 1.0, 0.005  # Cells, and share of the side, by which a spot may be off.


def keeps_places(cursor: Cursor, placed: Sequence[bool]) -> bool:
    """Return whether a change at a place of its inputs shows at the same place of its output.

    Args:
        cursor: At the output of a layer, or of an operation of `keras.ops`.
        placed: For each of its inputs, whether it has places of the image.

    Returns:
        Whether it does, in proportion to the sides; `False` also where it cannot be tried.
    """
    tensors, output = cursor.step()
    if len(output.shape) != 4:
        return False
    generator = np.random.default_rng(0)
    try:
        values = [_vary(x, generator, p) for x, p in zip(tensors, placed, strict=True)]
        result = keras.Model(tensors, output)(values, training=False)
        shown = ops.convert_to_numpy(ops.cast(result, "float32"))
    except Exception:  # What is not known may raise anything.
        return False
    differences = np.abs(shown[1:] - shown[0]).max(-1)
    return all(map(_shows, differences, _SPOTS))


def _vary(tensor: Any, generator: np.random.Generator, is_placed: bool) -> Any:
    """Return random numbers, then the same once for each spot with a change in this spot."""
    usual = _IMAGE_SIDES if tensor.shape[-1] <= _IMAGE_CHANNELS else _SIDES
    sides = [side or other for side, other in zip(tensor.shape[1:3], usual, strict=False)]
    one = generator.random((*sides, *tensor.shape[3:]), np.float32)
    if is_placed:  # So that layers which scale by the brightest pixel change nothing elsewhere.
        one[_cut(_BRIGHT[0], sides[0]), _cut(_BRIGHT[1], sides[1])] += _CHANGE
    values = np.stack([one] * (1 + len(_SPOTS)))
    if is_placed:
        for value, spot in zip(values[1:], _SPOTS, strict=True):
            value[_cut(spot[0], sides[0]), _cut(spot[1], sides[1])] += _CHANGE
    return ops.cast(ops.convert_to_tensor(values), tensor.dtype)


def _cut(share: float, side: int) -> slice:
    half = max(side / _SPOT_SIDE / 2, 0.5)
    return slice(math.floor(share * side - half), math.ceil(share * side + half))


def _shows(difference: np.ndarray, spot: tuple[float, float]) -> bool:
    """Return whether the strong differences `(height, width)` lie around a spot."""
    if difference.size == 1 or not difference.max() > 0:
        return False
    places = np.nonzero(difference > difference.max() / 2)
    for cells, share, side in zip(places, spot, difference.shape, strict=True):
        middle = (cells.min() + cells.max()) / 2
        if abs(middle - (share * side - 0.5)) > _NEAR + _NEAR_SHARE * side:
            return False
    return True
