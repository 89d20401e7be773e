"""The truth about objects: where they are in their images, and how large they are."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mscam_tf.data.labelling import SIZE_MEASURES, measure_boxes
from mscam_tf.data.manifests import (
    CORNERS,
    OBJECT_FILES,
    Box,
    Manifest,
    ManifestError,
    Row,
    Sample,
    Spellings,
    check_objects,
    find_boxes,
    find_denied,
    is_of_boxes,
    match_boxes,
    open_table,
    parse_number,
    read_box,
    refuse_denied,
    split_findings,
    warn_of_twins,
)
from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError
from mscam_tf.evaluation.truth import list_marked
from mscam_tf.names import show_place

_LOGGER = logging.getLogger(__name__)
PIXELS = ("diameter", *SIZE_MEASURES[:-1])  # Sizes in pixels, which have a pitch.


@dataclass(frozen=True)
class TrueObject:
    """An object that is there.

    Attributes:
        box: Around it, in pixels of its image.
        cells: What a table says of it, by column.
        place: The file and line of the table, for messages.
    """

    box: Box
    cells: Mapping[str, str] = field(default_factory=dict)
    place: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """Its class, as the table has it, or else its box."""
        return self.cells.get("label", "").strip() or self.box.label

    def measure(self, column: str) -> float:
        """Return what a column says, or else the `side`, `width`, `length` or `area` of its box.

        Raises:
            ManifestError: If there is no such column, no number in it, or a length that is none.
        """
        number = parse_number(self.cells.get(column, ""))
        if number is not None and (number > 0 or not _is_length(column)):
            return number
        if column in self.cells or column not in SIZE_MEASURES:
            known = [*self.cells, *SIZE_MEASURES]
            where = f"{self.place}: the" if self.place else "The"
            raise ManifestError(
                f"{where} size must be a column of numbers, which are above 0 if they are lengths, "
                f"or of the box: one of {known}. "
                f"Received: {column!r} with {self.cells.get(column)!r}"
            )
        return measure_boxes([self.box], column)[0]

    def name(self, column: str) -> str:
        """Return what a column says in words; `label` may be that of the box."""
        if column == "label" and self.label:
            return self.label
        if column not in self.cells:
            known = [*self.cells, *(["label"] if self.label else [])]
            raise ManifestError(f"There must be a column of {known}. Received: {column!r}")
        return self.cells[column].strip()


def _is_length(column: str) -> bool:
    """Whether a column holds lengths by its name: a size in pixels or mm, which no object lacks."""
    return column in PIXELS or column.endswith("_mm")


def read_objects(
    manifest: Manifest,
    table: str | Path | None = None,
    *,
    findings: Sequence[str] = (),
    good: str | None = None,
    read: ReadOptions | None = None,
) -> dict[str, list[TrueObject]]:
    """Read the objects in the images of a manifest.

    They are those of a table with a row an object; without one, the boxes of the `boxes.csv` beside
    the manifest, and each part of a mask that no box meets. Of a table without the corners of
    boxes, the rows of an image must be in the order of its boxes.

    Args:
        manifest: The images.
        table: A CSV file with the column `path` and others; by default the `objects.csv` or
            `bones.csv` beside the manifest, if there is one.
        findings: All findings, where labels name several of them.
        good: The class of good images, beside `none`.
        read: How masks are read.

    Returns:
        The objects of each image, by its path in the manifest.

    Raises:
        ManifestError: If nothing says where objects are, a table is not as it should be, or a label
            denies what is marked.
        ImageError: If a mask cannot be read.
    """
    boxes, read = find_boxes(manifest) or {}, read or ReadOptions()
    found = [path for name in OBJECT_FILES if (path := manifest.root / name).is_file()]
    if table is not None or found:
        objects = _read_table(manifest, Path(table or found[0]), boxes)
        marked = {
            sample.path: _list_denied(manifest.root, sample, objects, boxes, read, good)
            for sample in manifest.samples
        }
    else:
        objects = {
            sample.path: _read_marked(manifest.root, sample, boxes.get(sample.path, ()), read, good)
            for sample in manifest.samples
        }
        marked = {image: [one.box for one in several] for image, several in objects.items()}
    if not any(objects.values()):
        raise ManifestError(
            f"Objects must be in a table ({' or '.join(OBJECT_FILES)}, --objects), a boxes.csv, or "
            f"the masks of the manifest. Received: {show_place(manifest.root)} without any"
        )
    refuse_denied(
        find_denied(sample, marked[sample.path], findings=findings, good=good)
        for sample in manifest.samples
    )
    return objects


def _read_marked(
    root: Path, sample: Sample, boxes: Sequence[Box], read: ReadOptions, good: str | None
) -> list[TrueObject]:
    """Read the objects of an image; one without a label has that of its image, if that is one."""
    label = sample.label if _names_objects(sample, good) else ""
    marked = list_marked(root, sample, boxes, read)
    return [TrueObject(replace(box, label=box.label or label)) for box in marked]


def _list_denied(
    root: Path,
    sample: Sample,
    objects: Mapping[str, Sequence[TrueObject]],
    boxes: Mapping[str, Sequence[Box]],
    read: ReadOptions,
    good: str | None,
) -> list[Box]:
    """List what the label of an image may deny: its mask, too, where the label denies all."""
    marked = [*(one.box for one in objects.get(sample.path, ())), *boxes.get(sample.path, ())]
    masked = replace(sample, mask="") if _names_objects(sample, good) else sample
    return list_marked(root, masked, marked, read)


def _names_objects(sample: Sample, good: str | None) -> bool:
    """Whether the label of an image names what is in it, and does not deny all objects."""
    return bool(set(split_findings(sample.label)) - {good})


def _read_table(
    manifest: Manifest, path: Path, boxes: Mapping[str, Sequence[Box]]
) -> dict[str, list[TrueObject]]:
    table = open_table(path, ("path", "label", *CORNERS))
    if "path" not in table.columns:
        raise ManifestError(f"{path} must have the column path. Received: {table.columns}")
    paths = [sample.path for sample in manifest.samples]
    spellings = Spellings(paths, manifest.root)
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        name = row.cells["path"].strip()
        if not name:
            raise ManifestError(f"{row.place}: expected an image in the column path")
        rows[spellings.find(name, path.parent) or name].append(row)
    found = match_boxes(rows, paths, manifest.root)  # Some are of other splits.
    without = [image for image, each in found.items() if boxes.get(image) and not each]
    if without:
        _LOGGER.warning(
            "%d images with boxes have no row in %s, such as %s: their objects do not count.",
            len(without),
            path,
            without[0],
        )
    joined = {image: _join(path, image, each, boxes) for image, each in found.items() if each}
    if set(CORNERS) <= set(table.columns):
        warn_of_twins(path, {image: [one.box for one in each] for image, each in joined.items()})
    return joined


def _join(
    path: Path,
    image: str,
    rows: Sequence[Row],
    boxes: Mapping[str, Sequence[Box]],
) -> list[TrueObject]:
    if all(name in rows[0].cells for name in CORNERS):
        return [TrueObject(_read_box(row), row.cells, row.place) for row in rows]
    found = boxes.get(image, ())
    labels = [row.cells.get("label", "").strip() for row in rows]
    known = [box.label for box in found]
    if labels != known and sorted(labels) == sorted(known):
        raise ManifestError(
            f"{rows[0].place}: the rows of {image} must be in the order of its boxes. "
            f"Received: {labels}, and boxes of {known}"
        )
    if len(found) != len(rows):
        raise ManifestError(
            f"{path} must have the corners of boxes, or a row for each box of boxes.csv. "
            f"Received: {len(rows)} rows and {len(found)} boxes of {image}"
        )
    pairs = zip(found, rows, strict=True)
    return [TrueObject(box, row.cells, row.place) for box, row in pairs]


def _read_box(row: Row) -> Box:
    if is_of_boxes(row.cells):  # The boxes.csv of patches: what is cut has the size of the whole.
        box = read_box(row)
        check_objects([box])
        return box
    corners = [parse_number(row.cells[name]) for name in CORNERS]
    if None in corners:
        raise ManifestError(f"{row.place}: expected numbers in {CORNERS}. Received: {row.cells}")
    x_min, y_min, x_max, y_max = (corner or 0.0 for corner in corners)
    label = row.cells.get("label", "").strip()
    try:
        box = Box(x_min, y_min, x_max, y_max, label, place=row.place)
    except MscamError as error:
        raise ManifestError(f"{row.place}: {error}") from None
    check_objects([box])
    return box
