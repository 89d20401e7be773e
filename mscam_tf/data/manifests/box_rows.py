"""Boxes in the rows of tables."""

from collections.abc import Collection

from mscam_tf.data.manifests.box import CORNERS, Box
from mscam_tf.data.manifests.samples import ManifestError
from mscam_tf.data.manifests.tables import Row, parse_number
from mscam_tf.errors import MscamError

CUT = ("object_width", "object_height", "visible")  # Of an object that an edge cuts.
_MOST = {"visible": 1.0}
_ROUNDED = 0.01  # Pixels by which programs round what they write.


def is_of_boxes(columns: Collection[str]) -> bool:
    """Whether a table has all the columns that `write_boxes` writes, so that its rows are boxes."""
    return {*CORNERS, *CUT} <= set(columns)


def read_box(row: Row) -> Box:
    """Read a box from a row of a table; `open_table` knows its columns.

    Raises:
        ManifestError: If the row holds none.
    """
    corners = [number for name in CORNERS if (number := _read_number(row, name)) is not None]
    width, height, visible = (_read_number(row, name) for name in CUT)
    if len(corners) < len(CORNERS) or (width is None) != (height is None):
        raise ManifestError(
            f"{row.place}: expected a box: four corners, and object_width and object_height or "
            f"neither; an image without objects needs no row. Received: {row.cells}"
        )
    size = None if width is None or height is None else (width, height)
    label = row.cells.get("label", "").strip()
    x_min, y_min, x_max, y_max = corners
    try:
        share = 1.0 if visible is None else visible
        box = Box(x_min, y_min, x_max, y_max, label, size, share, row.place)
    except MscamError as error:
        raise ManifestError(f"{row.place}: {error}") from None
    if box.size[0] < x_max - x_min - _ROUNDED or box.size[1] < y_max - y_min - _ROUNDED:
        raise ManifestError(
            f"{row.place}: object_width and object_height must be those of the whole object in "
            "pixels, at least as large as its box; other sizes need other columns. "
            f"Received: {box.size[0]:g} x {box.size[1]:g}, in a box of {x_max - x_min:g} x "
            f"{y_max - y_min:g}"
        )
    return box


def _read_number(row: Row, name: str) -> float | None:
    text = row.cells.get(name, "").strip()
    number = parse_number(text)
    fits = number is not None and (name in CORNERS or 0 <= number <= _MOST.get(name, number))
    if text and (not fits or (name in CUT[:2] and number == 0)):
        limits = "" if name in CORNERS else " from 0 to 1" if name in _MOST else " above 0"
        raise ManifestError(
            f"{row.place}, column {name}: expected a number{limits}, such as 0.5. "
            f"Received: {text!r}"
        )
    return number
