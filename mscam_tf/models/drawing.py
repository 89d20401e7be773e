"""Draw maps over the image: stretched over the whole of it, or where the model looked."""

from collections.abc import Mapping
from typing import Any

from keras import ops

from mscam_tf.models.geometry import Geometry
from mscam_tf.models.resizing import place_and_sum, resize_and_sum, spread_cells, spread_pixels


class Drawing:
    """Draws the maps of one batch of images.

    Args:
        geometry: Where the cells of the maps lie.
        map_size: `"input"`, `"native"` or `(height, width)`, as of `build_explainer`.
        maps: Of each scale, `(batch, H_b, W_b, C)`, turned as the image is, the finest first.
        image: The images.
    """

    def __init__(
        self, geometry: Geometry, map_size: str | tuple[int, int], maps: list[Any], image: Any
    ) -> None:
        shape = ops.shape(image)
        self._is_plain = geometry.is_plain
        self._image = tuple(shape[axis] for axis in geometry.axes)
        self._map_size, self._finest = map_size, maps[0]
        if not self._is_plain:
            self._places = geometry.locate(shape, [tuple(ops.shape(m)[1:3]) for m in maps])

    def add_up(self, maps: Mapping[int, Any]) -> Any:
        """Draw the maps of some scales, by their numbers, the first 0, and add them."""
        if self._is_plain:
            return resize_and_sum(list(maps.values()), self._find_size())
        places = [self._places[number] for number in maps]
        return place_and_sum(list(maps.values()), places, self._find_pixels())

    def share_out(self, cells: Any, number: int) -> Any:
        """Return what cells of a scale add, on a grid that lies evenly over the image.

        That is their own grid, or the pixels of the image, among which each cell is shared out.
        """
        if self._is_plain:
            return cells
        return spread_cells(cells, self._places[number], self._image)

    def _find_size(self) -> tuple[Any, Any]:
        if isinstance(self._map_size, tuple):
            return self._map_size
        if self._map_size == "input":
            return self._image[0], self._image[1]
        shape = ops.shape(self._finest)
        return shape[1], shape[2]

    def _find_pixels(self) -> tuple[Any, Any]:
        """Return the rows and columns of the image that are drawn."""
        if self._map_size == "native":
            rows, columns = (axis.list_centers() for axis in self._places[0])
            return rows, columns
        pairs = zip(self._find_size(), self._image, strict=True)
        rows, columns = (spread_pixels(length, pixels) for length, pixels in pairs)
        return rows, columns
