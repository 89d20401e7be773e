"""Read radiographs as float32 arrays in `[0, 1]`, and check a whole list of them beforehand."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
_GREY_TOLERANCE = 8  # Levels of 255 by which JPEG may pull the channels of a grey image apart.


class ImageError(ValueError):
    """One or several image files cannot be used; the message names each and says why."""

    def __init__(self, problems: Sequence[tuple[Path, str]]) -> None:
        self.problems = list(problems)
        lines = [f"  {path}: {reason}" for path, reason in self.problems]
        count = f"{len(lines)} image files" if len(lines) > 1 else "An image file"
        super().__init__(f"{count} cannot be read:\n" + "\n".join(lines))


def is_image_file(path: Path, folder: Path) -> bool:
    """Whether a file found below a folder is an image to list: by its suffix, and not hidden."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and path.is_file() and not hidden


def read_image(path: str | Path) -> np.ndarray:
    """Read a grey image of 8 or 16 bits.

    The full range of the stored type maps to `[0, 1]`: an 8-bit value is divided by 255, a 16-bit
    value by 65535, so that two values one step apart stay apart.

    Args:
        path: A PNG, TIFF, JPEG or BMP file; grey, or grey stored as RGB.

    Returns:
        Array `(height, width)`, float32.

    Raises:
        ImageError: If the file cannot be decoded, is truncated, or shows real colour.
    """
    path = Path(path)
    try:
        with Image.open(path) as image:
            image.load()
            values = np.asarray(_to_grey(image))
    except FileNotFoundError:
        raise ImageError([(path, "no such file")]) from None
    except Exception as error:  # Decoders raise whatever they please on broken files.
        raise ImageError([(path, str(error) or type(error).__name__)]) from error
    if values.dtype == np.uint8:
        return values.astype(np.float32) / 255
    return values.astype(np.float32) / 65535


def check_images(
    paths: Sequence[Path], on_progress: Callable[[int], None] | None = None
) -> list[tuple[int, int]]:
    """Read every file once, so that a broken one shows before a long training starts.

    Args:
        paths: Image files.
        on_progress: Called with 1 after each file.

    Returns:
        The `(height, width)` of each.

    Raises:
        ImageError: If any cannot be used: all of them are named at once.
    """
    sizes: list[tuple[int, int]] = []
    problems: list[tuple[Path, str]] = []
    with ThreadPoolExecutor() as pool:
        for result in pool.map(_try_read, paths):
            if isinstance(result, ImageError):
                problems += result.problems
            else:
                sizes.append(result)
            if on_progress is not None:
                on_progress(1)
    if problems:
        raise ImageError(problems)
    return sizes


def _try_read(path: Path) -> tuple[int, int] | ImageError:
    try:
        height, width = read_image(path).shape
    except ImageError as error:
        return error
    return height, width


def _to_grey(image: Image.Image) -> Image.Image:
    pages = getattr(image, "n_frames", 1)
    if pages > 1:
        raise ValueError(f"expected one image, but the file holds {pages} pages")
    if image.mode in ("L", "I;16", "I;16L", "I;16B"):
        return image
    if image.mode == "I":
        return _check_range(image)
    if image.mode in ("1", "LA"):
        return image.convert("L")
    if image.mode not in ("P", "PA", "RGB", "RGBA", "RGBX"):
        raise ValueError(f"expected a grey image of 8 or 16 bits, but its mode is {image.mode}")
    channels = np.asarray(image.convert("RGB")).astype(np.int16)
    if np.ptp(channels, axis=-1).max() > _GREY_TOLERANCE:
        raise ValueError("expected a grey image, but its colour channels differ")
    return image.convert("L")


def _check_range(image: Image.Image) -> Image.Image:
    """Some 16-bit files open as 32-bit integers: fine as long as their values fit."""
    values = np.asarray(image)
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        raise ValueError(f"expected values of at most 16 bits, but they span {low} to {high}")
    return image
