"""Read boxes as labelling tools write them: COCO, YOLO and Pascal VOC."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any
from xml.etree import ElementTree

from globox import BoundingBox, BoxFormat

from mscam_tf.data.manifests.box import Box
from mscam_tf.data.manifests.class_names import (
    FAULTS,
    LISTS,
    read_class_names,
    read_lines,
    say_fault,
)
from mscam_tf.data.manifests.entries import (
    read_corner_and_size,
    read_drawn_size,
    read_entry,
    read_object,
)
from mscam_tf.data.manifests.naming import loosen
from mscam_tf.data.manifests.samples import ManifestError
from mscam_tf.data.manifests.turned import check_turned
from mscam_tf.data.reading import read_image

_VOC = "annotation"  # What each of its files holds.
_LONGEST = 3  # Images of a side: as far beyond both edges as `check_inside` allows beyond one.
_LOGGER = logging.getLogger(__name__)
_Found = Iterator[tuple[str, Box]]


def read_exchanged(path: Path, images: Iterable[Path]) -> dict[str, list[Box]]:
    """Read the boxes of a COCO file, a folder of YOLO text files, or one of Pascal VOC files.

    Args:
        path: The JSON file or folder; folders in it count too.
        images: Image files that boxes may be of. Those of YOLO are found by their names, and give
            the sizes to which its numbers are relative; a file of Pascal VOC may not have the name
            of one and boxes of another.

    Raises:
        ManifestError: If a file cannot be read, an entry holds no box, an image or a class is
            named twice, a file names two images, or an image is shown turned: it names them.
    """
    boxes: dict[str, list[Box]] = defaultdict(list)
    images = list(images)
    for image, box in _choose_reader(path, images)(path, images):
        boxes[image].append(box)
    check_turned(boxes, images)
    return dict(boxes)


def _choose_reader(path: Path, images: Iterable[Path]) -> Callable[[Path, Iterable[Path]], _Found]:
    if path.is_file():
        return _read_coco
    voc, yolo = (_list_files(path, suffix) for suffix in (".xml", ".txt"))
    if voc and yolo:  # Notes and lists lie beside boxes.
        stems = {image.stem for image in images}
        yolo = [text for text in yolo if text.stem in stems]
    if bool(voc) == bool(yolo):
        raise ManifestError(
            f"{path} must hold boxes as .xml files (Pascal VOC) or as .txt files (YOLO). "
            f"Received: {f'both, such as {voc[0]} and {yolo[0]}' if voc else 'neither'}"
        )
    return _read_voc if voc else _read_yolo


def _list_files(folder: Path, suffix: str) -> list[Path]:
    """List the files below a folder that have a suffix, in capitals or not."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() == suffix)


def _read_coco(path: Path, _: Iterable[Path]) -> _Found:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(content, dict):
            raise TypeError(f"a {type(content).__name__}")
        names = {one["id"]: str(one["name"]) for one in content["categories"]}
        files = {one["id"]: str(one["file_name"]) for one in content["images"]}
        sizes = {one["id"]: read_drawn_size(one.get) for one in content["images"]}
        entries = list(content["annotations"])
        _check_twice(path, "the id of a category", (one["id"] for one in content["categories"]))
        _check_twice(path, "the id of an image", (one["id"] for one in content["images"]))
        _check_twice(path, "the file of an image", (one["file_name"] for one in content["images"]))
    except ManifestError:
        raise
    except (*FAULTS, OSError) as error:
        raise ManifestError(
            f"{path} must be a COCO file with images, annotations and categories. "
            f"Received: {say_fault(error)}"
        ) from error

    def parse(entry: Any) -> BoundingBox:
        coords = read_corner_and_size(entry)
        label = _get_name(names, entry["category_id"])
        return BoundingBox.create(label=label, coords=coords, box_format=BoxFormat.LTWH)

    for number, entry in enumerate(entries, start=1):
        place = f"{path}, annotation {number}"
        if not isinstance(entry, dict):
            raise ManifestError(f"{place}: expected an annotation. Received: {entry!r}")
        named = f" (id {entry['id']!r})" if "id" in entry else ""
        box = read_entry(f"{place}{named}", parse, entry)
        image = entry.get("image_id")
        if not isinstance(image, Hashable) or image not in files:
            raise ManifestError(f"{place}: expected the id of an image. Received: {entry}")
        yield files[image], replace(box, place=place, image_size=sizes[image])


