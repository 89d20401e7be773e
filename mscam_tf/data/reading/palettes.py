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
            of which the first is not the darkest, as objects may be meant by their grey, and where
            black is another index than 0, and more than half would be objects.
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
    _check_black(indices, palette)
    return indices


def _check_black(indices: np.ndarray, palette: np.ndarray) -> None:
    """Refuse a mask whose background is an object by its index: programs number colours anew."""
    colours = palette[np.unique(indices[indices < len(palette)])]
    black = palette[0].any() and not colours.any(axis=1).all()
    if black and np.count_nonzero(indices) > indices.size / 2:
        raise MscamError(
            "expected a mask in which the colour of index 0 is where no object is, but black has "
            "another index, and more than half of it would be objects; save it as PNG without a "
            "palette, black where no object is"
        )


def _take(image: ImageFile.ImageFile, max_pixels: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return indices and palette `(n, 3)`; to Pillow a BMP whose indices are its greys is grey."""
    if image.mode != "P":
        return None
    check_size(image.height, image.width, max_pixels)
    return np.asarray(image), np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
