"""Blend the maps of overlapping tiles into that of their frame, from its top to its bottom."""

from collections.abc import Iterable, Iterator

import numpy as np

Placed = tuple[int, int, np.ndarray]  # Left, top, and `(height, width, C)`.


def weigh_tile(tile_size: tuple[int, int]) -> np.ndarray:
    """Return how much each pixel of a tile counts: it falls to the tile's borders, to nearly zero.

    A pixel counts as far as it is from the nearest border of its row, times the same of its column.

    Examples:
        >>> weigh_tile((1, 4))
        array([[0.25, 0.75, 0.75, 0.25]], dtype=float32)
    """
    height, width = (
        np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / (side / 2)
        for side in tile_size
    )
    return np.outer(height, width).astype(np.float32)


def blend_tiles(
    tiles: Iterable[Placed], frame_size: tuple[int, int], tile_size: tuple[int, int]
) -> Iterator[np.ndarray]:
    """Blend the maps of tiles: at each pixel their mean, weighed by `weigh_tile`.

    Where tiles overlap, one fades into the other, so that no seam is left. Where they agree, the
    frame has their value to the last bit.

    Args:
        tiles: Left, top and maps `(height, width, C)` of each, by rows from the top. They cover the
            frame, and may reach over its right and its lower edge.
        frame_size: `(height, width)`.
        tile_size: `(height, width)`.

    Returns:
        An iterator of strips `(h, width, C)`, float32, one below the other: no tile that is still
        to come reaches into them. Only about one row of tiles is in memory.

    Examples:
        >>> tiles = [(x, 0, np.full((2, 4, 1), x)) for x in (0, 3)]
        >>> [rows[0, :, 0].tolist() for rows in blend_tiles(tiles, (2, 7), (2, 4))]
        [[0.0, 0.0, 0.0, 1.5, 3.0, 3.0, 3.0]]
    """
    (height, width), weights, top = frame_size, weigh_tile(tile_size), 0
    mean = total = np.empty(0)
    for x, y, maps in tiles:
        if not mean.size:
            mean = np.zeros(
                (tile_size[0], max(width, x + tile_size[1]), maps.shape[-1]), np.float32
            )
            total = np.zeros(mean.shape[:2], np.float32)
        if y > top:
            yield mean[: y - top, :width].copy()
            mean, total, top = _scroll(mean, y - top), _scroll(total, y - top), y
        span = slice(x, x + tile_size[1])
        total[:, span] += weights
        mean[:, span] += (weights / total[:, span])[..., None] * (maps - mean[:, span])
    yield mean[: height - top, :width]


def _scroll(values: np.ndarray, rows: int) -> np.ndarray:
    """Take rows away at the top, and put zeros below."""
    return np.concatenate([values[rows:], np.zeros_like(values[:rows])])
