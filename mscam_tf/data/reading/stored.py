"""The values of an image as its file stores them, and what the readers of all formats check."""

from dataclasses import dataclass

import numpy as np

from mscam_tf.data.reading.admission import ask_for_room
from mscam_tf.errors import MscamError

_GREY_TOLERANCE = 8 / 255  # Share of the range by which JPEG may pull grey channels apart.


@dataclass(frozen=True)
class Stored:
    """An image as its file stores it, before its intensities are mapped to `[0, 1]`.

    Attributes:
        values: `(height, width)`, integers or floats, in the units of the file.
        full: The values that map to 0 and 1 if the user gives no window; `None` if the file does
            not say how many of its bits are in use (floats, integers of more than 16 bits).
        inverted: Whether the file says that its lowest value is the brightest.
        padding: Where the file says that there is no image, `(height, width)`, bool; `None` if it
            says nothing.
        mixed: Whether its channels tell different things: colours that are not quite equal, or an
            alpha that varies.
        lossy: Whether its compression may have changed values.
    """

    values: np.ndarray
    full: tuple[float, float] | None
    inverted: bool = False
    padding: np.ndarray | None = None
    mixed: bool = False
    lossy: bool = False

    @property
    def seen(self) -> np.ndarray:
        """The values of the image without its padding, in one row."""
        return self.values.ravel() if self.padding is None else self.values[~self.padding]


def make_stored(
    values: np.ndarray, full: tuple[float, float] | None, inverted: bool = False
) -> Stored:
    """Return the image of values that may have several channels; see `to_grey`."""
    grey = to_grey(values, full)
    if values.ndim == 2:
        return Stored(grey, full, inverted)
    count = values.shape[-1]
    mixed = (values[..., : 1 if count < 3 else 3] != grey[..., None]).any()
    if count in (2, 4):
        mixed |= (values[..., -1] != values[0, 0, -1]).any()
    return Stored(grey, full, inverted, mixed=bool(mixed))


def check_size(height: int, width: int, max_pixels: int) -> None:
    """Refuse an image by what its header says, before anything is decoded or allocated.

    All readers come through here: where images are read side by side, this also waits for room.
    """
    if height < 1 or width < 1:
        raise MscamError(f"expected an image, but its header says {height} x {width} pixels")
    if height * width > max_pixels:
        raise MscamError(
            f"its header says {height} x {width} pixels, more than the limit of {max_pixels}; "
            "raise it if the file is right (max_pixels, --max-pixels)"
        )
    ask_for_room(height * width)


class PagesError(MscamError):
    """A file holds several pages, and nobody has chosen one."""


def choose_page(page: int | None, pages: int) -> int:
    """Return the page to read; a file of several pages needs a choice."""
    if page is None and pages > 1:
        raise PagesError(
            f"expected one image, but the file holds {pages} pages; choose one of them, counted "
            "from 0 (page, --page)"
        )
    if pages < 1:
        raise MscamError("expected an image, but the file holds none")
    if (page or 0) >= pages:
        raise MscamError(f"expected page {page}, counted from 0, but the file holds {pages}")
    return page or 0


def find_range(bits: int, *, signed: bool = False) -> tuple[int, int] | None:
    """Return the lowest and highest integer of some bits, or `None` for more than 16 of them.

    Examples:
        >>> find_range(12), find_range(16, signed=True), find_range(32)
        ((0, 4095), (-32768, 32767), None)
    """
    if bits > 16:
        return None
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def find_array_range(values: np.ndarray) -> tuple[int, int] | None:
    """Return the range of an array's type, as `find_range` does; `None` for floats."""
    if values.dtype.kind not in "uif":
        raise MscamError(f"expected integers or floats, but the values are {values.dtype}")
    if values.dtype.kind == "f":
        return None
    return find_range(8 * values.itemsize, signed=values.dtype.kind == "i")


def to_grey(values: np.ndarray, full: tuple[float, float] | None) -> np.ndarray:
    """Return `(height, width)` of an image that may be stored as grey and alpha, RGB or RGBA.

    Args:
        values: `(height, width)` or `(height, width, 1 to 4)`.
        full: The range of values, of which grey channels may differ by 3 %; `None` takes that of
            the image.

    Raises:
        ValueError: If the image shows real colour.
    """
    if values.ndim == 2:
        return values
    if values.ndim != 3 or values.shape[-1] > 4:
        raise MscamError(f"expected a grey image, but its values have the shape {values.shape}")
    if values.shape[-1] < 3:
        return values[..., 0]
    red, green, blue = (values[..., channel] for channel in range(3))
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    low, high = full or (lowest.min(), highest.max())
    spread = np.subtract(highest, lowest, dtype=np.float64).max()
    if spread > _GREY_TOLERANCE * (float(high) - float(low)):
        raise MscamError("expected a grey image, but its colour channels differ")
    return green  # The channel that JPEG keeps closest to the luminance.
