"""What layers of Keras that resize to an aspect ratio, or crop the middle, do to places."""

from typing import Any

from mscam_tf.models.axes import Axis, Carry, Places, take_larger, take_smaller


def resize(layer: Any) -> Carry:
    """Follow places through a `Resizing`, which first crops or pads to its aspect ratio."""

    def carry(places: Places) -> Places:
        if layer.crop_to_aspect_ratio:
            places = _cut_to_aspect(layer, places)
        elif layer.pad_to_aspect_ratio:
            places = _pad_to_aspect(layer, places)
        return places[0].resize(layer.height), places[1].resize(layer.width)

    return carry


def crop_center(layer: Any) -> Carry:
    """Follow places through a `CenterCrop`."""

    def carry(places: Places) -> Places:
        extras = [places[0].side - layer.height, places[1].side - layer.width]
        if any(isinstance(extra, int) and extra < 0 for extra in extras):  # Keras resizes then.
            rows, columns = _cut_to_aspect(layer, places)
            return rows.resize(layer.height), columns.resize(layer.width)
        return _cut_middle(places[0], extras[0]), _cut_middle(places[1], extras[1])

    return carry


def _fit_aspect(layer: Any, places: Places) -> tuple[Any, Any]:
    """Return the height that goes with the width there is, and the width with the height."""
    height, width = (axis.side for axis in places)
    return width * layer.height // layer.width, height * layer.width // layer.height


def _cut_to_aspect(layer: Any, places: Places) -> Places:
    pairs = zip(places, _fit_aspect(layer, places), strict=True)
    rows, columns = (
        _cut_middle(axis, axis.side - take_larger(take_smaller(axis.side, side), 1))
        for axis, side in pairs
    )
    return rows, columns


def _pad_to_aspect(layer: Any, places: Places) -> Places:
    pairs = zip(places, _fit_aspect(layer, places), strict=True)
    rows, columns = (
        _surround(axis, (take_larger(axis.side, side) - axis.side) // 2) for axis, side in pairs
    )
    return rows, columns


def _cut_middle(axis: Axis, cells: Any) -> Axis:
    before = cells // 2
    return axis.extend(-before, before - cells)


def _surround(axis: Axis, cells: Any) -> Axis:
    return axis.extend(cells, cells)
