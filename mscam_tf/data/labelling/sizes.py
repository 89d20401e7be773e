"""Measure objects in masks and boxes, and images by their objects."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects

from mscam_tf.data.manifests import (
    NO_OBJECT,
    Box,
    Manifest,
    ManifestError,
    Sample,
    check_inside,
    parse_number,
)
from mscam_tf.data.reading import (
    ImageError,
    ReadOptions,
    map_images,
    number_objects,
    read_mask_of,
    read_size,
    read_sizes,
)
from mscam_tf.errors import MscamError
from mscam_tf.names import show_place

SIZE_MEASURES = ("side", "width", "length", "area")
_LISTED = 5  # Rows that a message names.


def measure_boxes(boxes: Sequence[Box], measure: str = "side") -> list[float]:
    """Measure the objects in boxes.

    If the edge of a patch has cut a box, the whole object is measured: a large object is large even
    if only a corner of it is visible.

    Args:
        boxes: The boxes of an image.
        measure: `side` (square root of the area), `width` (shorter side), `length` (longer side),
            in pixels, or `area` in square pixels.

    Returns:
        The size of each.

    Examples:
        >>> [measure_boxes([Box(0, 0, 9, 4)], measure)[0] for measure in SIZE_MEASURES]
        [6.0, 4.0, 9.0, 36.0]
    """
    _check_measure(measure)
    return [_measure(*box.size, measure) for box in boxes]


def measure_mask(mask: np.ndarray, measure: str = "width") -> list[float]:
    """Measure the objects in a mask.

    Args:
        mask: `(height, width)`, whole numbers, nonzero where an object is. If the values differ,
            or the only one is not 1, 255 or 65535, each is an object; otherwise each connected
            region is one (diagonals connect).
        measure: `width` (twice the largest distance from inside the object to its edge: the
            diameter of the largest disc that fits), `side` (square root of the bounding box's
            area), `length` (the box's longer side), in pixels, or `area` (number of pixels).

    Returns:
        The size of each.

    Examples:
        >>> import numpy as np
        >>> mask = np.zeros((10, 10), int)
        >>> mask[2:5, 1:9] = 1  # A bar, 3 pixels wide.
        >>> [measure_mask(mask, measure)[0] for measure in SIZE_MEASURES]
        [4.8989..., 3.0, 8.0, 24.0]
    """
    _check_measure(measure)
    objects = number_objects(mask)
    sizes = []
    for number, window in enumerate(find_objects(objects), start=1):
        if window is not None:
            sizes.append(_measure_region(objects[window] == number, measure))
    return sizes


def measure_images(
    manifest: Manifest,
    source: str,
    *,
    boxes: Mapping[str, Sequence[Box]] | None = None,
    column: str | None = None,
    measure: str | None = None,
    smallest: bool = False,
    min_visible: float = 0.5,
    read: ReadOptions | None = None,
) -> np.ndarray:
    """Measure each image: the size of its largest object, or 0 where it has none.

    Args:
        manifest: The samples.
        source: `masks` (each sample's mask), `boxes`, or `column` (sizes measured elsewhere).
        boxes: For `boxes`: those of each path, from `match_boxes`.
        column: For `column`: name of the column that holds each image's size, 0 where there is no
            object; it may be empty for an image that is labelled `none`.
        measure: How an object is measured: by default `width` in masks and `side` in boxes.
        smallest: Take the smallest object instead of the largest.
        min_visible: Leave out boxes of objects of which less than this share is in the image.
        read: The limit of pixels of masks and images.

    Returns:
        Sizes `(n,)`, float64.

    Raises:
        ManifestError: If no sample has a mask, a box lies beside its image, there is no such
            column, or a cell of it is no size, or empty for an image with an object.
        ImageError: If a mask, or an image with a box, cannot be read, or a mask has another size
            than its image.
    """
    if not 0 <= min_visible <= 1:
        raise MscamError(f"`min_visible` must be from 0 to 1. Received: min_visible={min_visible}")
    if measure is not None:
        _check_measure(measure)
    if source == "column":
        name = _check_column(manifest, column)
        return _read_column(manifest, name)
    if source == "masks":
        if not any(sample.mask for sample in manifest.samples):
            raise ManifestError(
                f"Sizes from masks need a column mask. Received: {show_place(manifest.root)}"
            )
        lists = _measure_masks(manifest, measure or "width", read or ReadOptions())
    elif source == "boxes":
        visible = _find_visible(manifest, boxes or {}, min_visible, read or ReadOptions())
        lists = [
            measure_boxes(visible.get(s.path, ()), measure or "side") for s in manifest.samples
        ]
    else:
        raise MscamError(f"`source` must be masks, boxes or column. Received: source={source!r}")
    choose = min if smallest else max
    return np.array([choose(sizes, default=0.0) for sizes in lists])


def _measure(width: float, height: float, measure: str) -> float:
    area = float(width * height)
    sizes = {"side": area**0.5, "width": min(width, height), "length": max(width, height)}
    return float(sizes.get(measure, area))


def _measure_region(region: np.ndarray, measure: str) -> float:
    if measure == "area":
        return float(region.sum())
    if measure != "width":
        height, width = region.shape
        return _measure(width, height, measure)
    # Each pixel as two by two, so that the distance to the edge is exact at any whole width.
    doubled = np.pad(region.repeat(2, 0).repeat(2, 1), 1)
    return float(distance_transform_edt(doubled).max())


def _measure_masks(manifest: Manifest, measure: str, read: ReadOptions) -> list[list[float]]:
    """Measure the objects in all masks, each of which must be of the size of its image."""
    masked = [manifest.root / sample.path for sample in manifest.samples if sample.mask]
    sizes = read_sizes(masked, read)
    lists: list[list[float]] = []
    for path, sample in zip(manifest.paths, manifest.samples, strict=True):
        mask = manifest.root / sample.mask if sample.mask else None
        found = None if mask is None else read_mask_of(path, mask, read, sizes.get(path))
        lists.append([] if found is None else measure_mask(found, measure))
    return lists


def _find_visible(
    manifest: Manifest, boxes: Mapping[str, Sequence[Box]], least: float, read: ReadOptions
) -> dict[str, list[Box]]:
    """Return the boxes of each image of which this share at least lies inside the image."""
    boxed = [sample.path for sample in manifest.samples if boxes.get(sample.path)]
    sizes = map_images(read_size, [manifest.root / path for path in boxed], read)
    found = {}
    for path, size in zip(boxed, sizes, strict=True):
        if isinstance(size, ImageError):
            raise size
        check_inside(boxes[path], path, size)
        cut = (box.clip(size[1], size[0]) for box in boxes[path])
        found[path] = [box for box in cut if box is not None and box.visible >= least]
    return found


def _check_column(manifest: Manifest, column: str | None) -> str:
    columns = list(dict.fromkeys(name for sample in manifest.samples for name in sample.extra))
    if column not in columns:
        raise ManifestError(
            f"`column` (--column) must be one of {columns}. Received: column={column!r}"
        )
    return column


def _read_column(manifest: Manifest, column: str) -> np.ndarray:
    """Read a size of each image. Of one that is unknown nobody may conclude that there is none."""
    unknown = [s for s in manifest.samples if s.label != NO_OBJECT and not _find_cell(s, column)]
    if unknown:
        named = ", ".join(sample.place or sample.path for sample in unknown[:_LISTED])
        more = f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else ""
        raise ManifestError(
            f"The column {column!r} must hold a size for each image that is not labelled "
            f"{NO_OBJECT!r}: write it there, 0 if there is no object, or leave the image out. "
            f"Received: no size in {len(unknown)} rows: {named}{more}"
        )
    return np.array([_read_size(sample, column) for sample in manifest.samples])


def _read_size(sample: Sample, column: str) -> float:
    text = _find_cell(sample, column)
    size = parse_number(text) if text else 0.0
    if size is None or size < 0:
        raise ManifestError(
            f"{sample.place or sample.path}: the column {column!r} must hold a size of at least 0. "
            f"Received: {sample.extra.get(column)!r}"
        )
    return size


def _find_cell(sample: Sample, column: str) -> str:
    return sample.extra.get(column, "").strip()


def _check_measure(measure: str) -> None:
    if measure not in SIZE_MEASURES:
        raise MscamError(f"`measure` must be one of {SIZE_MEASURES}. Received: measure={measure!r}")
