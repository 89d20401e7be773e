"""Read the indices of images that are stored with a palette."""

from pathlib import Path

import numpy as np
from PIL import BmpImagePlugin, ImageFile, PngImagePlugin

from mscam_tf.data.reading.formats import BMP, PNG, TIFFS
from mscam_tf.data.reading.stored import check_size
from mscam_tf.data.reading.tiff import read_tiff_indices
from mscam_tf.errors import MscamError

_PNG_COLOURS, _PALETTE = 25, 3  # Where a PNG says which colours it has, and a palette.


def read_indices(path: Path, head: bytes, max_pixels: int) -> np.ndarray | None:
    """Return the indices of a PNG, TIFF or BMP file with a palette, `(H, W)`; `None` of others.

    Args:
        path: The file.
        head: Its first 26 bytes.
        max_pixels: Larger images are refused by their header.

    Raises:
        Exception: Whatever a decoder raises on a broken file; `MscamError` for a palette of greys
            of which the first is not the darkest: objects may be meant by their grey.
    """
    found = None
    if head.startswith(PNG) and head[_PNG_COLOURS] == _PALETTE:
        with PngImagePlugin.PngImageFile(path) as image:
            found = _take(image, max_pixels)
    elif head.startswith(BMP):
        with BmpImagePlugin.BmpImageFile(path) as image:
            found = _take(image, max_pixels)
    elif head.startswith(TIFFS):
        found = read_tiff_indices(path, max_pixels)
    if found is None:
        return None
    indices, palette = found
    if (palette == palette[:, :1]).all() and palette[0, 0] > palette.min():
        raise MscamError("expected a mask in which 0 is black, but its palette has a lighter grey")
    return indices


def _take(image: ImageFile.ImageFile, max_pixels: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return indices and palette `(n, 3)`; to Pillow a BMP whose indices are its greys is grey."""
    if image.mode != "P":
        return None
    check_size(image.height, image.width, max_pixels)
    return np.asarray(image), np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
