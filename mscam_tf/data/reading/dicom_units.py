"""What the values of a DICOM frame mean: rescaling, windows, and padding."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mscam_tf.data.reading.scaling import map_window
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

_PADDING = {
    "PixelData": ("PixelPaddingValue", "PixelPaddingRangeLimit"),
    "FloatPixelData": ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    "DoubleFloatPixelData": ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
}


def apply_units(
    dataset: "FileDataset", frame: int, values: np.ndarray, full: tuple[float, float] | None
) -> tuple[np.ndarray, tuple[float, float] | None]:
    """Return the values of a frame and their full range in the units of the file."""
    table = next(iter(dataset.get("ModalityLUTSequence") or ()), None)
    if table is not None and table.get("LUTDescriptor") and table.get("LUTData"):
        return _look_up(dataset, table, values)
    place = _find_place(dataset, frame, "PixelValueTransformationSequence", "RescaleSlope")
    place = place or _find_place(
        dataset, frame, "PixelValueTransformationSequence", "RescaleIntercept"
    )
    slope, intercept = _read_line(place or dataset)
    if (slope, intercept) == (1, 0):
        return values, full
    if full is not None:
        low, high = sorted(end * slope + intercept for end in full)
        full = low, high
    with np.errstate(over="ignore", invalid="ignore"):  # What is not finite is refused later.
        return values * np.float64(slope) + intercept, full


def find_window(dataset: "FileDataset", frame: int, seen: np.ndarray) -> tuple[float, float] | None:
    """Return the ends of the first usable VOI window, as PS3.3 C.11.2 defines them.

    Args:
        dataset: The file.
        frame: Which of its frames.
        seen: The rescaled values of the image, without padding.
    """
    place = _find_place(dataset, frame, "FrameVOILUTSequence", "WindowCenter")
    if place is None or not seen.size:
        return None
    function = str(place.get("VOILUTFunction") or "LINEAR").strip().upper()
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise MscamError(f"its VOILUTFunction is unknown: {function}")
    centers, widths = (_read_numbers(place, name) for name in ("WindowCenter", "WindowWidth"))
    extremes = np.array([seen.min(), seen.max()])
    for start, end in _list_windows(centers, widths, function == "LINEAR"):
        lowest, highest = map_window(extremes, start, end)
        if lowest < highest:  # Otherwise the image would be blank.
            return start, end
    return None


def find_padding(
    dataset: "FileDataset", cells: np.ndarray, values: np.ndarray
) -> np.ndarray | None:
    """Return where a frame holds padding, and no image; `None` if the file does not say.

    Padding may need more bits than the image, so that it is looked for in whole cells as well.
    """
    names = next(names for kind, names in _PADDING.items() if dataset.get(kind))
    first, last = (_list_numbers(dataset, name)[:1] for name in names)
    if not first:
        return None
    if values.dtype.kind != "f" and not all(map(math.isfinite, first + last)):
        raise MscamError(f"its {names[0]} is no number")
    ends = sorted(_to_cell(end, cells.dtype) for end in first + last)
    low, high = ends[0], ends[-1]
    found = (values >= low) & (values <= high)
    if math.isnan(low):
        found = np.isnan(values)
    if dataset.get("HighBit") in (None, dataset.get("BitsStored", 0) - 1):
        found |= (cells >= low) & (cells <= high)
    return found if found.any() else None


def _find_place(dataset: "FileDataset", frame: int, sequence: str, name: str) -> "Dataset | None":
    """Return what holds an element for a frame: its own group, the shared one, or the file."""
    groups = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())[frame : frame + 1]
    groups += list(dataset.get("SharedFunctionalGroupsSequence") or ())[:1]
    places = [place for group in groups for place in list(group.get(sequence) or ())[:1]]
    for place in [*places, dataset]:
        if name in place and place[name].value not in (None, "", []):
            return place
    return None


def _read_line(place: "Dataset") -> tuple[float, float]:
    """Return the rescale slope and intercept."""
    numbers = []
    for name, absent in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)):
        found = _list_numbers(place, name) or [absent]
        if len(found) > 1 or not math.isfinite(found[0]):
            raise MscamError(f"expected a finite {name}, but it is {place.get(name)}")
        numbers.append(found[0])
    slope, intercept = numbers
    if slope == 0:
        raise MscamError("its RescaleSlope is 0, which makes all values alike")
    if np.spacing(abs(intercept)) > abs(slope):  # Steps of the slope are lost in rounding.
        raise MscamError(
            f"its RescaleIntercept of {intercept:g} is too large for its RescaleSlope of "
            f"{slope:g}: values that differ become alike"
        )
    return slope, intercept


def _list_windows(
    centers: Sequence[float | None], widths: Sequence[float | None], linear: bool
) -> Iterator[tuple[float, float]]:
    """Yield the ends of windows that are such."""
    for center, width in zip(centers, widths, strict=False):
        if center is None or width is None:
            continue
        if linear and width >= 1:
            center, width = center - 0.5, width - 1
        elif linear or not width > 0:
            continue
        ends = center - width / 2, center + width / 2
        if all(map(math.isfinite, ends)):
            yield ends


def _list_numbers(place: "Dataset", name: str) -> list[float]:
    """Return the numbers of an element, as `_read_numbers`, without what is empty."""
    return [number for number in _read_numbers(place, name) if number is not None]


def _read_numbers(place: "Dataset", name: str) -> list[float | None]:
    """Return the numbers of an element. NaN is one, but text such as 40,5 is refused."""
    value: Any = place.get(name)
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    values = value if several else [value]
    try:
        return [None if item in (None, "") else float(item) for item in values]
    except (TypeError, ValueError, OverflowError):
        raise MscamError(
            f"expected numbers with a point for its {name}, but it is {value}"
        ) from None


def _look_up(
    dataset: "FileDataset", table: "Dataset", values: np.ndarray
) -> tuple[np.ndarray, tuple[float, float]]:
    """Return the values of a modality LUT, and the range of the table."""
    if values.dtype.kind == "f":
        raise MscamError("its modality LUT does not go with pixels that are floats")
    count, first, _ = (int(number) for number in table.LUTDescriptor)
    count = count or 2**16
    if values.dtype.kind == "i":
        first = int(_to_cell(first, np.dtype("i2")))
    entries = _read_entries(dataset, table, count)
    if len(entries) != count:
        raise MscamError(f"expected {count} entries in its modality LUT, but it has {len(entries)}")
    found = entries[np.clip(values.astype(np.int64) - first, 0, count - 1)]
    return found, (float(entries.min()), float(entries.max()))


def _read_entries(dataset: "FileDataset", table: "Dataset", count: int) -> np.ndarray:
    data = table.LUTData
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data, np.uint16))
    if len(data) in (count, count + 1) and count > 1:  # Of 8 bits, and a byte that fills up.
        return np.frombuffer(data, np.uint8)[:count]
    little = dataset.file_meta.TransferSyntaxUID.is_little_endian
    return np.frombuffer(data, "<u2" if little else ">u2").astype(np.uint16)


def _to_cell(number: float, dtype: np.dtype) -> float:
    """Return a number as cells of a type hold it: 63536 is -2000 in signed ones of 16 bits."""
    if dtype.kind == "f":
        return number
    wrapped = int(number) % 2 ** (8 * dtype.itemsize)
    signed = dtype.kind == "i" and wrapped >= 2 ** (8 * dtype.itemsize - 1)
    return wrapped - 2 ** (8 * dtype.itemsize) if signed else wrapped
