"""Decode TIFF images."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from mscam_tf.data.reading.codestreams import check_codestream
from mscam_tf.data.reading.stored import (
    Stored,
    check_size,
    choose_page,
    find_array_range,
    find_range,
    make_stored,
)
from mscam_tf.errors import MscamError

_WHITE_IS_ZERO, _PALETTE = 0, 3
_YCBCR, _JPEG = 6, 7
_PHOTOMETRIC = (_WHITE_IS_ZERO, 1, 2, _PALETTE, _YCBCR)
_PHOTOMETRIC_TAG = 262
_ALPHA = {1, 2}  # Values of ExtraSamples.
_SEPARATE = 2  # Planes, one for each sample.
_NONE = 1
_CODESTREAMS = {_JPEG: "JPEG", 33003: "JPEG 2000", 33004: "JPEG 2000", 33005: "JPEG 2000"}
_CODESTREAMS |= {33007: "JPEG", 34892: "JPEG", 34712: "JPEG 2000"}
# The others unpack into the size of their strip. What has a size of its own that is not checked
# here (WebP, JPEG XL and so on) could fill the memory.
_COMPRESSIONS = {_NONE: "none", 2: "CCITT", 3: "CCITT", 4: "CCITT", 5: "LZW", 8: "deflate"}
_COMPRESSIONS |= {32946: "deflate", 32773: "PackBits", 34925: "LZMA", 50000: "Zstandard"}
_COMPRESSIONS |= _CODESTREAMS
_AHEAD = 2**24  # Bytes that are read at once of a file that is decoded in strips.
_HEADER_BYTES = 2**16  # More than the tables before the size of a JPEG need.


def read_tiff(path: Path, page: int | None, max_pixels: int) -> Stored:
    """Read a page of a TIFF file."""
    with tifffile.TiffFile(path) as file:
        chosen = file.pages[choose_page(page, len(file.pages))].aspage()
        lossy = _check_tiff(chosen, path.stat().st_size, max_pixels)
        _check_stack(file)
        values = chosen.asarray(maxworkers=1)  # Images are read side by side, not their strips.
        palette = chosen.colormap
    if chosen.samplesperpixel > 1 and chosen.planarconfig == _SEPARATE:
        values = np.moveaxis(values, 0, -1)
    if chosen.photometric == _PALETTE:
        return _look_up(values, palette)
    if values.dtype == bool:
        values = values.astype(np.uint8)
    _check_extra(chosen, values)
    full = _find_full(chosen, values.dtype)
    stored = make_stored(values, full, chosen.photometric == _WHITE_IS_ZERO)
    return replace(stored, lossy=lossy)


def read_tiff_indices(path: Path, max_pixels: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the indices `(H, W)` and the palette `(n, 3)` of a file with one page that has one."""
    with tifffile.TiffFile(path) as file:
        chosen = file.pages[choose_page(None, len(file.pages))].aspage()
        if chosen.photometric != _PALETTE or chosen.colormap is None:
            return None
        _check_tiff(chosen, path.stat().st_size, max_pixels)
        _check_stack(file)
        return chosen.asarray(maxworkers=1), np.transpose(chosen.colormap)


def open_tiff_strips(
    path: Path, page: int | None, max_pixels: int, opened: ExitStack
) -> tuple[tuple[int, int], tuple[int, int] | None, bool, Iterator[np.ndarray]] | None:
    """Return size, range and inversion of a page, and its strips of rows.

    It is `None` for a page that must be decoded whole: one of several samples, or with a palette.

    Args:
        path: The file.
        page: Which page.
        max_pixels: As for `read_tiff`.
        opened: What keeps the file open as long as strips are read.
    """
    file = opened.enter_context(tifffile.TiffFile(path))
    chosen = file.pages[choose_page(page, len(file.pages))].aspage()
    _check_tiff(chosen, path.stat().st_size, max_pixels)
    _check_stack(file)
    if chosen.samplesperpixel > 1 or chosen.imagedepth > 1 or chosen.photometric == _PALETTE:
        return None
    size = (chosen.imagelength, chosen.imagewidth)
    inverted = chosen.photometric == _WHITE_IS_ZERO
    strips = iter([chosen.asarray(out="memmap")]) if chosen.is_memmappable else _decode(chosen)
    return size, _find_full(chosen, chosen.dtype), inverted, strips


