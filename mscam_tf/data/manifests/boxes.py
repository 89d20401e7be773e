"""The boxes of many images: read, write, match and carry along."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from mscam_tf.data.manifests.box import CORNERS, Box
from mscam_tf.data.manifests.manifest import (
    Manifest,
    ManifestError,
    keep_spaces,
    open_table,
)
from mscam_tf.data.manifests.relocation import relocate_path
from mscam_tf.files import write_table

BOXES_FILE = "boxes.csv"
_LOGGER = logging.getLogger(__name__)
_PATH_NAMES = ("path", "film", "image")
_CUT = ("object_width", "object_height", "visible")


def read_boxes(path: str | Path) -> dict[str, list[Box]]:
    r"""Read the boxes of many images from a CSV file.

    Args:
        path: A file with the columns `path` (or `film` or `image`), `x_min`, `y_min`, `x_max` and
            `y_max`, and optionally `label`. `mscam tile` adds `object_width`, `object_height` and
            `visible` for boxes that the edge of a patch has cut.

    Returns:
        The boxes of each image, under its path as it is written in the file.

    Raises:
        ManifestError: If a column is missing, or a row holds no box.

    Examples:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "boxes.csv"
        >>> _ = path.write_text("film,x_min,y_min,x_max,y_max\nw1.png,2,3,8,7.5\n")
        >>> read_boxes(path)["w1.png"][0].size
        (6.0, 4.5)
    """
    path = Path(path)
    boxes: dict[str, list[Box]] = defaultdict(list)
    with open_table(path) as reader:
        columns = reader.fieldnames or ()
        name = next((name for name in _PATH_NAMES if name in columns), None)
        if name is None or set(CORNERS) - set(columns):
            raise ManifestError(
                f"{path} must have the columns path, {', '.join(CORNERS)}. Received: {columns}"
            )
        for row in reader:
            try:
                image = PurePath(row[name].strip()).as_posix()
                boxes[image].append(_read_row(row))
            except (TypeError, ValueError, AttributeError) as error:
                place = f"{path}, line {reader.line_num}"
                raise ManifestError(f"{place}: expected a box. {error}. Received: {row}") from None
    return dict(boxes)


def write_boxes(boxes: Mapping[str, Iterable[Box]], path: str | Path) -> None:
    """Write the boxes of each image as a CSV file that `read_boxes` reads."""
    rows = [_make_row(image, box) for image, found in boxes.items() for box in found]
    write_table(path, rows, ("path", *CORNERS, "label", *_CUT))


def _make_row(image: str, box: Box) -> dict[str, object]:
    corners = {name: _trim(getattr(box, name)) for name in CORNERS}
    cut = dict(zip(_CUT, (*map(_trim, box.size), box.visible), strict=True))
    return {"path": keep_spaces(image), **corners, "label": box.label, **cut}


def match_boxes(
    boxes: Mapping[str, Sequence[Box]], paths: Iterable[str]
) -> dict[str, Sequence[Box]]:
    """Find the boxes of each image: by its path, or by its file name if that is unique.

    Args:
        boxes: From `read_boxes`.
        paths: Images, as a manifest lists them.

    Returns:
        For each path its boxes, possibly none. Boxes of images that are not listed are left out,
        and a warning is logged.

    Raises:
        ManifestError: If a file name fits several images, or there are boxes, but of no image in
            `paths`.

    Examples:
        >>> match_boxes({"w1.png": [Box(0, 0, 2, 3)]}, ["films/w1.png", "films/w2.png"])
        {'films/w1.png': [Box(x_min=0, ...)], 'films/w2.png': []}
    """
    found: dict[str, Sequence[Box]] = {path: [] for path in paths}
    named: dict[str, list[str]] = defaultdict(list)
    for path in found:
        named[PurePath(path).name].append(path)
    unmatched: list[str] = []
    for image, rows in boxes.items():
        match = _find_image(image, found, named)
        if match is None:
            unmatched.append(image)
        else:
            found[match] = [*found[match], *rows]
    if boxes and len(unmatched) == len(boxes):
        raise ManifestError(
            "The boxes must be of images that are listed. Received: boxes of "
            f"{unmatched[0]}, images such as {next(iter(found), 'none')}"
        )
    if unmatched:
        _LOGGER.warning(
            "%d boxes are left out: their %d images are not listed, such as %s.",
            sum(len(boxes[image]) for image in unmatched),
            len(unmatched),
            unmatched[0],
        )
    return found


def find_boxes(manifest: Manifest) -> dict[str, Sequence[Box]] | None:
    """Read the boxes beside a manifest's images; `None`, and a warning, if they are of others.

    Only for boxes that the user has not named: another program may have written a file of this
    name.
    """
    path = manifest.root / BOXES_FILE
    if not path.is_file():
        return None
    try:
        return match_boxes(read_boxes(path), [sample.path for sample in manifest.samples])
    except ManifestError as error:
        _LOGGER.warning("%s is passed over: %s", path, error)
        return None


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


def _find_image(
    image: str, paths: Mapping[str, object], named: Mapping[str, Sequence[str]]
) -> str | None:
    if image in paths:
        return image
    fitting = named.get(image, ())
    if len(fitting) > 1:
        raise ManifestError(
            f"A file name must fit one image; give the path of each instead. Received: {image}, "
            f"which fits {len(fitting)} images, such as {fitting[0]} and {fitting[1]}"
        )
    return fitting[0] if fitting else None


def _list_rows(boxes: Mapping[str, Iterable[Box]]) -> set[tuple[object, ...]]:
    return {
        (path, box.label, *(_trim(getattr(box, name)) for name in CORNERS))
        for path, found in boxes.items()
        for box in found
    }


def _read_row(row: Mapping[str, str]) -> Box:
    x_min, y_min, x_max, y_max = (float(row[name]) for name in CORNERS)
    box = Box(x_min, y_min, x_max, y_max, (row.get("label") or "").strip())
    if not row.get("object_width") or not row.get("object_height"):
        return box
    size = (float(row["object_width"]), float(row["object_height"]))
    return replace(box, object_size=size, visible=float(row.get("visible") or 1))


def _trim(value: float) -> float | int:
    """Write whole numbers without a point; rounding others could make a sliver an empty box."""
    return int(value) if value == int(value) else float(value)
