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


def measure_shifts(
    cursor: Cursor, placed: Sequence[bool], axes: tuple[int, int] = (1, 2)
) -> tuple[float, float] | None:
    """Measure how far a change at places of its inputs lies from the same places of its output.

    Args:
        cursor: At the output of a layer, or of an operation of `keras.ops`.
        placed: For each of its inputs, whether it has places of the image.
        axes: Those of inputs and output that are rows and columns.

    Returns:
        By how many cells of the output a few places are off at most, by rows and by columns;
        `None` if one is off by more than a cell, or where it cannot be tried.
    """
    tensors, output = cursor.step()
    if len(output.shape) != 4:
        return None
    generator = np.random.default_rng(0)
    try:
        values = [_vary(x, generator, p, axes) for x, p in zip(tensors, placed, strict=True)]
        result = keras.Model(tensors, output)(values, training=False)
        shown = ops.convert_to_numpy(ops.cast(result, "float32"))
    except Exception:  # What is not known may raise anything.
        return None
    differences = np.moveaxis(np.abs(shown[1:] - shown[0]), axes, (1, 2)).max(-1)
    if not all(map(_shows, differences, _SPOTS)):
        return None
    shape = values[list(placed).index(True)].shape
    sides = [shape[axis] for axis in axes]
    shifts = [_locate(*pair, sides) for pair in zip(differences, _SPOTS, strict=True)]
    rows, columns = np.abs(shifts).max(0)
    return float(rows), float(columns)


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


def _vary(
    tensor: Any, generator: np.random.Generator, is_placed: bool, axes: tuple[int, int]
) -> Any:
    """Return random numbers, then the same once for each spot with a change in this spot."""
    axes_of_all = list(range(1, len(tensor.shape)))
    order = sorted(axes_of_all, key=[*axes, *axes_of_all].index)  # Rows and columns come first.
    shape = [tensor.shape[axis] for axis in order]
    usual = _IMAGE_SIDES if shape[-1] <= _IMAGE_CHANNELS else _SIDES
    sides = [side or other for side, other in zip(shape[:2], usual, strict=False)]
    one = generator.random((*sides, *shape[2:]), np.float32)
    if is_placed:  # So that layers which scale by the brightest pixel change nothing elsewhere.
        one[_cut(_BRIGHT[0], sides[0]), _cut(_BRIGHT[1], sides[1])] += _CHANGE
    values = np.stack([one] * (1 + len(_SPOTS)))
    if is_placed:
        for value, spot in zip(values[1:], _SPOTS, strict=True):
            value[_cut(spot[0], sides[0]), _cut(spot[1], sides[1])] += _CHANGE
    values = np.moveaxis(values, axes_of_all, order)
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
