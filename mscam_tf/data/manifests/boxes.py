"""The boxes of many images: read, write, match and carry along."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from mscam_tf.data.manifests.box import CORNERS, Box
from mscam_tf.data.manifests.box_rows import CUT, read_box
from mscam_tf.data.manifests.denials import check_objects
from mscam_tf.data.manifests.manifest import keep_spaces
from mscam_tf.data.manifests.matching import OtherDataError, match_boxes
from mscam_tf.data.manifests.relocation import relocate_path
from mscam_tf.data.manifests.samples import BOXES_FILE, Manifest, ManifestError
from mscam_tf.data.manifests.tables import Table, open_table
from mscam_tf.files import write_table

_LOGGER = logging.getLogger(__name__)
_PATH_NAMES = ("path", "film", "image")
_ROUNDED = 1.0  # Pixels by which programs round, or count from 1.


def read_boxes(path: str | Path, images: Iterable[Path] = ()) -> dict[str, list[Box]]:
    r"""Read the boxes of many images from a CSV file, or as a labelling tool has written them.

    Args:
        path: A JSON file in the format of COCO; or a folder of Pascal VOC files (`.xml`, pixels
            from 0 as LabelImg and CVAT count) or of YOLO files (`.txt`, with the names of classes
            in a `classes.txt`, `obj.names` or `data.yaml`, there or up to two folders above); or a
            CSV file with the columns `path` (or else `film` or `image`), `x_min`, `y_min`, `x_max`
            and `y_max`, and optionally `label`. `mscam tile` adds `object_width`, `object_height`
            and `visible` for boxes that the edge of a patch has cut.
        images: The image files. For YOLO, whose numbers are relative to their sizes; a file of
            boxes has the name of its image. Of those of labelling tools none may be shown turned.

    Returns:
        The boxes of each image, under its path as it is written in the file; those of YOLO, which
        writes none, under the absolute path of the image.

    Raises:
        ManifestError: If a column is missing, a row or an entry holds no box, the whole object is
            smaller than its box, a box is labelled `none`, or EXIF says of an image with boxes of a
            labelling tool that it is shown turned.

    Examples:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "boxes.csv"
        >>> _ = path.write_text("film,x_min,y_min,x_max,y_max\nw1.png,2,3,8,7.5\n")
        >>> read_boxes(path)["w1.png"][0].size
        (6.0, 4.5)
    """
    boxes = _read_any(Path(path), images)
    check_objects(box for found in boxes.values() for box in found)
    warn_of_twins(Path(path), boxes)
    return boxes


def warn_of_twins(path: Path, boxes: Mapping[str, Sequence[Box]]) -> None:
    """Say which boxes of a file stand twice, as in lists that were joined.

    Two objects hardly ever have the same one.
    """
    twins = []
    for image, found in boxes.items():
        counts = Counter(found)
        twins += [f"{box.place} of {image}" for box, count in counts.items() if count > 1]
    if twins:
        _LOGGER.warning(
            "%d boxes stand twice in %s, and count as two objects each, such as %s.",
            len(twins),
            path,
            twins[0],
        )


def _read_any(path: Path, images: Iterable[Path]) -> dict[str, list[Box]]:
    if path.is_dir() or path.suffix.lower() == ".json":
        from mscam_tf.data.manifests.exchange import read_exchanged  # Takes long to import.

        found = read_exchanged(path, images)
        _check_pixels(path, found)
        return found
    table = _open_boxes(path)
    names = [name for name in _PATH_NAMES if name in table.columns]
    if not names or set(CORNERS) - set(table.columns):
        raise ManifestError(
            f"{path} must have the columns path, {', '.join(CORNERS)}. Received: {table.columns}"
        )
    if {*names} == {"film", "image"}:
        raise ManifestError(
            f"{path} must say whether a box is of its film or of its image: name that column path. "
            f"Received: {table.columns}"
        )
    name = names[0]
    boxes: dict[str, list[Box]] = defaultdict(list)
    for row in table.rows:
        image = row.cells[name].strip()
        if not image:
            raise ManifestError(f"{row.place}: expected an image in the column {name}")
        boxes[PurePath(image).as_posix()].append(read_box(row))
    _check_pixels(path, boxes)
    return dict(boxes)


def _check_pixels(path: Path, boxes: Mapping[str, Sequence[Box]]) -> None:
    """Many programs write shares of the image's width and height, which would lie in a corner."""
    found = [box for rows in boxes.values() for box in rows]
    ends = [end for box in found for end in (box.x_max, box.y_max)]
    whole = all(map(float.is_integer, ends)) or any(box.object_size for box in found)
    if not whole and max(ends) <= 1:
        raise ManifestError(
            f"{path}: a box must be in pixels, but all are between 0 and 1, as shares of the "
            f"image's width and height are. Received: {found[0]}"
        )


