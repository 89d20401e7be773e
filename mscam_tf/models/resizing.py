"""Resize the maps of all scales to one size, and add them."""

from typing import Any

from keras import ops


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
    parts, columns = [], []
    for m in maps:
        shape = ops.shape(m)
        rows = _interpolation(size[0], shape[1])
        parts.append(ops.matmul(rows, ops.transpose(m, (0, 3, 1, 2))))
        columns.append(_interpolation(size[1], shape[2]))
    columns_of_all = ops.transpose(ops.concatenate(columns, axis=1))
    summed = ops.matmul(ops.concatenate(parts, axis=-1), columns_of_all)
    return ops.transpose(summed, (0, 2, 3, 1))


def _interpolation(length: Any, source_length: Any) -> Any:
    """Return the matrix `(length, source_length)` of bilinear interpolation along one axis."""
    ratio = ops.cast(source_length, "float32") / ops.cast(length, "float32")
    positions = (ops.arange(length, dtype="float32") + 0.5) * ratio - 0.5
    positions = ops.clip(positions, 0.0, ops.cast(source_length, "float32") - 1.0)
    sources = ops.arange(source_length, dtype="float32")
    distances = ops.abs(ops.expand_dims(positions, 1) - ops.expand_dims(sources, 0))
    return ops.maximum(1.0 - distances, 0.0)
