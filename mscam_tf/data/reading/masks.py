"""Read masks: which pixels belong to which object."""

from pathlib import Path

import numpy as np
from PIL import PngImagePlugin
from scipy.ndimage import label

from mscam_tf.data.reading.formats import PNG, PNG_COLOURS, PNG_GREY, PNG_PALETTE, read_stored
from mscam_tf.data.reading.images import name_problem
from mscam_tf.data.reading.options import ReadOptions
from mscam_tf.data.reading.stored import (
    check_size,
)
from mscam_tf.errors import MscamError

_UNNUMBERED = {1, 255, 65535}  # What masks without numbers have for an object.


def read_mask(path: str | Path, options: ReadOptions | None = None) -> np.ndarray:
    """Read a mask as whole numbers `(height, width)`, in any format of images.

    Args:
        path: A grey image, or a PNG file with a palette, of which the indices count.
        options: Its limit of pixels; a mask has no page or window.

    Raises:
        ImageError: If the file cannot be read, or has colours.
    """
    options = options or ReadOptions()
    try:
        values = read_mask_values(Path(path), options.max_pixels)
    except Exception as error:  # Decoders raise whatever they please on broken files.
        raise name_problem(Path(path), error) from error
    return values.astype(np.int32)


def number_objects(mask: np.ndarray) -> np.ndarray:
    """Number the objects of a mask: by its values if these are numbers, else by region from 1."""
    values = np.unique(mask[mask != 0]).tolist()
    if len(values) > 1 or not _UNNUMBERED.issuperset(values):
        return mask.astype(np.int32)
    numbered, _ = label(mask, structure=np.ones((3, 3)), output=np.int32)
    return numbered


def read_mask_values(path: Path, max_pixels: int) -> np.ndarray:
    """Read a mask as `read_stored` does, but a PNG file with a palette by its indices.

    Raises:
        Exception: As `read_stored`; `ValueError` for a PNG file of several channels, whose numbers
            of objects may stand in any of them.
    """
    with path.open("rb") as file:
        head = file.read(26)
    if head.startswith(PNG) and head[PNG_COLOURS] == PNG_PALETTE:
        with PngImagePlugin.PngImageFile(path) as image:
            check_size(image.height, image.width, max_pixels)
            return np.asarray(image)
    if head.startswith(PNG) and head[PNG_COLOURS] != PNG_GREY:
        raise MscamError("expected a mask of one channel, but it has several")
    stored = read_stored(path, None, max_pixels)
    if stored.inverted and stored.full is not None:
        return sum(stored.full) - stored.values
    return stored.values
