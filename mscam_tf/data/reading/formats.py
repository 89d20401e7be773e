"""Decode the image formats, each chosen by the first bytes of the file and not by its name."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import BmpImagePlugin, ImageFile, JpegImagePlugin

from mscam_tf.data.reading.codestreams import (
    JP2,
    JPEG,
    JPEG_2000,
    check_codestream,
    decode_codestream,
)
from mscam_tf.data.reading.dicom import read_dicom
from mscam_tf.data.reading.stored import (
    Stored,
    check_size,
    choose_page,
    find_array_range,
    find_range,
    make_stored,
)
from mscam_tf.data.reading.tiff import read_tiff
from mscam_tf.errors import MscamError

PNG = b"\x89PNG\r\n\x1a\n"
PNG_BITS = 24  # Where its header says how many.
_PNG_HEADER = 33  # Its length, in bytes.
BMP = b"BM"
_BMP_BITS, _BMP_OLD_BITS = 28, 24  # Where its header says how many, and where a short one does.
_BMP_HEADER, _BMP_OLD = 14, 12  # Where its length is, and the length of a short one.
NPY = b"\x93NUMPY"
TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # The last two are BigTIFF.
_ZIP = b"PK\x03\x04"
_CHANNELS = 4  # Grey and alpha, RGB or RGBA.


def read_stored(path: Path, page: int | None, max_pixels: int) -> Stored:
    """Read an image file as it is stored.

    Args:
        path: A PNG, TIFF, DICOM, NPY, JPEG, JPEG-LS, JPEG 2000 or BMP file, whatever its suffix.
        page: Page of a TIFF, frame of a DICOM, first index of a three-dimensional NPY file,
            picture of an MPO (several JPEG in one file), counted from 0; `None` for files that
            hold one image.
        max_pixels: Larger images are refused by their header, before they are decoded.

    Raises:
        Exception: Whatever a decoder raises on a broken file; `ValueError` where the file is
            whole but not a grey image within the limits.
    """
    if not path.exists():
        raise MscamError("no such file")
    if not path.is_file():  # A pipe would keep the reader waiting.
        raise MscamError("expected a file, but it is a folder or a device")
    with path.open("rb") as file:
        head = file.read(132)
    if not head:
        raise MscamError("the file is empty")
    for offset, magic, read in _READERS:
        if head.startswith(magic, offset):
            return read(path, page, max_pixels)
    if head.startswith(_ZIP):
        raise MscamError("expected one array in an NPY file, but it is an archive (NPZ or ZIP)")
    raise MscamError(
        "expected a PNG, TIFF, DICOM, NPY, JPEG, JPEG 2000 or BMP file, by its first bytes"
    )


def _read_png(path: Path, page: int | None, max_pixels: int) -> Stored:
    choose_page(page, 1)
    data = path.read_bytes()
    if len(data) < _PNG_HEADER:
        raise MscamError("the file is truncated")
    width, height = struct.unpack(">II", data[16:24])
    check_size(height, width, max_pixels)
    pictures = _count_animated(data)
    if pictures > 1:
        raise MscamError(
            f"expected one image, but it is an animated PNG of {pictures} pictures; save each "
            "picture as a file of its own"
        )
    # Not Pillow: it would cut 16-bit RGB, and grey with alpha, to 8 bits.
    values = imagecodecs.png_decode(data)
    return make_stored(values, find_array_range(values))


def _count_animated(data: bytes) -> int:
    """Return how many pictures a PNG file holds, by what it says before the first of them."""
    head, _, _ = data.partition(b"IDAT")
    found = head.find(b"acTL")
    shown = int.from_bytes(head[found + 4 : found + 8], "big") if found > 0 else 1
    return shown + (found > 0 and b"fcTL" not in head)  # Then the first is none of those shown.


def _read_pillow(image: ImageFile.ImageFile, page: int | None, max_pixels: int) -> Stored:
    """Read an 8-bit image, or a page of several, that one of Pillow's plugins has opened.

    `PIL.Image.open` has a limit of its own, global to the process; the plugins leave it to us.
    """
    page = choose_page(page, getattr(image, "n_frames", 1))
    if page:
        image.seek(page)
    check_size(image.height, image.width, max_pixels)
    modes = {"1": "L", "L": "L", "RGBA": "RGBA"}
    values = np.asarray(image.convert(modes.get(image.mode, "RGB")))
    return make_stored(values, (0, 255))


def _read_codestream(path: Path, page: int | None, max_pixels: int) -> Stored:
    data = path.read_bytes()
    if check_codestream(data, max_pixels).is_plain:  # Or several such, as cameras write: MPO.
        with JpegImagePlugin.jpeg_factory(io.BytesIO(data)) as image:
            return replace(_read_pillow(image, page, max_pixels), lossy=True)
    choose_page(page, 1)
    values, claim = decode_codestream(data, max_pixels)
    stored = make_stored(values, find_range(claim.bits, signed=claim.signed))
    return replace(stored, lossy=claim.has_loss)


def _read_bmp(path: Path, page: int | None, max_pixels: int) -> Stored:
    with BmpImagePlugin.BmpImageFile(path) as image:
        stored = _read_pillow(image, page, max_pixels)
        two_values = image.mode == "1"
    data = path.read_bytes() if two_values else b""
    if two_values and data[_BMP_BITS if data[_BMP_HEADER] > _BMP_OLD else _BMP_OLD_BITS] != 1:
        # Pillow takes 8 bits a pixel with a palette of black and white for one bit a pixel.
        return make_stored(imagecodecs.bmp_decode(data), (0, 255))
    return stored


def _read_npy(path: Path, page: int | None, max_pixels: int) -> Stored:
    values, full = open_npy(path, page, max_pixels)
    image = np.array(values)
    return Stored(image.astype(np.uint8) if image.dtype == bool else image, full)


def open_npy(
    path: Path, page: int | None, max_pixels: int
) -> tuple[np.ndarray, tuple[int, int] | None]:
    """Return an array `(height, width)` that is mapped from its file, and the range of its type."""
    # Mapped, not loaded: a header that claims more than the file holds costs no memory.
    values = _drop_channel(np.load(path, mmap_mode="r", allow_pickle=False))
    height, width = values.shape[-2:]
    check_size(height, width, max_pixels)
    page = choose_page(page, len(values) if values.ndim == 3 else 1)
    image = values[page] if values.ndim == 3 else values
    return image, (0, 1) if image.dtype == bool else find_array_range(image)


def _drop_channel(values: np.ndarray) -> np.ndarray:
    """Return an array of one image or of pages, which may have a last axis for one channel."""
    expected = "(height, width) or (pages, height, width), with a last axis of 1 or without"
    if values.ndim in (3, 4) and values.shape[-1] == 1:
        values = values[..., 0]
    elif values.ndim == 3 and values.shape[-1] < min(_CHANNELS + 1, *values.shape[:2]):
        raise MscamError(
            f"expected an array {expected}, but the last axis of its shape {values.shape} looks "
            "like channels"
        )
    if values.ndim not in (2, 3):
        raise MscamError(f"expected an array {expected}, but its shape is {values.shape}")
    return values


_READERS: tuple[tuple[int, bytes, Callable[[Path, int | None, int], Stored]], ...] = (
    (128, b"DICM", read_dicom),  # First: what precedes it may look like another format.
    (0, PNG, _read_png),
    *((0, magic, read_tiff) for magic in TIFFS),
    (0, JPEG, _read_codestream),  # And JPEG-LS.
    (0, JPEG_2000, _read_codestream),
    (0, JP2, _read_codestream),
    (0, NPY, _read_npy),
    (0, BMP, _read_bmp),
    # Groups 2 and 8 of a DICOM file that lacks what precedes the first element.
    (0, b"\x02\0", read_dicom),
    (0, b"\0\x02", read_dicom),
    (0, b"\x08\0", read_dicom),
    (0, b"\0\x08", read_dicom),
)