def _decode(page: tifffile.TiffPage) -> Iterator[np.ndarray]:
    """Decode a grey page in rows of strips or tiles."""
    rows, top = np.empty((0, page.imagewidth), page.dtype), 0
    segment: Any
    for segment, (_, _, row, column, _), _ in page.segments(maxworkers=1, buffersize=_AHEAD):
        if row != top:
            yield rows
        if row != top or not len(rows):
            height = min(segment.shape[1], page.imagelength - row)
            rows, top = np.zeros((height, page.imagewidth), page.dtype), row
        place = rows[:, column : column + segment.shape[2]]
        place[:] = segment[0, : len(rows), : place.shape[1], 0]  # Tiles reach over the edges.
    yield rows


def _find_full(page: tifffile.TiffPage, dtype: Any) -> tuple[int, int] | None:
    """Return the range of the bits that a page uses, `None` for floats."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return find_range(page.bitspersample)
    if find_array_range(np.empty(0, dtype)) is None:
        return None
    return find_range(page.bitspersample, signed=kind == "i")


def _check_tiff(page: tifffile.TiffPage, file_size: int, max_pixels: int) -> bool:
    """Refuse what is not read; return whether the compression may have changed values."""
    check_size(page.imagelength * page.imagedepth, page.imagewidth, max_pixels)
    if page.is_tiled:
        check_size(page.tilelength * page.tiledepth, page.tilewidth, max_pixels)
    if _PHOTOMETRIC_TAG not in page.tags:  # Nobody knows whether its lowest value is bright.
        raise MscamError("its TIFF header lacks PhotometricInterpretation")
    undecoded = page.photometric == _YCBCR and page.compression != _JPEG  # Which makes it RGB.
    if page.photometric not in _PHOTOMETRIC or undecoded or page.samplesperpixel > 4:
        raise MscamError(
            "expected a grey image, or grey stored as RGB, but its photometric interpretation is "
            f"{page.photometric} with {page.samplesperpixel} samples a pixel"
        )
    if page.compression not in _COMPRESSIONS:
        names = ", ".join(sorted(set(_COMPRESSIONS.values())))
        raise MscamError(f"expected compression by {names}, but it is {page.compression!r}")
    _check_strips(page, file_size)
    lossy = False
    for start in page.dataoffsets if page.compression in _CODESTREAMS else ():
        page.parent.filehandle.seek(start)
        lossy |= check_codestream(page.parent.filehandle.read(_HEADER_BYTES), max_pixels).has_loss
    return lossy


def _check_stack(file: tifffile.TiffFile) -> None:
    """Refuse a stack of which the header describes the first image only, as for large ones."""
    if len(file.pages) == 1 and file.series[0].size > file.pages.first.size:
        raise MscamError(
            "expected one image, but its only page is the first of a stack "
            f"{file.series[0].shape}; save each image as a page or a file of its own"
        )


def _check_strips(page: tifffile.TiffPage, file_size: int) -> None:
    """Refuse strips that are missing, cut short or empty: they would be read as zeros or noise."""
    strips = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    short = page.compression == _NONE and sum(page.databytecounts) < _count_bytes(page)
    if short or any(count == 0 or start + count > file_size for start, count in strips):
        raise MscamError("the file is truncated")
    if len(strips) < int(np.prod(page.chunked)):
        raise MscamError(
            f"expected {int(np.prod(page.chunked))} strips or tiles, but the file has {len(strips)}"
        )


def _check_extra(page: tifffile.TiffPage, values: np.ndarray) -> None:
    """Refuse a last sample that is another image, such as of a second energy, and no alpha."""
    if page.samplesperpixel not in (2, 4) or (set(page.extrasamples) & _ALPHA):
        return
    last = values[..., -1]
    if (last != last[0, 0]).any() and (last != values[..., 0]).any():
        raise MscamError(
            f"expected one image, but it has {page.samplesperpixel} samples a pixel, and does not "
            "say that the last is alpha (ExtraSamples); save each image as a file of its own"
        )


def _count_bytes(page: tifffile.TiffPage) -> int:
    """Return the bytes that the rows of an image need at least."""
    samples, planes = page.samplesperpixel, 1
    if page.planarconfig == _SEPARATE:
        samples, planes = 1, samples
    row = -(-page.imagewidth * samples * page.bitspersample // 8)
    return int(row * page.imagelength * page.imagedepth * planes)


def _look_up(indices: np.ndarray, palette: np.ndarray | None) -> Stored:
    """Read an image by its palette, of 16 bits or of 8 that writers store in two ways."""
    if palette is None or len(palette) != 3 or indices.ndim != 2:
        raise MscamError("expected a grey image, but it has a palette that cannot be read")
    highest = 65535
    for factor in (256, 257):  # The two ways to write 8 bits.
        if (palette % factor == 0).all():
            palette = palette // factor
    if (palette < 256).all():
        highest = 255
    return make_stored(np.moveaxis(palette[:, indices], 0, -1), (0, highest))
