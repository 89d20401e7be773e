"""Decode the pixels of a DICOM frame."""

from typing import TYPE_CHECKING

import numpy as np

from mscam_tf.data.reading.codestreams import check_codestream, decode_codestream
from mscam_tf.data.reading.stored import find_range, to_grey
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_RLE = "1.2.840.10008.1.2.5"
# JPEG of 12 bits, and without loss, which pydicom itself cannot decode.
_EXTENDED_AND_LOSSLESS = tuple(f"1.2.840.10008.1.2.4.{end}" for end in (51, 57, 70))
_BASELINE = "1.2.840.10008.1.2.4.50"  # Of 8 bits, which pydicom cannot put into cells of 16.
_MARK = 3  # First bytes that tell a compressed image from what follows of it.
_OVERLAYS = range(0x6000, 0x6020, 2)


def count_frames(dataset: "FileDataset") -> int:
    """Return how many frames a file says that it holds."""
    try:
        frames = int(dataset.get("NumberOfFrames") or 1)
    except (TypeError, ValueError):
        frames = 0
    if frames < 1:
        raise MscamError("its NumberOfFrames is no number of at least 1")
    return frames


def check_frame(dataset: "FileDataset", frame: int, max_pixels: int) -> bool:
    """Refuse a frame whose own header, or whose bytes, say other pixels than that of the file.

    Returns:
        Whether its compression may have changed values.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        if "PixelData" in dataset:
            _check_length(dataset)
        return False
    _check_count(dataset)
    if syntax == _RLE:  # Its runs are unpacked into a known size.
        return False
    claim = check_codestream(_get_frame(dataset, frame), max_pixels)
    size = dataset.Rows, dataset.Columns
    if claim[:2] != size:
        raise MscamError(f"its header says {size} pixels, but its compressed image is {claim[:2]}")
    return claim.has_loss


def _check_count(dataset: "FileDataset") -> None:
    """Refuse compressed pixels of more frames than are named.

    A file may list where its frames begin. Without such a list one frame may lie in several
    fragments, of which only the first begins as a compressed image does.
    """
    from pydicom.encaps import generate_fragmented_frames, parse_basic_offsets

    frames, found = count_frames(dataset), len(parse_basic_offsets(dataset.PixelData))
    if frames == 1 and found < 2:
        fragments = next(generate_fragmented_frames(dataset.PixelData, number_of_frames=1))
        found = sum(part[:_MARK] == fragments[0][:_MARK] for part in fragments)
    if found > frames:
        raise MscamError(
            f"its header says {frames} frame(s), but it holds {found}: NumberOfFrames is wrong"
        )


def _check_length(dataset: "FileDataset") -> None:
    """Refuse pixels for twice the image: more frames than are named, or wider cells."""
    frames, samples = count_frames(dataset), dataset.SamplesPerPixel
    bits = dataset.Rows * dataset.Columns * samples * dataset.BitsAllocated * frames
    expected, found = -(-bits // 8), len(dataset.PixelData)
    if found >= 2 * max(expected, 2):  # Less may fill up a block.
        raise MscamError(
            f"its header says {frames} frame(s) of {expected} bytes together, but "
            f"it holds {found} bytes of pixels: NumberOfFrames or BitsAllocated is wrong"
        )


def decode_frame(
    dataset: "FileDataset", frame: int
) -> tuple[np.ndarray, np.ndarray, tuple[int, int] | None]:
    """Return a frame as its cells hold it and by its bits stored, and the range of these bits.

    The bits above `HighBit` do not count, see `check_unused`. Bits below those that are stored are
    refused unless an overlay says that they are its own, because then `HighBit` is likely wrong.
    """
    from pydicom.pixels.utils import pixel_array

    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in _EXTENDED_AND_LOSSLESS or (syntax == _BASELINE and dataset.BitsAllocated > 8):
        cells = _decode_jpeg(dataset, frame)
    else:
        cells = pixel_array(dataset, index=frame, correct_unused_bits=False)
    if cells.dtype.kind == "f":
        return cells, cells, None
    bits = int(dataset.BitsStored)
    full = find_range(bits, signed=bool(dataset.PixelRepresentation))
    grey = to_grey(cells, full)
    if grey.ndim != cells.ndim:
        return grey, grey, full  # Of colours, in which nothing but whole cells occurs.
    return grey, _take_bits(dataset, grey, bits), full


def check_unused(dataset: "FileDataset", cells: np.ndarray, padding: np.ndarray | None) -> None:
    """Refuse bits in use above those that are stored: larger values would be taken for small ones.

    Overlays, if the file says which bits they have, more of a sign, and padding may lie there.

    Args:
        dataset: The file.
        cells: A frame as its cells hold it.
        padding: Where it is no image, as `find_padding` returns it.
    """
    if cells.dtype.kind == "f":
        return
    allocated = 8 * cells.itemsize
    high = min(_find_high(dataset), allocated - 1)
    above = (2**allocated - 2 ** (high + 1)) & ~_find_overlays(dataset)
    if not above:  # Of most files all bits are stored: their pixels need no look.
        return
    raw = cells.astype(f"u{cells.itemsize}", copy=False)
    found = raw & above
    wrong = found != 0
    if cells.dtype.kind == "i":
        wrong &= (found != above) | (raw >> high & 1 == 0)
    if padding is not None:
        wrong &= ~padding
    if wrong.any():
        raise MscamError(
            f"its BitsStored is {dataset.BitsStored} and its HighBit {high}, but bits above are in "
            f"use too, as in the value {cells[wrong][0]}"
        )


def _take_bits(dataset: "FileDataset", cells: np.ndarray, bits: int) -> np.ndarray:
    allocated = 8 * cells.itemsize
    high = _find_high(dataset)
    syntax = dataset.file_meta.TransferSyntaxUID
    moved = high != bits - 1
    if not bits - 1 <= high < allocated or (moved and syntax.is_encapsulated and syntax != _RLE):
        raise MscamError(f"its HighBit is {high}, which does not go with {bits} bits stored")
    below = (2 ** (high - bits + 1) - 1) & ~_find_overlays(dataset)
    if moved and (cells & below).any():
        raise MscamError(f"its HighBit is {high} of {bits} bits, but lower bits are in use too")
    return (cells << (allocated - 1 - high)) >> (allocated - bits)


def _find_high(dataset: "FileDataset") -> int:
    found = dataset.get("HighBit")
    return int(found) if isinstance(found, int) else int(dataset.BitsStored) - 1


def _find_overlays(dataset: "FileDataset") -> int:
    """Return a mask of the bits that the file says to hold overlays."""
    elements = (dataset.get((group, 0x0102)) for group in _OVERLAYS)
    positions = {int(one.value) for one in elements if one is not None and one.value is not None}
    return sum(1 << position for position in positions)


def _decode_jpeg(dataset: "FileDataset", frame: int) -> np.ndarray:
    data = _get_frame(dataset, frame)
    values, _ = decode_codestream(data, dataset.Rows * dataset.Columns)
    if 8 * values.itemsize > dataset.BitsAllocated:
        raise MscamError(f"its compressed image has more than {dataset.BitsAllocated} bits")
    cells = values.astype(f"u{dataset.BitsAllocated // 8}")
    return cells.view(f"i{cells.itemsize}") if dataset.PixelRepresentation else cells


def _get_frame(dataset: "FileDataset", frame: int) -> bytes:
    from pydicom.encaps import get_frame

    return get_frame(dataset.PixelData, frame, number_of_frames=count_frames(dataset))
