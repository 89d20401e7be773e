"""Follow places from the image to a feature map: a map may only be drawn where the model looked.

Maps are stretched over the whole image. That is right as long as every layer between the image
and the feature map keeps the places in proportion, as windows with strides do.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.models.contrast import LocalContrast
from mscam_tf.models.graph import Cursor
from mscam_tf.models.places import SPOTS, measure_shifts
from mscam_tf.models.windows import WINDOWS, covers, list_windows

_GLOBAL_POOLS = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
_MERGES = (
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Multiply,
    keras.layers.Subtract,
)
_POINTWISE = (  # They leave every value at its place. All others are tried out.
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
    keras.layers.ReLU,
    keras.layers.Rescaling,
    keras.layers.SpatialDropout2D,
    LocalContrast,
)

# Rows and columns before and after the image: of padding, or negative where they are cut off.
_Margins = tuple[tuple[int, int], tuple[int, int]]
_NO_MARGINS: _Margins = ((0, 0), (0, 0))
_MOST_CELLS = 2  # That windows without padding may cut off: Inception's do, by one and a half.


@dataclass(frozen=True)
class _Places:
    """How the places in a tensor lie to those in the image, until a layer loses them.

    Attributes:
        margins: Padding or cropping that no window has taken up yet.
        maker: The layer that made them.
        starts: Centre of the first cell, in pixels of the image, by rows and by columns.
        steps: From one cell to the next, in pixels of the image.
        strays: How far layers that were tried out have moved each of a few places, in pixels of
            the image by rows and by columns: each of them hardly, but all together perhaps far.
        lost: Why places can be followed no more.
    """

    margins: _Margins = _NO_MARGINS
    maker: str = field(default="", compare=False)
    starts: tuple[float, float] = field(default=(0.0, 0.0), compare=False)
    steps: tuple[float, float] = field(default=(1.0, 1.0), compare=False)
    strays: np.ndarray = field(
        default_factory=lambda: np.zeros((len(SPOTS), 2)), compare=False, repr=False
    )
    lost: str = ""

    @property
    def shift(self) -> float:
        """How many cells a place lies from where a map would show it, at most."""
        pairs = zip(self.starts, self.steps, strict=True)
        first = max(abs(start - (step - 1) / 2) / step for start, step in pairs)
        return max(first, float((np.abs(self.strays) / self.steps).max()))

    def coarsen(self, middles: Iterable[float], factors: Iterable[float]) -> "_Places":
        """Return the places of larger cells: where in these the first one lies, and how large."""
        starts = zip(self.starts, self.steps, middles, strict=True)
        steps = zip(self.steps, factors, strict=True)
        rows, columns = (start + step * middle for start, step, middle in starts)
        row_step, column_step = (step * factor for step, factor in steps)
        return _Places(starts=(rows, columns), steps=(row_step, column_step), strays=self.strays)


def check_places(model: keras.Model, feature_maps: list[Any]) -> None:
    """Refuse a model whose maps, stretched over the image, would lie in a wrong place.

    Padding is right where the window of the next convolution or pooling takes it up. Layers that
    are not known are tried out on random numbers.

    Args:
        model: A classifier, for the message.
        feature_maps: The feature maps of its heads: symbolic tensors of its own graph.

    Raises:
        MscamError: If a layer between image and feature map crops, pads, transposes, flips or
            resizes to an aspect ratio, or if places cannot be followed through it.
    """
    known: dict[Any, _Places | None] = {}
    for feature_map in feature_maps:
        places = _follow(Cursor(feature_map), known)
        if places is None:
            raise _misplaced(model, "a feature map has no places of the image")
        if places.margins != _NO_MARGINS:
            places = _lose_margins(places)
        if places.shift > _MOST_CELLS:
            raise _misplaced(
                model,
                "windows without padding cut off, or small moves add up to, more than two cells of "
                "the map",
            )
        if places.lost:
            raise _misplaced(model, places.lost)


def _misplaced(model: keras.Model, reason: str) -> MscamError:
    return MscamError(
        "The maps of this model would lie in a wrong place of the image, because places are lost "
        f"within the model: {reason}. Crop, pad or turn the images before they go into the model. "
        f"Received: model={model.name!r}"
    )


def _follow(target: Cursor, known: dict[Any, _Places | None]) -> _Places | None:
    """Return the places at a cursor; `None` where there are none: vectors, global means."""
    pending = [target]  # A stack, no recursion: backbones are hundreds of layers deep.
    while pending:
        cursor = pending[-1]
        before = [] if cursor.key in known else cursor.inputs()
        missing = [x for x in before if x.key not in known]
        if missing:
            pending += missing
            continue
        if cursor.key not in known:
            known[cursor.key] = _pass_layer(cursor, [known[x.key] for x in before])
        pending.pop()
    return known[target.key]


def _pass_layer(cursor: Cursor, before: list[_Places | None]) -> _Places | None:
    layer = cursor.layer
    if isinstance(layer, keras.layers.InputLayer):
        is_image = len(layer.output.shape) == 4
        return before[0] if before else (_Places() if is_image else None)
    places = [x for x in before if x is not None]
    if not places or isinstance(layer, _GLOBAL_POOLS):
        return None
    lost = [x for x in places if x.lost]
    if lost:
        return lost[0]
    if len(set(places)) > 1:
        return _lose(layer, "joins tensors that are padded or cropped unlike each other")
    return _move(cursor, before, max(places, key=lambda each: each.shift))


def _move(cursor: Cursor, before: list[_Places | None], places: _Places) -> _Places:
    layer = cursor.layer
    if getattr(layer, "data_format", None) == "channels_first":
        return _lose(layer, "works on channels_first data")
    if isinstance(layer, _POINTWISE):
        return places
    if isinstance(layer, keras.layers.Concatenate) and layer.axis in (-1, 3):
        return places
    if isinstance(layer, keras.layers.ZeroPadding2D):
        return _add_margins(places, layer, layer.padding, 1)
    if isinstance(layer, keras.layers.Cropping2D):
        return _add_margins(places, layer, layer.cropping, -1)
    if isinstance(layer, WINDOWS):
        return _take_up(layer, places)
    if places.margins != _NO_MARGINS:
        return _lose_margins(places)
    shifts = measure_shifts(cursor, [x is not None for x in before])
    if shifts is not None:
        return _resize(cursor, places, shifts)
    return _lose(layer, "moves them, or cannot be followed")


def _add_margins(places: _Places, layer: Any, change: Any, sign: int) -> _Places:
    pairs = zip(places.margins, change, strict=True)
    rows, columns = ((a + sign * c, b + sign * d) for (a, b), (c, d) in pairs)
    return replace(places, margins=(rows, columns), maker=_describe(layer))


def _take_up(layer: Any, places: _Places) -> _Places:
    """Take up margins in a window, which covers as much beside the image as is padded there.

    Padding on one side that is cut off on the other shifts by less than a stride, which is within
    a cell of the feature map: NASNet does so.
    """
    windows = list_windows(layer)
    pairs = zip(places.margins, windows, strict=True)
    if not all(covers(margin, *window) for margin, window in pairs):
        return _lose_margins(places)
    # Windows that pad for themselves lie around the middle of their cell.
    middles = [reach / 2 if reach else (stride - 1) / 2 for reach, stride in windows]
    padded = zip(middles, places.margins, strict=True)
    return places.coarsen(
        [middle - before for middle, (before, _) in padded], [stride for _, stride in windows]
    )


def _resize(cursor: Cursor, places: _Places, shifts: np.ndarray) -> _Places:
    """Cells of a layer that keeps places lie as those before it, only larger or smaller."""
    (given, *_), made = cursor.step()
    ratios = [
        before / after if before and after else 1.0
        for before, after in zip(given.shape[1:3], made.shape[1:3], strict=True)
    ]
    larger = places.coarsen([(ratio - 1) / 2 for ratio in ratios], ratios)
    return replace(larger, strays=larger.strays + shifts * larger.steps)


def _lose(layer: Any, reason: str) -> _Places:
    return _Places(lost=f"{_describe(layer)} {reason}")


def _lose_margins(places: _Places) -> _Places:
    return _Places(lost=f"{places.maker} pads or crops, and no window after it takes that up")


def _describe(layer: Any) -> str:
    return f"{type(layer).__name__} {layer.name!r}"
