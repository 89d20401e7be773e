"""Resize the maps of all scales to one size, or sample them where they lie, and add them."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from mscam_tf.models.axes import Axis, Places, as_real, take_smaller

_Matrices = tuple[Any, Any]  # That interpolate rows and columns: (height, h_b) and (width, w_b).


def resize_and_sum(maps: list[Any], size: tuple[Any, Any]) -> Any:
    """Resize maps `(batch, h_b, w_b, C)` bilinearly to one size, and add them.

    Half-pixel centres, edges clamped. Either side of the size may be a tensor, which
    `keras.ops.image.resize` does not take, so that a model for any image size could not use it.
    The maps are multiplied with interpolation matrices, which stand side by side for all scales:
    so the sum costs nothing.

    Args:
        maps: Of each scale, `(batch, h_b, w_b, C)`, float32.
        size: `(height, width)`, integers or scalar tensors.

    Returns:
        `(batch, height, width, C)`.

    Examples:
        >>> import numpy as np
        >>> column = np.array([0.0, 4.0], "float32").reshape(1, 2, 1, 1)
        >>> np.asarray(resize_and_sum([column], (4, 1))).ravel().tolist()
        [0.0, 1.0, 3.0, 4.0]
    """
    matrices = []
    for m in maps:
        shape = ops.shape(m)
        matrices.append((_stretch(size[0], shape[1]), _stretch(size[1], shape[2])))
    return _multiply_and_sum(maps, matrices)


def place_and_sum(maps: list[Any], places: Sequence[Places], pixels: tuple[Any, Any]) -> Any:
    """Sample maps where their cells lie, bilinearly, and add them; 0 where they see nothing.

    Args:
        maps: Of each scale, `(batch, h_b, w_b, C)`, float32, turned as the image is.
        places: How the rows and columns of each lie in the image.
        pixels: Where to sample: rows `(height,)` and columns `(width,)` of the image, float32, in
            pixels, where 0 is the centre of the first one.

    Returns:
        `(batch, height, width, C)`.

    Examples:
        >>> import numpy as np
        >>> column = np.array([8.0, 4.0], "float32").reshape(1, 2, 1, 1)
        >>> rows = Axis(source=1, side=2, start=1.5, step=2.0, low=0.5)  # Row 0 is cut off.
        >>> pixels = np.arange(5, dtype="float32"), np.zeros(1, "float32")
        >>> np.asarray(place_and_sum([column], [(rows, Axis(2, 1))], pixels)).ravel().tolist()
        [0.0, 8.0, 7.0, 5.0, 4.0]
    """
    matrices = [(_place(rows, pixels[0]), _place(columns, pixels[1])) for rows, columns in places]
    return _multiply_and_sum(maps, matrices)


def spread_cells(cells: Any, places: Places, size: tuple[Any, Any]) -> Any:
    """Share the values of cells out among the pixels of an image that they cover.

    Args:
        cells: `(batch, h_b, w_b, C)`, float32, turned as the image is.
        places: How their rows and columns lie in the image.
        size: `(height, width)` of the image, integers or scalar tensors.

    Returns:
        `(batch, height, width, C)`, which adds up to the cells, less what lies outside the image.

    Examples:
        >>> import numpy as np
        >>> column = np.array([8.0, 4.0], "float32").reshape(1, 2, 1, 1)
        >>> rows = Axis(source=1, side=2, start=-0.5, step=2.0)  # A pixel above the image.
        >>> np.asarray(spread_cells(column, (rows, Axis(2, 1)), (4, 1))).ravel().tolist()
        [4.0, 2.0, 2.0, 0.0]
    """
    rows, columns = (_cover(axis, side) for axis, side in zip(places, size, strict=True))
    covered = ops.matmul(
        ops.matmul(rows, ops.transpose(cells, (0, 3, 1, 2))), ops.transpose(columns)
    )
    return ops.transpose(covered, (0, 2, 3, 1))


def spread_pixels(length: Any, image_length: Any) -> Any:
    """Return where pixels `(length,)` lie that are spread over those of an image."""
    ratio = ops.cast(image_length, "float32") / ops.cast(length, "float32")
    return (ops.arange(length, dtype="float32") + 0.5) * ratio - 0.5


def _multiply_and_sum(maps: list[Any], matrices: list[_Matrices]) -> Any:
    parts = [
        ops.matmul(rows, ops.transpose(m, (0, 3, 1, 2)))
        for m, (rows, _) in zip(maps, matrices, strict=True)
    ]
    columns_of_all = ops.transpose(ops.concatenate([columns for _, columns in matrices], axis=1))
    summed = ops.matmul(ops.concatenate(parts, axis=-1), columns_of_all)
    return ops.transpose(summed, (0, 2, 3, 1))


def _stretch(length: Any, source_length: Any) -> Any:
    """Return the matrix `(length, source_length)` of bilinear interpolation along one axis."""
    return _interpolate(spread_pixels(length, source_length), source_length)


def _place(axis: Axis, pixels: Any) -> Any:
    """Return the matrix `(pixels, cells)` that samples cells at pixels of the image."""
    weights = _interpolate((pixels - axis.start) / axis.step, axis.side)
    seen = ops.logical_and(pixels >= axis.low, pixels <= axis.high)
    return weights * ops.expand_dims(ops.cast(seen, "float32"), 1)


def _cover(axis: Axis, side: Any) -> Any:
    """Return which share of each cell each pixel covers, `(pixels, cells)`."""
    pixels = ops.expand_dims(ops.arange(side, dtype="float32"), 1)
    distances = ops.abs(pixels - ops.expand_dims(axis.list_centers(), 0))
    shared = (axis.step + 1) / 2 - distances  # Two intervals, of lengths 1 and step.
    return ops.clip(shared, 0.0, take_smaller(as_real(1), axis.step)) / axis.step


def _interpolate(positions: Any, source_length: Any) -> Any:
    positions = ops.clip(positions, 0.0, ops.cast(source_length, "float32") - 1.0)
    sources = ops.arange(source_length, dtype="float32")
    distances = ops.abs(ops.expand_dims(positions, 1) - ops.expand_dims(sources, 0))
    return ops.maximum(1.0 - distances, 0.0)
