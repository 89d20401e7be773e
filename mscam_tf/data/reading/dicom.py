"""Read DICOM files; needs the extra `mscam-tf[dicom]`."""

import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mscam_tf.data.reading.dicom_pixels import (
    check_frame,
    check_unused,
    count_frames,
    decode_frame,
)
from mscam_tf.data.reading.dicom_units import apply_units, find_padding, find_window
from mscam_tf.data.reading.stored import Stored, check_size, choose_page
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_GROUP_LENGTH = b"\x02\0\0\0"  # Of group 2, which is never deflated.
_HEAD = 2**12  # More than group 2 needs.
_START = 132  # Of the elements, after 128 bytes and DICM.
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_NEEDED = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
_NEEDED_OF_INTEGERS = ("BitsStored", "PixelRepresentation")
_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")


def read_dicom(path: Path, page: int | None, max_pixels: int) -> Stored:
    """Read a frame in the units that its rescale slope and intercept (or modality LUT) give.

    They are taken from the functional groups of the frame, from the shared ones, or from the file,
    whichever come first; what is absent or empty is a slope of 1 and an intercept of 0. A slope
    that is 0 or not finite is refused.

    `full` is the first VOI window, of the same places, that is one: both its numbers are finite,
    the width is positive (at least 1 if it is LINEAR), and the image is not blank in it. Without
    one, it is the full range of the bits stored, or of the LUT. VOI LUTs and sigmoid windows are
    curves for the display: values stay linear, and only the two ends of a window are used. A
    MONOCHROME1 image, or one whose PresentationLUTShape is INVERSE, is inverted: once, since the
    standard wants both together. Padding is no image.
    """
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise MscamError("DICOM files need an extra: pip install 'mscam-tf[dicom]'") from None
    dataset = _load(path, max_pixels)
    _check_header(dataset, max_pixels)
    frame = choose_page(page, count_frames(dataset))
    lossy = check_frame(dataset, frame, max_pixels)
    cells, values, stored_range = decode_frame(dataset, frame)
    padding = find_padding(dataset, cells, values)
    check_unused(dataset, cells, padding)
    values, full = apply_units(dataset, frame, values, stored_range)
    inverted = (
        dataset.PhotometricInterpretation == "MONOCHROME1"
        or _read_code(dataset, "PresentationLUTShape") == "INVERSE"
    )
    stored = Stored(values, full, inverted, padding, lossy=lossy)
    return replace(stored, full=find_window(dataset, frame, stored.seen) or full)


def _load(path: Path, max_pixels: int) -> "FileDataset":
    from pydicom import dcmread
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    _check_deflated(path, max_pixels)
    dataset = dcmread(path, force=True)
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if not dataset.file_meta.get("TransferSyntaxUID"):
        # Then pydicom has found out by itself how the elements are written.
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
        if "PixelData" in dataset and dataset["PixelData"].is_undefined_length:
            raise MscamError("its pixels are compressed, but it names no transfer syntax")
    return dataset


def _check_deflated(path: Path, max_pixels: int) -> None:
    """Refuse a deflated file that unpacks to more than images within the limit need."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        start = _START if head[_START - 4 : _START] == b"DICM" else 0
        length = head[start : start + 12]
        if length.startswith(_GROUP_LENGTH):
            start += 12 + int.from_bytes(length[8:], "little")
            head = head[:start]
        if _DEFLATED not in head:
            return
        if not length.startswith(_GROUP_LENGTH):
            raise MscamError("a deflated DICOM file without the length of its group 2 is not read")
        file.seek(start)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        unpacker.decompress(file.read(), 4 * max_pixels + 2**20)
    if unpacker.unconsumed_tail:
        raise MscamError(
            f"the deflated DICOM file unpacks to more than the limit of {max_pixels} pixels needs; "
            "raise it if the file is right (max_pixels, --max-pixels)"
        )


def _check_header(dataset: "FileDataset", max_pixels: int) -> None:
    kinds = [name for name in _PIXELS if dataset.get(name)]
    if not kinds:
        raise MscamError("the DICOM file holds no image, or is truncated")
    needed = _NEEDED + _NEEDED_OF_INTEGERS * (kinds[0] == "PixelData")
    missing = [name for name in needed if not isinstance(dataset.get(name), int)]
    if not dataset.get("PhotometricInterpretation"):
        missing.append("PhotometricInterpretation")
    if missing:
        raise MscamError(f"its DICOM header lacks {', '.join(missing)}")
    dataset.PhotometricInterpretation = _read_code(dataset, "PhotometricInterpretation")
    check_size(dataset.Rows, dataset.Columns, max_pixels)
    if dataset.PhotometricInterpretation not in _GREY + _COLOURS:
        raise MscamError(
            "expected a grey image, but its photometric interpretation is "
            f"{dataset.PhotometricInterpretation}"
        )


def _read_code(dataset: "FileDataset", name: str) -> str:
    """Return a word of the standard, which some writers put in lower case."""
    return str(dataset.get(name) or "").strip().upper()
