"""An entry of a file of boxes, as labelling tools write it."""

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from globox import BoundingBox

from mscam_tf.data.manifests.box import Box
from mscam_tf.data.manifests.class_names import say_fault
from mscam_tf.data.manifests.samples import ManifestError


def read_entry(place: str, parse: Callable[[Any], BoundingBox], entry: Any) -> Box:
    """Parse an entry; what is no box raises `ManifestError` with its place."""
    try:
        box = parse(entry)
        label = (box.label or "").strip()
        return Box(box.xmin, box.ymin, box.xmax, box.ymax, label, place=place)
    except Exception as error:  # The library has errors of its own, of no common kind.
        raise ManifestError(f"{place}: expected a box. Received: {say_fault(error)}") from error


def read_corner_and_size(entry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return `(x, y, width, height)` of an annotation of COCO."""
    attributes, values = entry.get("attributes"), entry.get("bbox")
    _refuse_tilted(attributes.get("rotation") if isinstance(attributes, dict) else None)
    try:
        x, y, width, height = map(float, values or ())
    except (TypeError, ValueError) as error:
        raise ValueError(f"no four numbers as bbox, {values!r}") from error
    return x, y, width, height


def read_object(node: Element) -> BoundingBox:
    """Return the box of an object of Pascal VOC."""
    for one in node.iterfind("attributes/attribute"):
        if one.findtext("name") == "rotation":
            _refuse_tilted(one.findtext("value"))
    return BoundingBox.from_xml(node)


def _refuse_tilted(degrees: Any) -> None:
    """CVAT writes a tilted box as it was before it was turned, and the angle beside it."""
    if degrees and float(degrees) % 180:
        raise ValueError(f"a box that is turned by {degrees} degrees; draw it upright")


def read_drawn_size(find: Callable[[str], Any]) -> tuple[int, int] | None:
    """Return `(height, width)` of the image of boxes; some tools leave them out, or write zeros."""
    height, width = (int(find(name) or 0) for name in ("height", "width"))
    return (height, width) if height > 0 and width > 0 else None
