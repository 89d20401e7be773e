"""What operations of `keras.ops` do to places: flips, paddings and slices."""

from collections.abc import Callable
from typing import Any

from mscam_tf.models.axes import Axis, Carry, LostError, take_larger
from mscam_tf.models.graph import Cursor, describe
from mscam_tf.models.windows import Window

_ALL = slice(None)


def _flip(cursor: Cursor, axes: tuple[int, int]) -> Carry:
    flipped = cursor.layer.axis
    numbers = (flipped,) if isinstance(flipped, int) else tuple(flipped or range(4))
    turned = {number % 4 for number in numbers}
    if 0 in turned:
        raise LostError(f"{describe(cursor.layer)} flips the batch")
    rows, columns = (axis in turned for axis in axes)

    def turn(axis: Axis, is_turned: bool) -> Axis:
        return axis.mirror() if is_turned else axis

    return lambda places: (turn(places[0], rows), turn(places[1], columns))


def _pad(cursor: Cursor, axes: tuple[int, int]) -> Carry:
    widths = list(cursor.layer.pad_width)
    rows, columns = (widths[axis if len(widths) > 1 else 0] for axis in axes)
    return lambda places: (places[0].pad(*rows), places[1].pad(*columns))


def _slice(cursor: Cursor, axes: tuple[int, int]) -> Carry:
    key = cursor.arguments[1]
    parts = _expand(key if isinstance(key, tuple | list) else (key,))
    known = len(parts) == 4 and all(isinstance(part, slice) for part in parts)
    if not known or parts[0] != _ALL or not all(_is_followed(parts[axis]) for axis in axes):
        raise LostError(f"{describe(cursor.layer)} takes out what cannot be followed")
    rows, columns = (parts[axis] for axis in axes)
    return lambda places: (_take(places[0], rows), _take(places[1], columns))


def _expand(key: Any) -> tuple[Any, ...]:
    """Return a key with a part for each of four axes."""
    parts = tuple(key)
    if Ellipsis not in parts:
        parts = (*parts, Ellipsis)
    place = parts.index(Ellipsis)
    return (*parts[:place], *(_ALL,) * (5 - len(parts)), *parts[place + 1 :])


def _is_followed(part: slice) -> bool:
    return (part.step or 1) > 0 or (part.start is None and part.stop is None)


def _take(axis: Axis, part: slice) -> Axis:
    start, stop, step = part.start or 0, part.stop, part.step or 1
    before = start if start >= 0 else take_larger(axis.side + start, 0)
    after = 0
    if stop is not None:
        after = -stop if stop < 0 else take_larger(axis.side - stop, 0)
    taken = axis.extend(-before, -after)
    if step < 0:
        taken = taken.mirror()
    return taken.slide(Window(1, abs(step), pads=False)) if abs(step) > 1 else taken


OPERATIONS: dict[str, Callable[[Cursor, tuple[int, int]], Carry]] = {
    "Flip": _flip,
    "Pad": _pad,
    "GetItem": _slice,
}
