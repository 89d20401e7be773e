"""Map the values of a file to `[0, 1]`."""

import numpy as np

from mscam_tf.data.reading.options import ReadOptions
from mscam_tf.data.reading.stored import Stored
from mscam_tf.errors import MscamError


def scale_stored(stored: Stored, options: ReadOptions) -> np.ndarray:
    """Map the values of a file to `[0, 1]`, dense bright, as `read_image` does.

    Padding, which is no image, becomes 0: what is no material.
    """
    seen = stored.seen
    if seen.dtype.kind == "f" and not np.isfinite(seen).all():
        raise MscamError("expected numbers, but some values are not finite")
    low, high = options.window or stored.full or _check_unit(seen)
    scaled = map_window(stored.values, low, high)
    if stored.inverted != options.invert:
        np.subtract(1, scaled, out=scaled)
    if stored.padding is not None:
        scaled[stored.padding] = 0
    if not np.isfinite(scaled).all():
        raise MscamError(f"its values cannot be mapped from the window {low} to {high}")
    return scaled


def map_window(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map a window to `[0, 1]`, float32; what lies outside is clipped."""
    # 16-bit integers, and such ends, are exact in float32; all else is reduced in float64.
    exact = values.itemsize <= 2 and values.dtype.kind in "ui"
    exact = exact and all(abs(end) < 2**20 and end == int(end) for end in (low, high))
    wide: np.ndarray = values.astype(np.float32 if exact else np.float64)
    if low == high:  # A window of one value is a step.
        return (wide > low).astype(np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # In padding; `scale_stored` checks all.
        wide -= low  # In place: images of a hundred million pixels are read, several at once.
        wide /= high - low
        return np.clip(wide, 0, 1, out=wide).astype(np.float32, copy=False)


def is_constant(image: np.ndarray) -> bool:
    """Whether all pixels of an image are alike: it shows nothing.

    Examples:
        >>> is_constant(np.zeros((2, 3))), is_constant(np.eye(2))
        (True, False)
    """
    return bool((image == image.flat[0]).all())


def _check_unit(values: np.ndarray) -> tuple[float, float]:
    low, high = (values.min(), values.max()) if values.size else (0, 1)
    if low < 0 or high > 1:
        raise MscamError(
            f"expected {values.dtype} values in [0, 1], or a window (window, --window), but they "
            f"span {low} to {high}"
        )
    return 0.0, 1.0