def _check_twice(path: Path, what: str, values: Iterable[Any]) -> None:
    """Of two entries of one name the last would count, and have what belongs to the first."""
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ManifestError(f"{path}: {what} must stand there once. Received: {twice[0]!r} twice")


def _read_voc(folder: Path, images: Iterable[Path]) -> _Found:
    owners: dict[str, Path] = {}
    stems = {
        loosen(name): loosen(image.stem) for image in images for name in (image.name, image.stem)
    }
    for path in _list_files(folder, ".xml"):
        try:
            root = ElementTree.parse(path).getroot()
        except (ElementTree.ParseError, OSError) as error:
            raise ManifestError(f"{path} must be an XML file. Received: {error}") from error
        if root.tag != _VOC:
            raise ManifestError(
                f"{path} must be a file of Pascal VOC, one <{_VOC}> of an image. "
                f"Received: <{root.tag}>"
            )
        image = (root.findtext("filename") or "").strip() or path.stem
        nodes = list(root.iter("object"))
        if nodes:
            _check_owner(path, image, owners)
            _check_filename(path, image, stems)
        for number, node in enumerate(nodes, start=1):
            box = read_entry(f"{path}, object {number}", read_object, node)
            yield image, replace(box, image_size=_find_voc_size(path, root))


def _find_voc_size(path: Path, root: ElementTree.Element) -> tuple[int, int] | None:
    try:
        return read_drawn_size(lambda name: root.findtext(f"size/{name}"))
    except ValueError as error:
        raise ManifestError(f"{path}: expected the size of an image. Received: {error}") from error


def _check_owner(path: Path, image: str, owners: dict[str, Path]) -> None:
    """Copied files still name the image of the first, and a name may be in several folders."""
    first = owners.setdefault(image, path)
    if first != path:
        raise ManifestError(
            "Each image must have one file of boxes. "
            f"Received: {first} and {path}, both of the image {image}"
        )


def _check_filename(path: Path, image: str, stems: Mapping[str, str]) -> None:
    """Where images were numbered anew with their files, these still name those of before."""
    file = PurePath(image.replace("\\", "/"))
    named = stems.get(loosen(file.name)) or stems.get(loosen(file.stem))
    if named and stems.get(loosen(path.stem), named) != named:
        raise ManifestError(
            f"{path}: expected the boxes of the image of this name in <filename>, but both are "
            f"listed, and nobody knows of which the boxes are. Received: {image}"
        )


def _read_yolo(folder: Path, images: Iterable[Path]) -> _Found:
    names = read_class_names(folder)
    known: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        known[image.stem].append(image)
    files = [path for path in _list_files(folder, ".txt") if path.name not in LISTS]
    lone = [path for path in files if path.stem not in known]
    if files and len(lone) == len(files):
        raise ManifestError(
            "The files of boxes must have the names of images that are listed. "
            f"Received: {lone[0]}, images such as {next(iter(known.values()), ['none'])[0]}"
        )
    if lone:
        _LOGGER.warning("%d files of boxes have no image, such as %s.", len(lone), lone[0])
    owners: dict[str, Path] = {}
    for path in files:
        if path.stem in known:
            _check_owner(path, str(known[path.stem][0]), owners)
            yield from _read_yolo_file(path, known[path.stem], names)


def _read_yolo_file(path: Path, images: list[Path], names: dict[str, str]) -> _Found:
    if len(images) > 1:
        raise ManifestError(
            f"{path} must have the name of one image. Received: {images[0]} and {images[1]}"
        )
    height, width = read_image(images[0]).shape

    def parse(line: str) -> BoundingBox:
        box = BoundingBox.from_yolo_v5(line, image_size=(width, height))
        if box.width > _LONGEST * width or box.height > _LONGEST * height:
            raise ValueError(f"no shares of the image's width and height, {line.strip()!r}")
        box.label = _get_name(names, box.label) if names else box.label
        return box

    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            # Absolute: what is matched next takes a path for one in the folder of the manifest.
            yield str(images[0].absolute()), read_entry(f"{path}, line {number}", parse, line)


def _get_name(names: Mapping[Any, str], number: Any) -> str:
    """Return the name of a class, which a file has for each number."""
    if number not in list(names):
        known = ", ".join(map(repr, names)) or "none"
        raise ValueError(f"the category {number!r}, which has no name; those with one are {known}")
    return names[number]