def write_boxes(boxes: Mapping[str, Iterable[Box]], path: str | Path) -> None:
    """Write the boxes of each image as a CSV file that `read_boxes` reads."""
    rows = [_make_row(image, box) for image, found in boxes.items() for box in found]
    write_table(path, rows, ("path", *CORNERS, "label", *CUT))


def _make_row(image: str, box: Box) -> dict[str, object]:
    corners = {name: _trim(getattr(box, name)) for name in CORNERS}
    cut = dict(zip(CUT, (*map(_trim, box.size), box.visible), strict=True))
    return {"path": keep_spaces(image), **corners, "label": box.label, **cut}


def find_boxes(manifest: Manifest) -> dict[str, Sequence[Box]] | None:
    """Read the boxes of a manifest, or those beside its images; `None` if there are none.

    Another program may have written a file of this name: one with other columns, or only with
    images that are not listed, nor nearly, is passed over with a warning.

    Raises:
        ManifestError: If a row holds no box, or one of an image that `match_boxes` refuses.
    """
    if manifest.boxes is not None:
        return _match(read_boxes(manifest.boxes, manifest.paths), manifest)
    path = manifest.root / BOXES_FILE
    if not path.is_file():
        return None
    columns = _open_boxes(path).columns
    if set(CORNERS) - set(columns) or not set(_PATH_NAMES) & set(columns):
        _LOGGER.warning("%s is passed over: its columns are %s.", path, columns)
        return None
    boxes = read_boxes(path)
    try:
        return _match(boxes, manifest)
    except OtherDataError as error:
        _LOGGER.warning("%s is passed over: %s", path, error)
        return None


def _match(boxes: Mapping[str, Sequence[Box]], manifest: Manifest) -> dict[str, Sequence[Box]]:
    return match_boxes(boxes, [sample.path for sample in manifest.samples], manifest.root)


def check_inside(boxes: Iterable[Box], image: str, size: tuple[int, int]) -> None:
    """Refuse a box beside its image `(height, width)`: it is of another one, or in other units.

    Raises:
        ManifestError: If a box does not reach into the image, or beyond one side alone, and further
            than the image is large, or was drawn on one of another size.
    """
    height, width = size
    for box in boxes:
        place = f"{box.place}, {image}" if box.place else image
        if box.image_size not in (None, (height, width)):
            raise ManifestError(
                f"{place}: a box must be drawn on the image as it is stored, of "
                f"{width} x {height} pixels, and not on one that was resized, or turned by EXIF. "
                f"Received: one of {box.image_size[1]} x {box.image_size[0]} pixels"
            )
        far = _is_far(box.x_min, box.x_max, width) or _is_far(box.y_min, box.y_max, height)
        if far or box.clip(width, height) is None:
            raise ManifestError(
                f"{place}: a box must reach into its image of {width} x {height} pixels, and "
                "beyond it on both sides or no further than the image is large. "
                f"Received: x from {box.x_min} to {box.x_max}, y from {box.y_min} to {box.y_max}"
            )


def _is_far(low: float, high: float, side: float) -> bool:
    """Whether a box ends far beyond one side; one that crosses the image from side to side may.

    One that begins at an edge does not cross it: boxes in other units begin there too.
    """
    crosses = low < -_ROUNDED and high > side + _ROUNDED
    return not crosses and max(-low, high - side) > side


def carry_boxes(manifest: Manifest, folder: str | Path) -> Path | None:
    """Write the boxes beside a manifest's images into the folder it moves to, if there are any.

    Args:
        manifest: The samples, before `relocate`.
        folder: Where a relocated manifest is written.

    Returns:
        The file, if one was written.

    Raises:
        ManifestError: If other boxes are there, which may be someone's annotations and are never
            overwritten.
    """
    source, target = manifest.root / BOXES_FILE, Path(folder) / BOXES_FILE
    if source.resolve() == target.resolve():
        return None
    found = find_boxes(manifest)
    if found is None:
        return None
    moved = {
        relocate_path(path, manifest.root, Path(folder)): list(boxes)
        for path, boxes in found.items()
        if boxes
    }
    if not target.exists():
        write_boxes(moved, target)
        return target
    if _list_rows(read_boxes(target)) != _list_rows(moved):
        raise ManifestError(
            f"Other boxes are in the way; choose another folder, or remove them. Received: {target}"
        )
    return None


def _list_rows(boxes: Mapping[str, Iterable[Box]]) -> set[tuple[object, ...]]:
    return {
        (path, box.label, *(_trim(getattr(box, name)) for name in CORNERS))
        for path, found in boxes.items()
        for box in found
    }


def _open_boxes(path: Path) -> Table:
    return open_table(path, (*_PATH_NAMES, *CORNERS, "label", *CUT))


def _trim(value: float) -> float | int:
    """Write whole numbers without a point; rounding others could make a sliver an empty box."""
    return int(value) if value == int(value) else float(value)
