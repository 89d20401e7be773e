"""Find the regions of a map that comes in strips of rows, as those of a whole map are found."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.ndimage import find_objects, label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mscam_tf.data.manifests import Box
from mscam_tf.localization.regions import DIAGONALS, Region, find_regions
from mscam_tf.metrics import check_maps


@dataclass(frozen=True)
class _Piece:
    """What one strip shows of a region."""

    row: int
    column: int
    mask: np.ndarray
    values: np.ndarray


@dataclass
class RegionStream:
    """Finds the regions of a map that comes in strips, from its top to its bottom.

    Only regions that may go on below are kept, so that a map of any height needs little memory. The
    regions are those that `mscam_tf.find_regions` finds in the whole map.

    Attributes:
        threshold: Lowest value of a pixel, in logits.
        minimum_area: Regions of fewer pixels are left out.

    Examples:
        >>> stream = RegionStream(threshold=1.0)
        >>> stream.add(np.array([[0.0, 2.0, 0.0]]))
        []
        >>> (region,) = stream.add(np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
        >>> region.box.y_max, region.area
        (2, 2)
        >>> stream.finish()
        []
    """

    threshold: float
    minimum_area: float = 0.0
    _row: int = 0
    _edge: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    _open: list[list[_Piece]] = field(default_factory=list)

    def add(self, rows: np.ndarray) -> list[Region]:
        """Take the next rows of the map, `(h, W)`; return the regions that end in them.

        Raises:
            MscamError: If the rows are not finite.
        """
        (values,) = check_maps(2, map_=rows)
        edge = self._edge if self._edge.size else np.zeros(values.shape[1], int)
        numbers, count = label(np.vstack([edge[None] > 0, values >= self.threshold]), DIAGONALS)
        groups = _join(edge, numbers[0], len(self._open), count)
        pieces = self._gather(groups, numbers[1:], values, count)
        below = np.append(-1, groups[len(self._open) :])[numbers[-1]]  # -1 where there is none.
        goes_on = np.unique(below[below >= 0])
        ended = set(range(len(pieces))) - set(goes_on.tolist())
        self._edge = np.where(below >= 0, np.searchsorted(goes_on, below) + 1, 0)
        self._open = [pieces[group] for group in goes_on]
        self._row += len(values)
        size = (np.inf, values.shape[1])  # What ends here is not cut off below.
        return list(self._describe([pieces[group] for group in sorted(ended)], size))

    def finish(self) -> list[Region]:
        """Return the regions that reach the bottom of the map."""
        ended, size = self._open, (self._row, len(self._edge))
        self._open, self._edge = [], np.zeros(0, int)
        return list(self._describe(ended, size))

    def _gather(
        self, groups: np.ndarray, numbers: np.ndarray, rows: np.ndarray, count: int
    ) -> list[list[_Piece]]:
        """Return the pieces of each region, those of earlier strips first."""
        pieces: list[list[_Piece]] = [[] for _ in range(int(groups.max(initial=-1)) + 1)]
        for group, earlier in zip(groups, self._open, strict=False):
            pieces[group] += earlier
        for number, place in enumerate(find_objects(numbers, count), start=1):
            if place is not None:
                mask = numbers[place] == number
                values = np.where(mask, rows[place], 0)
                row, column = self._row + place[0].start, place[1].start
                group = groups[len(self._open) + number - 1]
                pieces[group].append(_Piece(row, column, mask, values))
        return pieces

    def _describe(self, ended: list[list[_Piece]], size: tuple[float, float]) -> Iterator[Region]:
        for pieces in ended:
            found = _describe(pieces, self.threshold, self.minimum_area)
            yield from (region.complete(size) for region in found)


def _join(edge: np.ndarray, touched: np.ndarray, earlier: int, count: int) -> np.ndarray:
    """Return the group of each region that is open, and of each that this strip shows."""
    at = edge > 0
    links = (np.ones(at.sum(), bool), (edge[at] - 1, earlier + touched[at] - 1))
    _, groups = connected_components(coo_array(links, (earlier + count,) * 2), directed=False)
    return groups


def _describe(pieces: list[_Piece], threshold: float, minimum_area: float) -> list[Region]:
    """Put the pieces of a region together, and describe it in the pixels of the map."""
    top, left = min(p.row for p in pieces), min(p.column for p in pieces)
    bottom = max(p.row + p.mask.shape[0] for p in pieces)
    right = max(p.column + p.mask.shape[1] for p in pieces)
    whole = np.full((bottom - top, right - left), np.nextafter(threshold, -np.inf))
    for piece in pieces:
        height, width = piece.mask.shape
        row, column = piece.row - top, piece.column - left
        place = whole[row : row + height, column : column + width]
        place[piece.mask] = piece.values[piece.mask]
    found = find_regions(whole, threshold, minimum_area=minimum_area)
    return [_shift(region, left, top) for region in found]


def _shift(region: Region, x: int, y: int) -> Region:
    box = region.box
    return replace(
        region,
        box=Box(box.x_min + x, box.y_min + y, box.x_max + x, box.y_max + y),
        peak=(region.peak[0] + x, region.peak[1] + y),
        center=(region.center[0] + x, region.center[1] + y),
    )
