"""Decode the image formats, each chosen by the first bytes of the file and not by its name."""

import struct
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import BmpImagePlugin, ImageFile, JpegImagePlugin

from mscam_tf.data.reading.dicom import read_dicom
from mscam_tf.data.reading.stored import (
    Stored,
    check_codestream,
    check_size,
    choose_page,
    find_array_range,
    find_range,
    to_grey,
)
from mscam_tf.errors import MscamError

_WHITE_IS_ZERO = 0
_GREY_OR_RGB = (_WHITE_IS_ZERO, 1, 2, 6)  # TIFF photometric; 6 is JPEG's YCbCr, decoded as RGB.
_JPEG = 7
PNG = b"\x89PNG\r\n\x1a\n"
PNG_COLOURS = 25  # Where its header says which.
PNG_GREY, PNG_PALETTE = 0, 3
_HEADER_BYTES = 2**16  # More than the tables before the size of a JPEG need.
_COMPRESSIONS = {1: "none", 5: "LZW", _JPEG: "JPEG", 8: "deflate", 32946: "deflate"}


def read_stored(path: Path, page: int | None, max_pixels: int) -> Stored:
    """Read an image file as it is stored.

    Args:
        path: A PNG, TIFF, DICOM, NPY, JPEG or BMP file, whatever its suffix.
        page: Page of a TIFF, frame of a DICOM, first index of a three-dimensional NPY file,
            counted from 0; `None` for files that hold one image.
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
    raise MscamError("expected a PNG, TIFF, DICOM, NPY, JPEG or BMP file, by its first bytes")


def _read_png(path: Path, page: int | None, max_pixels: int) -> Stored:
    choose_page(page, 1)
    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    check_size(height, width, max_pixels)
    # Not Pillow: it would cut 16-bit RGB, and grey with alpha, to 8 bits.
    values = imagecodecs.png_decode(data)
    full = find_array_range(values)
    return Stored(to_grey(values, full), full)


def _read_pillow(
    plugin: type[ImageFile.ImageFile], path: Path, page: int | None, max_pixels: int
) -> Stored:
    """Read 8-bit images with one of Pillow's plugins.

    `PIL.Image.open` has a limit of its own, global to the process; the plugins leave it to us.
    """
    choose_page(page, 1)
    with plugin(path) as image:
        check_size(image.height, image.width, max_pixels)
        grey = image.mode in ("1", "L")
        values = np.asarray(image.convert("L" if grey else "RGB"))
    return Stored(to_grey(values, (0, 255)), (0, 255))


def _read_jpeg(path: Path, page: int | None, max_pixels: int) -> Stored:
    return _read_pillow(JpegImagePlugin.JpegImageFile, path, page, max_pixels)


def _read_bmp(path: Path, page: int | None, max_pixels: int) -> Stored:
    return _read_pillow(BmpImagePlugin.BmpImageFile, path, page, max_pixels)


def _read_tiff(path: Path, page: int | None, max_pixels: int) -> Stored:
    with tifffile.TiffFile(path) as file:
        chosen = file.pages[choose_page(page, len(file.pages))].aspage()
        _check_tiff(chosen, path.stat().st_size, max_pixels)
        values = chosen.asarray(maxworkers=1)  # Images are read side by side, not their strips.
    if values.dtype == bool:
        values = values.astype(np.uint8)
    full = find_array_range(values)
    if full is not None:
        full = find_range(chosen.bitspersample, signed=values.dtype.kind == "i")
    return Stored(to_grey(values, full), full, chosen.photometric == _WHITE_IS_ZERO)


def _check_tiff(page: tifffile.TiffPage, file_size: int, max_pixels: int) -> None:
    check_size(page.imagelength * page.imagedepth, page.imagewidth, max_pixels)
    if page.is_tiled:
        check_size(page.tilelength * page.tiledepth, page.tilewidth, max_pixels)
    if page.photometric not in _GREY_OR_RGB or page.samplesperpixel > 4:
        raise MscamError(
            "expected a grey image, or grey stored as RGB, but its photometric interpretation is "
            f"{page.photometric} with {page.samplesperpixel} samples a pixel"
        )
    if page.compression not in _COMPRESSIONS:
        names = ", ".join(sorted(set(_COMPRESSIONS.values())))
        raise MscamError(f"expected compression by {names}, but it is {page.compression!r}")
    # A strip that is missing would be read as zeros, one cut short sometimes as noise.
    strips = zip(page.dataoffsets, page.databytecounts, strict=True)
    if any(count == 0 or start + count > file_size for start, count in strips):
        raise MscamError("the file is truncated")
    if page.compression == _JPEG:
        for start in page.dataoffsets:
            page.parent.filehandle.seek(start)
            check_codestream(page.parent.filehandle.read(_HEADER_BYTES), max_pixels)


def _read_npy(path: Path, page: int | None, max_pixels: int) -> Stored:
    # Mapped, not loaded: a header that claims more than the file holds costs no memory.
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    if values.ndim not in (2, 3):
        raise MscamError(
            "expected an array (height, width) or (pages, height, width), but its shape is "
            f"{values.shape}"
        )
    height, width = values.shape[-2:]
    check_size(height, width, max_pixels)
    if values.ndim == 3:
        values = values[choose_page(page, len(values))]
    else:
        choose_page(page, 1)
    return Stored(np.array(values), find_array_range(values))


_READERS: tuple[tuple[int, bytes, Callable[[Path, int | None, int], Stored]], ...] = (
    (0, PNG, _read_png),
    (0, b"II*\0", _read_tiff),
    (0, b"MM\0*", _read_tiff),
    (0, b"II+\0", _read_tiff),  # BigTIFF.
    (0, b"MM\0+", _read_tiff),
    (0, b"\xff\xd8\xff", _read_jpeg),
    (0, b"\x93NUMPY", _read_npy),
    (0, b"BM", _read_bmp),
    (128, b"DICM", read_dicom),
)
