"""Find the regions of a map: connected places that are high enough."""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.ndimage import binary_erosion, find_objects, label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from mscam_tf.data.manifests import Box
from mscam_tf.localization.sizes import measure_width
from mscam_tf.metrics import check_maps
from mscam_tf.settings import Number, check_value

DIAGONALS = np.ones((3, 3), bool)  # Pixels that touch at a corner are connected.


@dataclass(frozen=True)
class Region:
    """A connected place of a map that is high enough.

    Places are in pixels, `x` to the right and `y` down, where the centre of the first pixel is at
    0.5, as in a `mscam_tf.Box`.

    Attributes:
        box: The smallest box around it, of whole pixels.
        mask: Which pixels of the box belong to it, `(height, width)`, booleans.
        area: How many they are, in square pixels.
        peak: `(x, y)` of its highest pixel.
        score: The map's value there, in logits.
        center: `(x, y)` of its centre: pixels weigh by how far they are above the threshold. Where
            an edge of the image cuts it off, see `complete`.
        size: Estimated diameter of the object, in pixels: the width of the region at half of its
            height. Of `list_regions`, the width of the map half way to the peak from even odds (of
            one scale and sharp maps, from 0), less what the map's own blur adds to it.
        label: The class whose map it is of, or empty.
        scale: The scale that adds most to the map within it, from 1, if it is known.
        share: What it adds to the logit of its class, in logits, if that is known.
    """

    box: Box
    mask: np.ndarray = field(repr=False, compare=False)
    area: int
    peak: tuple[float, float]
    score: float
    center: tuple[float, float]
    size: float
    label: str = ""
    scale: int | None = None
    share: float | None = None

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of its box, to cut it out of a map."""
        box = self.box
        return slice(int(box.y_min), int(box.y_max)), slice(int(box.x_min), int(box.x_max))

    def complete(self, image_size: tuple[float, float]) -> "Region":
        """Return it with the centre of the whole, where one edge of the image cuts it off.

        What is cut off is taken for as large across the edge as along it: the centre lies half of
        its length along the edge away from its inner end. It is never moved inwards or out of the
        image, so that what is longer across the edge, or along it, stays as it is.

        Args:
            image_size: `(height, width)` in pixels.
        """
        box, (x, y) = self.box, self.center
        wide, high = box.x_max - box.x_min, box.y_max - box.y_min
        across = _move_out(x, box.x_min, box.x_max, image_size[1], high / 2)
        down = _move_out(y, box.y_min, box.y_max, image_size[0], wide / 2)
        if across is None and down is not None:
            return replace(self, center=(x, down))
        if down is None and across is not None:
            return replace(self, center=(across, y))
        return self  # Whole, or cut by two edges.


def _move_out(place: float, start: float, stop: float, size: float, half: float) -> float | None:
    """Return a place along an axis nearer to the edge that cuts it off; `None` if none does."""
    if start > 0 and stop < size:
        return None
    low, high = stop - half, start + half
    if start == 0 and stop < size and low >= 0:
        return min(max(low, 0.5), place)  # No centre lies beyond that of the outermost pixel.
    if start > 0 and stop == size and high <= size:
        return max(min(high, size - 0.5), place)
    return place


def find_regions(
    map_: np.ndarray, threshold: float, *, minimum_area: float = 0.0, merge: float = 0.0
) -> list[Region]:
    """Find the connected places of a map that are at least as high as a threshold.

    Pixels that touch at a side or a corner are connected.

    Args:
        map_: `(H, W)`, of one class, in logits: `S`, or `h_b M_b` of one scale.
        threshold: Lowest value of a pixel, in logits.
        minimum_area: Regions of fewer pixels are left out, after those that are near each other
            were merged.
        merge: Regions with at most this many pixels between them, where they are nearest, are one;
            0 merges none.

    Returns:
        The regions, the one with the highest peak first.

    Raises:
        MscamError: If the map is not `(H, W)` or not finite, or a number is NaN or negative where
            it cannot be.

    Examples:
        >>> import numpy as np
        >>> map_ = np.array([[0.0, 2.0, 3.0, 0.0, 0.0, 1.0]])
        >>> [(r.box.x_min, r.box.x_max, r.score) for r in find_regions(map_, threshold=1)]
        [(1, 3, 3.0), (5, 6, 1.0)]
        >>> [region.area for region in find_regions(map_, threshold=1, merge=2)]
        [3]
    """
    (values,) = check_maps(2, map_=map_)
    check_value("threshold", threshold, Number())
    check_value("minimum_area", minimum_area, Number(0))
    check_value("merge", merge, Number(0))
    high = values >= threshold
    if not high.any():  # Most maps of good images: labelling nothing takes as long as anything.
        return []
    numbers, count = label(high, DIAGONALS)
    if merge and count > 1:
        numbers = _merge(numbers, count, merge)
    regions = [
        _describe(values, numbers[place] == number, place, threshold)
        for number, place in enumerate(find_objects(numbers), start=1)
    ]
    kept = [r.complete(values.shape) for r in regions if r.area >= minimum_area]
    return sorted(kept, key=lambda region: -region.score)


def _merge(numbers: np.ndarray, count: int, merge: float) -> np.ndarray:
    """Give regions that lie near each other one number."""
    edges = (numbers > 0) & ~binary_erosion(numbers > 0, DIAGONALS)
    near = cKDTree(np.argwhere(edges)).query_pairs(merge + 1, output_type="ndarray")
    first, second = numbers[edges][near.T]
    links = coo_array((np.ones(len(near), bool), (first, second)), (count + 1, count + 1))
    _, merged = connected_components(links, directed=False)
    return merged[numbers]  # What is no region has the number 0, and is linked to none.


def _describe(
    values: np.ndarray, mask: np.ndarray, place: tuple[slice, slice], threshold: float
) -> Region:
    rows, columns = place
    inside = np.where(mask, values[place], -np.inf)
    row, column = np.unravel_index(inside.argmax(), mask.shape)
    heights = np.where(mask, values[place] - threshold, 0)
    y, x = _find_center(heights, mask)
    return Region(
        box=Box(columns.start, rows.start, columns.stop, rows.stop),
        mask=mask,
        area=int(mask.sum()),
        peak=(columns.start + int(column) + 0.5, rows.start + int(row) + 0.5),
        score=float(inside.max()),
        center=(columns.start + x, rows.start + y),
        size=measure_width(heights, mask),
    )


def _find_center(heights: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Return the centre `(y, x)` of mass; of a region that is flat at the threshold, of its mask.

    Weights that end at zero do not jump where the threshold cuts: half a cell more or less on one
    side of a coarse map would move the centre by many pixels.
    """
    weights = heights if heights.any() else mask.astype(float)
    y, x = (np.arange(side) + 0.5 for side in weights.shape)
    total = weights.sum()
    return float(weights.sum(1) @ y / total), float(weights.sum(0) @ x / total)
