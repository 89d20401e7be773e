"""Random numbers, lines and smooth fields, from which uneven tissue is made."""

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
        generator: Random generator.

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
    shifts = generator.random(2)
    for axis in (1, 0):  # The rows last: they are copied whole.
        positions = np.arange(size[axis], dtype=np.float32) / np.float32(cell)
        field = _interpolate(field, positions + np.float32(shifts[axis]), axis)
    return field / np.float32(_STD)


def turn(
    size: tuple[int, int], angle: float, origin: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates along and across a direction; by default from the middle."""
    rows, columns = make_grid(size)
    y, x = origin or (size[0] / 2, size[1] / 2)
    sine, cosine = np.float32(np.sin(angle)), np.float32(np.cos(angle))
    rows, columns = rows - np.float32(y), columns - np.float32(x)
    return columns * cosine + rows * sine, rows * cosine - columns * sine


def bent_distance(
    size: tuple[int, int], pitch: float, generator: np.random.Generator, most: float = 1.5
) -> np.ndarray:
    """Return the distance in pixels from a line somewhere, bent by up to `most` mm."""
    _, v = turn(size, generator.uniform(0, 2 * np.pi), place(size, generator))
    bend = generator.uniform(0, most) / pitch
    return v + np.float32(bend) * smooth_noise(size, generator.uniform(5, 30) / pitch, generator)


def bent_phase(size: tuple[int, int], period: float, generator: np.random.Generator) -> np.ndarray:
    """Return the number of periods along a direction, with bends."""
    u, _ = turn(size, generator.uniform(0, 2 * np.pi))
    bend = generator.uniform(0, 0.5) * smooth_noise(
        size, period * generator.uniform(2, 6), generator
    )
    return u / np.float32(period) + bend


def place(size: tuple[int, int], generator: np.random.Generator) -> tuple[float, float]:
    """Draw a position `(y, x)` in an image."""
    return generator.uniform(0, size[0]), generator.uniform(0, size[1])


def log_uniform(low: float, high: float, generator: np.random.Generator) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))


# Of the sum of one axis, squared: the mean over positions of the sum of squared weights.
_STD = 0.4794


def _interpolate(field: np.ndarray, positions: np.ndarray, axis: int) -> np.ndarray:
    whole = np.minimum(positions.astype(int), field.shape[axis] - 4)
    t = (positions - whole).astype(np.float32)
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    shape = (-1, 1) if axis == 0 else (1, -1)
    total = np.zeros(1, np.float32)
    for offset, weight in enumerate(weights):
        part = np.take(field, whole + offset, axis)
        part *= (weight / 6).reshape(shape)
        total = np.add(total, part, out=part)
    return total
