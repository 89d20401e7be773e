"""Decode DICOM images; needs the extra `mscam-tf[dicom]`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mscam_tf.data.reading.stored import (
    Stored,
    check_codestream,
    check_size,
    choose_page,
    find_range,
    to_grey,
)
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_DEFLATED = "1.2.840.10008.1.2.1.99"
_RLE = "1.2.840.10008.1.2.5"
_GREY_OR_RGB = ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT")


def read_dicom(path: Path, page: int | None, max_pixels: int) -> Stored:
    """Read a frame in the units that its rescale slope and intercept (or modality LUT) give.

    `full` is the first VOI window of the file, or else the full range of the bits stored. VOI
    LUTs and sigmoid windows are curves for the display: values stay linear, and only the two
    ends of a window are used. A MONOCHROME1 image is inverted.
    """
    try:
        from pydicom import dcmread
        from pydicom.filereader import read_file_meta_info
        from pydicom.pixels.processing import apply_modality_lut
        from pydicom.pixels.utils import pixel_array
    except ImportError:
        raise MscamError("DICOM files need an extra: pip install 'mscam-tf[dicom]'") from None
    syntax = read_file_meta_info(path).get("TransferSyntaxUID")
    if syntax is None:
        raise MscamError("the DICOM file is truncated, or names no transfer syntax")
    if syntax == _DEFLATED:
        raise MscamError("a deflated DICOM file cannot be checked before it is unpacked")
    dataset = dcmread(path)
    _check_header(dataset, max_pixels)
    frame = choose_page(page, int(dataset.get("NumberOfFrames") or 1))
    _check_frame(dataset, frame, max_pixels)
    stored = find_range(dataset.BitsStored, signed=bool(dataset.PixelRepresentation))
    if stored is None:
        raise MscamError(f"expected at most 16 bits, but it stores {dataset.BitsStored}")
    values = to_grey(pixel_array(dataset, index=frame), stored)
    ends = apply_modality_lut(np.array(stored), dataset)
    full = _read_window(dataset) or (float(ends.min()), float(ends.max()))
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    return Stored(apply_modality_lut(values, dataset), full, inverted)


def _check_header(dataset: "FileDataset", max_pixels: int) -> None:
    if "PixelData" not in dataset:
        raise MscamError("the DICOM file holds no image, or is truncated")
    check_size(dataset.Rows, dataset.Columns, max_pixels)
    if dataset.PhotometricInterpretation not in _GREY_OR_RGB:
        raise MscamError(
            "expected a grey image, but its photometric interpretation is "
            f"{dataset.PhotometricInterpretation}"
        )


def _check_frame(dataset: "FileDataset", frame: int, max_pixels: int) -> None:
    """Refuse a compressed frame whose own header says more pixels than that of the file."""
    from pydicom.encaps import get_frame

    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated or syntax == _RLE:  # Its runs are unpacked into a known size.
        return
    frames = int(dataset.get("NumberOfFrames") or 1)
    check_codestream(get_frame(dataset.PixelData, frame, number_of_frames=frames), max_pixels)


def _read_window(dataset: "FileDataset") -> tuple[float, float] | None:
    """Return the ends of the first VOI window, as PS3.3 C.11.2 defines them."""
    center, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None or width <= 1:
        return None
    if dataset.get("VOILUTFunction", "LINEAR") == "LINEAR":
        return center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
    return center - width / 2, center + width / 2


def _first(value: Any) -> float | None:
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else None
    return None if value in (None, "") else float(value)
