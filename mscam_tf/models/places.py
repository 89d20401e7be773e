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
SPOTS = ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25))  # Without symmetry: no turn goes unnoticed.
_BRIGHT = (0.75, 0.75)  # A spot that does not change.
_SPOT_SIDE = 8  # So many in a side of the image.
_CHANGE = 3.0
_NEAR, _NEAR_SHARE = 1.0, 0.005  # Cells, and share of the side, by which a spot may be off.


def measure_shifts(cursor: Cursor, placed: Sequence[bool]) -> np.ndarray | None:
    """Measure how far a change at places of its inputs lies from the same places of its output.

    Args:
        cursor: At the output of a layer, or of an operation of `keras.ops`.
        placed: For each of its inputs, whether it has places of the image.

    Returns:
        By how many cells of the output each of a few places is off, by rows and by columns,
        `(n, 2)`; `None` if one is off by more than a cell, or where it cannot be tried.
    """
    tensors, output = cursor.step()
    if len(output.shape) != 4:
        return None
    generator = np.random.default_rng(0)
    try:
        values = [_vary(x, generator, p) for x, p in zip(tensors, placed, strict=True)]
        result = keras.Model(tensors, output)(values, training=False)
        shown = ops.convert_to_numpy(ops.cast(result, "float32"))
    except Exception:  # What is not known may raise anything.
        return None
    differences = np.abs(shown[1:] - shown[0]).max(-1)
    if not all(map(_shows, differences, SPOTS)):
        return None
    sides = values[list(placed).index(True)].shape[1:3]
    return np.array([_locate(*pair, sides) for pair in zip(differences, SPOTS, strict=True)])


def _locate(
    difference: np.ndarray, spot: tuple[float, float], sides: Sequence[int]
) -> tuple[float, float]:
    """Return how far the middle of the strong differences is off, in cells by rows and columns."""
    strong = np.where(difference > difference.max() / 2, difference, 0)
    rows, columns = (
        _find_middle(strong.sum(1 - axis)) - _find_expected(share, side, strong.shape[axis])
        for axis, (share, side) in enumerate(zip(spot, sides, strict=True))
    )
    return rows, columns


def _find_middle(weights: np.ndarray) -> float:
    return float(weights @ np.arange(len(weights)) / weights.sum())


def _find_expected(share: float, side: int, cells: int) -> float:
    cut = _cut(share, side)
    return (cut.start + cut.stop) / 2 * cells / side - 0.5


def _vary(tensor: Any, generator: np.random.Generator, is_placed: bool) -> Any:
    """Return random numbers, then the same once for each spot with a change in this spot."""
    usual = _IMAGE_SIDES if tensor.shape[-1] <= _IMAGE_CHANNELS else _SIDES
    sides = [side or other for side, other in zip(tensor.shape[1:3], usual, strict=False)]
    one = generator.random((*sides, *tensor.shape[3:]), np.float32)
    if is_placed:  # So that layers which scale by the brightest pixel change nothing elsewhere.
        one[_cut(_BRIGHT[0], sides[0]), _cut(_BRIGHT[1], sides[1])] += _CHANGE
    values = np.stack([one] * (1 + len(SPOTS)))
    if is_placed:
        for value, spot in zip(values[1:], SPOTS, strict=True):
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
