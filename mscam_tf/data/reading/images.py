"""Read radiographs as float32 arrays in `[0, 1]`, on one convention of intensity.

Dense objects are bright. Values are taken as they are stored, except where the file itself says
that its lowest value is the brightest (MONOCHROME1 in DICOM, WhiteIsZero in TIFF), or the user
says so (`invert`): these are inverted. A window in the units of the file maps to `[0, 1]`; by
default it is the full range of the bits that the file stores.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from mscam_tf.data.reading.formats import read_stored
from mscam_tf.data.reading.options import ReadOptions
from mscam_tf.data.reading.problems import name_problem
from mscam_tf.data.reading.scaling import scale_stored

SUFFIXES = (
    *(".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".dcm", ".npy"),
    *(".jp2", ".j2k", ".jls"),
)
MASKS_FOLDER = "masks"


def read_image(path: str | Path, options: ReadOptions | None = None) -> np.ndarray:
    """Read a grey image, or grey stored as RGB, of 8 to 16 bits.

    A stored value `v` becomes `(v - low) / (high - low)`, where `low` and `high` are the window:
    0 and 255 for 8 bits, 0 and 4095 for a 12-bit TIFF or DICOM file, 0 and 65535 for 16 bits, so
    that two values one step apart stay apart. An inverted image is then subtracted from 1.
    Floats (and integers of more than 16 bits) must lie in `[0, 1]`, or need a window. A DICOM
    file's own window holds if it is one, and leaves something of the image; its padding becomes 0.

    Args:
        path: A PNG, TIFF, DICOM (needs `mscam-tf[dicom]`), NPY, JPEG, JPEG-LS, JPEG 2000 or BMP
            file. The first bytes decide, not the suffix.
        options: Window, inversion, page and limit; `ReadOptions()` by default.

    Returns:
        Array `(height, width)`, float32 in `[0, 1]`, all finite; dense objects are bright.

    Raises:
        ImageError: If the file cannot be decoded, is truncated, is too large, holds several
            pages and none is chosen, or shows real colour.

    Examples:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.npy"
        >>> np.save(path, np.array([[0, 1024, 4096]], np.uint16))
        >>> read_image(path, ReadOptions(window=(0, 4096)))
        array([[0.  , 0.25, 1.  ]], dtype=float32)
    """
    options = options or ReadOptions()
    path = Path(path)
    try:
        return scale_stored(read_stored(path, options.page, options.max_pixels), options)
    except Exception as error:  # Decoders raise whatever they please on broken files.
        raise name_problem(path, error) from error


def resize_image(image: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Resize an image bilinearly; a larger one is averaged, so that no thin object is lost.

    This needs no TensorFlow, so that images look the same in training and on an inspection line.

    Args:
        image: `(height, width)`, float32.
        image_size: `(height, width)` in pixels.

    Returns:
        Array of this size, float32, within the range of the image.

    Examples:
        >>> resize_image(np.array([[0, 0, 1, 1]], np.float32), (1, 2)).round(3)
        array([[0.143, 0.857]], dtype=float32)
    """
    if image.shape == tuple(image_size):
        return image
    height, width = image_size
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
