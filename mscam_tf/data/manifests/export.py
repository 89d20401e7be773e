"""Write boxes for labelling tools: as COCO, YOLO or Pascal VOC."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

from globox import Annotation, AnnotationSet, BoundingBox

from mscam_tf.data.manifests.box import Box
from mscam_tf.data.manifests.class_names import CLASS_FILE
from mscam_tf.errors import MscamError
from mscam_tf.files import name_files, write_json, write_text

_FORMATS = ("coco", "yolo", "voc")


def export_boxes(
    boxes: Mapping[str, Iterable[Box]],
    sizes: Mapping[str, tuple[int, int]],
    path: str | Path,
    box_format: str,
) -> None:
    """Write the boxes of images in a format that labelling tools open, and `read_boxes` reads.

    Args:
        boxes: The boxes of each image, under its path.
        sizes: `(height, width)` of each image in pixels, in the same order; those without boxes
            are written too.
        path: The JSON file of `"coco"`; or the folder of `"yolo"` (a text file an image, and
            `classes.txt`) or `"voc"` (an XML file an image).
        box_format: `"coco"`, `"yolo"` or `"voc"`.

    Raises:
        MscamError: If the format is none of these, an image is called `classes` in `"yolo"`, or two
            images have one name, without the suffix, in `"yolo"` or `"voc"`.

    Examples:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> export_boxes({"a.png": [Box(2, 1, 6, 3, "bone")]}, {"a.png": (10, 20)}, folder, "yolo")
        >>> (folder / "a.txt").read_text()
        '0 0.2 0.2 0.2 0.2'
    """
    check_box_format(box_format, sizes)
    found = AnnotationSet(
        Annotation(image, (width, height), [_convert(box) for box in boxes.get(image, ())])
        for image, (height, width) in sizes.items()
    )
    labels = sorted({box.label for annotation in found for box in annotation.boxes})
    if box_format == "coco":
        _write_coco(found, labels, Path(path))
    else:
        _write_each(found, labels, Path(path), box_format)


def check_box_format(box_format: str, images: Iterable[str | Path] = ()) -> None:
    """Raise `MscamError` if it is none that `export_boxes` writes, or none for these images."""
    if box_format not in _FORMATS:
        raise MscamError(f"`box_format` must be one of {_FORMATS}. Received: {box_format=}")
    images = list(images)
    if box_format != "coco":
        _check_stems(box_format, images)
    named = [str(path) for path in images if Path(path).stem.lower() == Path(CLASS_FILE).stem]
    if box_format == "yolo" and named:
        raise MscamError(
            f"In the format yolo {CLASS_FILE} is the list of classes, so an image of that name can "
            f"have no boxes: rename it, or take coco or voc. Received: {named[0]!r}"
        )


def _check_stems(box_format: str, images: Iterable[str | Path]) -> None:
    """Refuse images that have one name: of which the boxes are, nobody would know."""
    first: dict[str, str | Path] = {}
    for path in images:
        other = first.setdefault(Path(path).stem.casefold(), path)
        if other != path:
            raise MscamError(
                f"In the format {box_format} boxes are those of the image of the same name, "
                "without its suffix, so each needs a name of its own: rename one, or take coco. "
                f"Received: {str(other)!r} and {str(path)!r}"
            )


def _convert(box: Box) -> BoundingBox:
    return BoundingBox(
        label=box.label or "object", xmin=box.x_min, ymin=box.y_min, xmax=box.x_max, ymax=box.y_max
    )


def _write_coco(found: AnnotationSet, labels: list[str], path: Path) -> None:
    content = found.to_coco(
        label_to_id={label: number for number, label in enumerate(labels, start=1)},
        imageid_to_id={each.image_id: number for number, each in enumerate(found, start=1)},
    )
    for number, row in enumerate(content["annotations"], start=1):
        row["id"] = number  # Not 0, which scores of pycocotools take for none.
    write_json(path, content)


def _write_each(found: AnnotationSet, labels: list[str], folder: Path, box_format: str) -> None:
    numbers = {label: number for number, label in enumerate(labels)}
    names = name_files([Path(each.image_id) for each in found])
    for name, each in zip(names, found, strict=True):
        if box_format == "yolo":
            write_text(folder / f"{name}.txt", each.to_yolo_v5(label_to_id=numbers))
        else:
            text = ElementTree.tostring(each.to_pascal_voc(), encoding="unicode")
            write_text(folder / f"{name}.xml", text)
    if box_format == "yolo":
        lines = [" ".join(re.split("[\r\n]+", label)) for label in labels]  # Each is on one line.
        write_text(folder / CLASS_FILE, "".join(f"{line}\n" for line in lines))
