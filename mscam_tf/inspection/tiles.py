"""Cut a frame into overlapping tiles, and take them through the model."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from mscam_tf.data.reading import Strips
from mscam_tf.data.tiling import Tiling, list_starts
from mscam_tf.errors import MscamError
from mscam_tf.runs import Explanation, Session
from mscam_tf.settings import check_settings_of

ExplainedTile = tuple[int, int, Explanation]  # Left, top, and what is said of the tile.


@dataclass(frozen=True)
class Framing:
    """How frames are cut into tiles.

    Attributes:
        tile_size: `(height, width)` in pixels; by default the size that the run was trained at.
        overlap: Share of a tile that the next one repeats, from 0 to below 1.
    """

    tile_size: tuple[int, int] | None = None
    overlap: float = 0.25

    def __post_init__(self) -> None:
        check_settings_of(self)


def explain_tiles(
    session: Session, path: Path, strips: Strips, framing: Framing
) -> Iterator[ExplainedTile]:
    """Explain the tiles of a frame, by rows from its top, a batch at a time.

    Args:
        session: The run or the export.
        path: The image file.
        strips: What is in it.
        framing: How it is cut.

    Returns:
        An iterator of left, top and explanation of each tile.

    Raises:
        MscamError: If the model does not take tiles of this size.
    """
    tile_size = framing.tile_size or session.image_size
    cut = cut_tiles(strips, tile_size, framing.overlap)
    while batch := list(islice(cut, session.batch_size)):
        pixels = [tile for _, _, tile in batch]
        try:
            explained = list(session.explain_arrays(path, pixels))
        except MscamError:
            raise
        except Exception as error:  # Each runtime has an error of its own for that.
            if tile_size == session.image_size:
                raise
            raise MscamError(
                f"This model takes images of {session.image_size} alone: leave out the size of "
                "tiles, or export the run with --free-size (free_size=True). "
                f"Received: {tile_size=}"
            ) from error
        yield from ((x, y, one) for (x, y, _), one in zip(batch, explained, strict=True))


def cut_tiles(
    strips: Strips, tile_size: tuple[int, int], overlap: float
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Cut a frame into tiles that overlap and cover it, by rows from its top.

    Returns:
        An iterator of left, top and pixels of each tile. The last one of a row is moved back
        inside; a frame that is smaller than a tile is filled up with the pixels of its edge.

    Examples:
        >>> strips = Strips((2, 5), iter([np.zeros((1, 5)), np.zeros((1, 5))]))
        >>> [(x, y, tile.shape) for x, y, tile in cut_tiles(strips, (2, 4), 0.0)]
        [(0, 0, (2, 4)), (1, 0, (2, 4))]
    """
    (height, width), rows, top = tile_size, np.empty((0, strips.size[1]), np.float32), 0
    lefts = list_starts(strips.size[1], Tiling(size=width, overlap=overlap))
    for y in list_starts(strips.size[0], Tiling(size=height, overlap=overlap)):
        rows, top = rows[y - top :], y
        while len(rows) < height and (more := next(strips.rows, None)) is not None:
            rows = np.concatenate([rows, more]) if len(rows) else more
        for x in lefts:
            yield x, y, _fill(rows[:height, x : x + width], tile_size)


def _fill(tile: np.ndarray, tile_size: tuple[int, int]) -> np.ndarray:
    missing = [(0, side - there) for side, there in zip(tile_size, tile.shape, strict=True)]
    return np.pad(tile, missing, mode="edge") if np.any(missing) else tile
