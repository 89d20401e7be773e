"""Smooth random fields, the stuff that uneven tissue is made of."""

import numpy as np


def make_grid(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows `(H, 1)` and columns `(1, W)` of the pixels, float32."""
    height, width = size
    return (
        np.arange(height, dtype=np.float32)[:, None],
        np.arange(width, dtype=np.float32)[None],
    )


def smooth_noise(size: tuple[int, int], cell: float, generator: np.random.Generator) -> np.ndarray:
    """Draw a cubic B-spline surface with normal coefficients, one every `cell` pixels.

    Each axis is summed over its four neighbours in a fixed order, so that the same seed gives
    the same bytes on any number of threads, which matrix products do not promise.

    Args:
        size: `(height, width)` in pixels.
        cell: Distance of the coefficients, in pixels: the size of the bumps.
        generator: Source of chance.

    Returns:
        Array `(height, width)`, float32, of zero mean and a standard deviation near one.

    Examples:
        >>> import numpy as np
        >>> field = smooth_noise((200, 300), 10, np.random.default_rng(0))
        >>> field.shape, round(float(field.std()), 1)
        ((200, 300), 1.0)
    """
    counts = [int(side / cell) + 4 for side in size]
    field = generator.standard_normal(counts, dtype=np.float32)
    for axis, side in enumerate(size):
        shifted = np.arange(side, dtype=np.float32) / np.float32(cell) + generator.random()
        field = _interpolate(field, shifted, axis)
    return field / np.float32(_STD)


# Of the sum of one axis, squared: the mean over positions of the sum of squared weights.
_STD = 0.4794


def _interpolate(field: np.ndarray, positions: np.ndarray, axis: int) -> np.ndarray:
    whole = np.minimum(positions.astype(int), field.shape[axis] - 4)
    t = (positions - whole).astype(np.float32)
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    shape = (-1, 1) if axis == 0 else (1, -1)
    total = np.zeros(1, np.float32)
    for offset, weight in enumerate(weights):
        total = total + np.take(field, whole + offset, axis) * (weight / 6).reshape(shape)
    return total
