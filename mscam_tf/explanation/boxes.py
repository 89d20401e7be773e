"""The boxes of regions for labelling tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mscam_tf.data.manifests import Box, export_boxes
from mscam_tf.localization import Region, place_box
from mscam_tf.runs import Explanation


@dataclass(frozen=True)
class MarkedImage:
    """An image file, its size, and the boxes in it."""

    path: Path
    size: tuple[int, int]
    boxes: tuple[Box, ...]

    @classmethod
    def of(cls, explanation: Explanation, regions: Sequence[Region]) -> "MarkedImage":
        """Take the boxes of an explanation's regions."""
        height, width = explanation.source_size or explanation.image.shape[:2]
        boxes = tuple(place_box(explanation, region) for region in regions)
        return cls(explanation.path, (height, width), boxes)


def write_image_boxes(images: Sequence[MarkedImage], path: Path, box_format: str) -> None:
    """Write the boxes of images, named by their files where these have names of their own."""
    unique = len({each.path.name for each in images}) == len(images)
    names = [each.path.name if unique else str(each.path) for each in images]
    named = list(zip(names, images, strict=True))
    boxes = {name: each.boxes for name, each in named}
    export_boxes(boxes, {name: each.size for name, each in named}, path, box_format)
