"""What each layer does to places: those of Keras are known, all others are tried out."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import keras

from mscam_tf.errors import MscamError
from mscam_tf.models.aspects import crop_center, resize
from mscam_tf.models.axes import Axis, Carry, LostError, Places
from mscam_tf.models.contrast import LocalContrast
from mscam_tf.models.graph import Cursor, describe
from mscam_tf.models.operations import OPERATIONS
from mscam_tf.models.places import measure_shifts
from mscam_tf.models.windows import WINDOWS, list_windows

_PROBE = (1021, 1301)  # What keeps these sides keeps all: no layer resizes images to them.
_MERGES = (
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Multiply,
    keras.layers.Subtract,
)
_POINTWISE = (  # They leave every value at its place.
    *_MERGES,
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.GroupNormalization,
    keras.layers.Identity,
    keras.layers.LayerNormalization,
    keras.layers.LeakyReLU,
    keras.layers.Normalization,
    keras.layers.PReLU,
    keras.layers.RandomCrop,  # It waits for training, but says that its output has another size.
    keras.layers.ReLU,
    keras.layers.Rescaling,
    keras.layers.SpatialDropout2D,
    LocalContrast,
)


def trace_axes(cursor: Cursor, axes: tuple[int, int]) -> tuple[int, int]:
    """Return which axes of a layer's input become two axes of its output."""
    order = None
    if isinstance(cursor.layer, keras.layers.Permute):
        order = (0, *cursor.layer.dims)
    elif cursor.operation == "Transpose" and cursor.layer.axes is not None:
        order = tuple(cursor.layer.axes)
    if order is None or len(order) != 4 or order[0] != 0:
        return axes
    return order[axes[0]] % 4, order[axes[1]] % 4


def find_carry(cursor: Cursor, axes: tuple[int, int], placed: Sequence[bool]) -> Carry | None:
    """Find what a layer does to places.

    Args:
        cursor: At its output.
        axes: Those of its output that become rows and columns of the maps.
        placed: For each of its inputs, whether it has places of the image.

    Returns:
        What makes of the places before the layer those after it; `None` if it leaves them.

    Raises:
        LostError: If that is not known.
    """
    layer = cursor.layer
    if isinstance(layer, _POINTWISE) or trace_axes(cursor, axes) != axes:
        return None
    if isinstance(layer, keras.layers.Concatenate) and layer.axis % 4 not in (0, *axes):
        return None
    for kinds, make in _LAYERS.items():
        if isinstance(layer, kinds):
            return _order(make(layer), layer, axes)
    if cursor.operation in OPERATIONS:
        return OPERATIONS[cursor.operation](cursor, axes)
    return _try_out(cursor, axes, placed)


def _order(carry: Carry, layer: Any, axes: tuple[int, int]) -> Carry:
    """Give a layer rows and columns in its own order."""
    first = 2 if layer.data_format == "channels_first" else 1
    if sorted(axes) != [first, first + 1]:
        raise LostError(f"{describe(layer)} takes other axes of the image for rows and columns")
    return carry if axes[0] < axes[1] else lambda places: carry(places[::-1])[::-1]


def _slide(layer: Any) -> Carry:
    rows, columns = list_windows(layer)
    return lambda places: (places[0].slide(rows), places[1].slide(columns))


def _pad(layer: Any) -> Carry:
    rows, columns = layer.padding
    return lambda places: (places[0].pad(*rows), places[1].pad(*columns))


def _crop(layer: Any) -> Carry:
    (top, bottom), (left, right) = layer.cropping
    return lambda places: (places[0].pad(-top, -bottom), places[1].pad(-left, -right))


_LAYERS: dict[Any, Callable[[Any], Carry]] = {
    WINDOWS: _slide,
    keras.layers.ZeroPadding2D: _pad,
    keras.layers.Cropping2D: _crop,
    keras.layers.Resizing: resize,
    keras.layers.CenterCrop: crop_center,
}


def _try_out(cursor: Cursor, axes: tuple[int, int], placed: Sequence[bool]) -> Carry:
    """A layer that keeps places lays its cells over the same part of the image."""
    shifts = measure_shifts(cursor, placed, axes)
    if shifts is None:
        raise LostError(f"{describe(cursor.layer)} moves them, or cannot be followed")
    find_sides = _watch_sides(cursor, axes, placed)

    def carry(places: Places) -> Places:
        sides = find_sides(places[0].side, places[1].side)
        rows, columns = (
            _stretch(*each, cursor) for each in zip(places, sides, shifts, strict=True)
        )
        return rows, columns

    return carry


def _stretch(axis: Axis, side: Any, shift: float, cursor: Cursor) -> Axis:
    resized = axis.resize(side)
    return resized.question(resized.step * shift, describe(cursor.layer))


def _watch_sides(
    cursor: Cursor, axes: tuple[int, int], placed: Sequence[bool]
) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return what says how many cells a layer makes of so many: Keras knows it for numbers."""
    tensors, made = cursor.step()

    @cache
    def find_sides(rows: int, columns: int) -> tuple[int, int]:
        shapes = [list(x.shape) for x in tensors]
        for shape in (x for x, is_placed in zip(shapes, placed, strict=True) if is_placed):
            shape[0], shape[axes[0]], shape[axes[1]] = 1, rows, columns
        part = keras.Model(tensors, made)
        found = part.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
        return found[axes[0]], found[axes[1]]

    def find(rows: Any, columns: Any) -> tuple[Any, Any]:
        if isinstance(rows, int) and isinstance(columns, int):
            return find_sides(rows, columns)
        if find_sides(*_PROBE) == _PROBE:
            return rows, columns
        raise MscamError(
            f"The maps of images of any size cannot be put in their place behind "
            f"{describe(cursor.layer)}: it is not known how it changes their size. Build the model "
            "for images of one size."
        )

    return find
