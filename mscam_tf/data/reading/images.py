"""Read radiographs as float32 arrays in `[0, 1]`, on one convention of intensity.

Dense objects are bright. Values are taken as they are stored, except where the file itself says
that its lowest value is the brightest (MONOCHROME1 in DICOM, WhiteIsZero in TIFF), or the user
says so (`invert`): these are inverted. A window in the units of the file maps to `[0, 1]`; by
default it is the full range of the bits that the file stores.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from mscam_tf.data.reading.formats import read_stored
from mscam_tf.data.reading.options import ReadOptions
from mscam_tf.data.reading.stored import Stored
from mscam_tf.errors import MscamError
from mscam_tf.files import write_table

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".dcm", ".npy")
MASKS_FOLDER = "masks"
_LISTED = 20  # Bad files that a message names; the error itself holds all.
_AHEAD = 16  # Images that are decoded before they are taken.
_Result = TypeVar("_Result")


class Problem(NamedTuple):
    """An image file that cannot be used, and why."""

    path: Path
    reason: str


class ImageError(MscamError):
    """One or several image files cannot be used; the message names each and says why.

    Attributes:
        problems: All of them; the message names the first 20.
    """

    def __init__(self, problems: Sequence[tuple[Path, str]], advice: str = "") -> None:
        self.problems = [Problem(*problem) for problem in problems]
        lines = [f"  {path}: {reason}" for path, reason in self.problems[:_LISTED]]
        if len(self.problems) > _LISTED:
            lines.append(f"  and {len(self.problems) - _LISTED} more")
        count = f"{len(self.problems)} image files" if len(self.problems) > 1 else "An image file"
        super().__init__("\n".join([f"{count} cannot be read:", *lines, *filter(None, [advice])]))

    @classmethod
    def of_several(cls, problems: Sequence[tuple[Path, str]], readable: bool) -> "ImageError":
        """Return the error of several images; if others are readable, it says how to go on."""
        advice = "Mend them, or leave them out (skip_bad=True, --skip-bad)."
        return cls(problems, advice if readable else "")


def is_image_file(path: Path, folder: Path) -> bool:
    """Whether the suffix of a file below a folder is that of an image.

    Hidden files do not count as images, and neither do files in a folder named `masks`.
    """
    parts = path.relative_to(folder).parts
    listed = MASKS_FOLDER not in parts[:-1] and not any(part.startswith(".") for part in parts)
    return listed and path.suffix.lower() in SUFFIXES and path.is_file()


def read_image(path: str | Path, options: ReadOptions | None = None) -> np.ndarray:
    """Read a grey image, or grey stored as RGB, of 8 to 16 bits.

    A stored value `v` becomes `(v - low) / (high - low)`, where `low` and `high` are the window:
    0 and 255 for 8 bits, 0 and 4095 for a 12-bit TIFF or DICOM file, 0 and 65535 for 16 bits, so
    that two values one step apart stay apart. An inverted image is then subtracted from 1.
    Floats (and integers of more than 16 bits) must lie in `[0, 1]`, or need a window.

    Args:
        path: A PNG, TIFF, DICOM (needs `mscam-tf[dicom]`), NPY, JPEG or BMP file. The first bytes
            decide, not the suffix.
        options: Window, inversion, page and limit; `ReadOptions()` by default.

    Returns:
        Array `(height, width)`, float32 in `[0, 1]`; dense objects are bright.

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


def map_images(
    function: Callable[[Path, ReadOptions], _Result], paths: Iterable[Path], options: ReadOptions
) -> Iterator[_Result | ImageError]:
    """Call a function with each path, some at a time; an image's error takes its result's place.

    Only a few results wait to be taken, however many paths there are.
    """

    def call(path: Path) -> _Result | ImageError:
        try:
            return function(path, options)
        except Exception as error:
            return name_problem(path, error)

    remaining = iter(paths)
    with ThreadPoolExecutor() as pool:
        ahead: deque[Future[_Result | ImageError]] = deque(
            pool.submit(call, path) for path in islice(remaining, _AHEAD)
        )
        while ahead:
            result = ahead.popleft().result()
            ahead.extend(pool.submit(call, path) for path in islice(remaining, 1))
            yield result


def check_images(
    paths: Sequence[Path],
    options: ReadOptions | None = None,
    on_progress: Callable[[int], None] | None = None,
    *,
    skip_bad: bool = False,
) -> tuple[dict[Path, tuple[int, int]], list[Problem]]:
    """Read every file once, so that broken files are found before a long training starts.

    Args:
        paths: Image files.
        options: How they will be read.
        on_progress: Called with 1 after each file.
        skip_bad: Return the unreadable ones instead of raising, as long as one is readable.

    Returns:
        The `(height, width)` of each readable image, and the others with the reasons.

    Raises:
        ImageError: If any cannot be used: all of them are named at once.
    """
    sizes: dict[Path, tuple[int, int]] = {}
    problems: list[Problem] = []
    results = map_images(_measure, paths, options or ReadOptions())
    for path, result in zip(paths, results, strict=True):
        if isinstance(result, ImageError):
            problems += result.problems
        else:
            sizes[path] = result
        if on_progress is not None:
            on_progress(1)
    if problems and not (skip_bad and sizes):
        raise ImageError.of_several(problems, readable=bool(sizes))
    return sizes, problems


def write_problems(problems: Sequence[tuple[Path, str]], path: str | Path) -> None:
    """Write a CSV file of the images that were left out, with the columns path and reason."""
    rows = [{"path": str(file), "reason": reason} for file, reason in problems]
    write_table(path, rows, ("path", "reason"))


def scale_stored(stored: Stored, options: ReadOptions) -> np.ndarray:
    """Map the values of a file to `[0, 1]`, dense bright, as `read_image` does."""
    values = stored.values
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise MscamError("expected numbers, but some values are not finite")
    window = options.window or stored.full
    if window is None:
        window = _check_unit(values)
    low, high = window
    # 16-bit integers are exact in float32; wider values are reduced in float64.
    wide: np.ndarray = values.astype(np.float32 if values.itemsize <= 2 else np.float64)
    scaled = np.clip((wide - low) / (high - low), 0, 1)
    inverted = stored.inverted != options.invert
    return (1 - scaled if inverted else scaled).astype(np.float32, copy=False)


def _check_unit(values: np.ndarray) -> tuple[float, float]:
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        raise MscamError(
            f"expected {values.dtype} values in [0, 1], or a window (window, --window), but they "
            f"span {low} to {high}"
        )
    return 0.0, 1.0


def _measure(path: Path, options: ReadOptions) -> tuple[int, int]:
    height, width = read_image(path, options).shape
    return height, width


def name_problem(path: Path, error: Exception) -> ImageError:
    """Return any error of a decoder as one that names the file."""
    if isinstance(error, ImageError):
        return error
    return ImageError([(path, str(error) or type(error).__name__)])
