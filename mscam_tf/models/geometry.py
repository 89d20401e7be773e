"""Follow places from the image to a feature map: a map is drawn where the model looked.

A map is stretched over the whole image where its cells lie evenly over it, as they do behind
windows with strides. Behind crops, paddings, flips and the like, each cell has a place of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from mscam_tf.errors import MscamError
from mscam_tf.models.axes import Axis, Carry, LostError, Places, join_axes, spread_axis
from mscam_tf.models.graph import Cursor, describe
from mscam_tf.models.moves import find_carry, trace_axes

_GLOBAL_POOLS = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
_MOST_CELLS = 2  # That windows without padding may cut off: Inception's do, by one and a half.
_MOST_DOUBT = 1  # Cells of a map by which places may be unsure where they are not spread.
_PROBE = (1021, 1301)  # Sides of images, where a model takes any: of no usual aspect ratio.


@dataclass(frozen=True)
class _Step:
    """How places at one tensor follow from those at others; the image itself has none before."""

    before: tuple[int, ...]
    layer: str
    carry: Carry | None
    axes: tuple[int, int]


class Geometry:
    """Where the cells of a classifier's feature maps lie in its images.

    Padding is taken up by the window of the next convolution or pooling. Layers that are not known
    are tried out on random numbers.

    Args:
        model: A classifier, for the messages.
        image: Its input, `(batch, height, width, channels)`, or with the channels first.
        feature_maps: The feature maps of its heads, `(batch, H_b, W_b, K_b)`: symbolic tensors of
            its own graph.

    Attributes:
        is_plain: Whether the cells of all feature maps lie evenly over the whole image.
        axes: The axes of the image that are its rows and its columns.

    Raises:
        MscamError: If places cannot be followed through a layer, which is named.
    """

    def __init__(self, model: keras.Model, image: Any, feature_maps: Sequence[Any]) -> None:
        self._model = model.name
        self._steps: list[_Step] = []
        self._known: dict[Any, int | str | None] = {}
        self._ends = [self._follow(Cursor(each)) for each in feature_maps]
        self._found = self._walk(
            [side or _PROBE[axis % 2] for axis, side in enumerate(image.shape)]
        )
        self._spread = [self._is_spread(places) for places in self._found]
        self.axes = self._find_axes()
        self.is_plain = all(self._spread) and not any(map(_is_turned, self._found))
        self._check_sides(image, feature_maps)

    def turn(self, maps: Sequence[Any]) -> list[Any]:
        """Turn maps `(batch, H_b, W_b, C)` of all feature maps as the image is."""
        pairs = zip(maps, self._found, strict=True)
        return [_turn(each, places) for each, places in pairs]

    def locate(self, image: Any, sides: Sequence[tuple[Any, Any]]) -> list[Places]:
        """Return where the cells of each turned map lie: its rows, and its columns.

        Args:
            image: The shape of the images; integers or scalar tensors.
            sides: How many rows and columns each map has.
        """
        known = zip(self._walk(image), self._spread, sides, strict=True)
        return [
            self._spread_evenly(image, cells) if is_spread else _order(places)
            for places, is_spread, cells in known
        ]

    def _spread_evenly(self, image: Any, cells: tuple[Any, Any]) -> Places:
        rows, columns = (
            spread_axis(axis, side, image[axis])
            for axis, side in zip(self.axes, cells, strict=True)
        )
        return rows, columns

    def _find_axes(self) -> tuple[int, int]:
        """Return which axes of the image are its rows and its columns."""
        found = {(rows.source, columns.source) for rows, columns in map(_order, self._found)}
        rows, columns = found.pop()
        if found or rows == columns:
            raise self._refuse("its feature maps have rows or columns that are not the image's")
        return rows, columns

    def _check_sides(self, image: Any, feature_maps: Sequence[Any]) -> None:
        """What is known of the layers must come to as many cells as there are."""
        for places, feature_map in zip(self._found, feature_maps, strict=True):
            counted = tuple(axis.side for axis in places)
            if (
                not self.is_plain
                and None not in image.shape[1:]
                and counted != feature_map.shape[1:3]
            ):
                raise self._refuse(
                    f"its layers come to {counted} cells, and it has {feature_map.shape[1:3]}"
                )

    def _walk(self, shape: Any) -> list[Places]:
        """Carry places along all steps, for images of a shape."""
        known: list[Places] = []
        for step in self._steps:
            if not step.before:
                rows, columns = (Axis(axis, shape[axis]) for axis in step.axes)
                known.append((rows, columns))
                continue
            pairs = zip(*(known[number] for number in step.before), strict=True)
            try:
                rows, columns = (join_axes(pair, step.layer) for pair in pairs)
            except LostError as error:
                raise self._refuse(str(error)) from None
            known.append(step.carry((rows, columns)) if step.carry else (rows, columns))
        return [known[end] for end in self._ends]

    def _is_spread(self, places: Places) -> bool:
        """Whether cells lie evenly over the image; windows may cut off a little of it."""
        near = all(axis.is_spread and axis.shift <= _MOST_CELLS for axis in places)
        if near and not _is_turned(places):
            return True
        for axis in places:
            if axis.doubt > _MOST_DOUBT * axis.step:
                raise self._refuse(
                    f"small moves add up to more than a cell of the map, the last in {axis.suspect}"
                )
        return False

    def _refuse(self, reason: str) -> MscamError:
        return MscamError(
            "The maps of this model would lie in a wrong place of the image, because places are "
            f"lost within the model: {reason}. Do that to the images before they go into the "
            "model, or by a layer of Keras that crops, pads, resizes, permutes or flips. "
            f"Received: model={self._model!r}"
        )

    def _follow(self, target: Cursor) -> int:
        """Take down the steps to a feature map, and return the number of the last."""
        pending = [
            (target, (1, 2))
        ]  # A stack, no recursion: backbones are hundreds of layers deep.
        while pending:
            cursor, axes = pending[-1]
            key = (cursor.key, axes)
            before = [] if key in self._known else cursor.inputs()
            inner = trace_axes(cursor, axes)
            missing = [(x, inner) for x in before if (x.key, inner) not in self._known]
            if missing:
                pending += missing
                continue
            if key not in self._known:
                found = [self._known[x.key, inner] for x in before]
                self._known[key] = self._pass_layer(cursor, axes, found)
            pending.pop()
        end = self._known[target.key, (1, 2)]
        if not isinstance(end, int):
            raise self._refuse(end or "a feature map has no places of the image")
        return end

    def _pass_layer(
        self, cursor: Cursor, axes: tuple[int, int], before: list[int | str | None]
    ) -> int | str | None:
        """Return the number of the step, why places are lost, or `None` if there are none."""
        layer = cursor.layer
        if isinstance(layer, keras.layers.InputLayer):
            is_image = len(layer.output.shape) == 4
            return before[0] if before else (self._add((), layer, None, axes) if is_image else None)
        lost = [x for x in before if isinstance(x, str)]
        numbers = tuple(dict.fromkeys(x for x in before if isinstance(x, int)))
        if isinstance(layer, _GLOBAL_POOLS) or not (lost or numbers):
            return None
        if lost:
            return lost[0]
        try:
            carry = find_carry(cursor, axes, [x is not None for x in before])
        except LostError as error:
            return str(error)
        if carry is None and len(numbers) == 1:
            return numbers[0]
        return self._add(numbers, layer, carry, axes)

    def _add(
        self, before: tuple[int, ...], layer: Any, carry: Carry | None, axes: tuple[int, int]
    ) -> int:
        self._steps.append(_Step(before, describe(layer), carry, axes))
        return len(self._steps) - 1


def _is_turned(places: Places) -> bool:
    return places[0].source > places[1].source or any(axis.mirrored for axis in places)


def _order(places: Places) -> Places:
    return places if places[0].source < places[1].source else places[::-1]


def _turn(maps: Any, places: Places) -> Any:
    mirrored = [number for number, axis in enumerate(places, start=1) if axis.mirrored]
    maps = ops.flip(maps, mirrored) if mirrored else maps
    return maps if places == _order(places) else ops.transpose(maps, (0, 2, 1, 3))
