"""Compare two images in detail: everywhere, and not only where both have one strong edge."""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

_SIDE = 96
_FINE, _COARSE, _AROUND = 0.8, 2.0, 6.0  # Pixels: what is kept lies between the first two.
_TILES = 6  # On a side.
_STEPS = 24  # Of a deviation: values are kept in 8 bits.


def take_detail(image: np.ndarray) -> np.ndarray:
    """Keep what is fine in an image, and make it equally strong everywhere.

    Args:
        image: `(H, W)`, float32.

    Returns:
        `(96, 96)`, int8: the band-pass of the image, divided by its deviation nearby.
    """
    size = (_SIDE, _SIDE)
    shrunk = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS), np.float64)
    band = gaussian_filter(shrunk, _FINE) - gaussian_filter(shrunk, _COARSE)
    deviation = np.sqrt(gaussian_filter(band**2, _AROUND))
    least = 0.02 * np.median(deviation) + 1e-9
    return np.clip(np.round(band / (deviation + least) * _STEPS), -127, 127).astype(np.int8)


def compare_details(first: np.ndarray, second: np.ndarray) -> float:
    """Return how alike two images are, at most 1; the same for negatives.

    It is the mean of two correlations: of the whole images, and the median of those of 36 tiles.
    An edge that two different images share crosses few tiles, and does not move their median.

    Args:
        first: From `take_detail`, turned and flipped so that it lies as the second does.
        second: From `take_detail`.
    """
    pair = np.stack([first, second]).astype(np.float64)
    tiles = pair.reshape(2, _TILES, _SIDE // _TILES, _TILES, -1).swapaxes(2, 3)
    tiles = tiles.reshape(2, _TILES**2, -1)
    whole = _correlate(*pair.reshape(2, -1))
    median = float(np.median(_correlate(*tiles))) * np.sign(whole)
    return float(abs(whole) + median) / 2


def _correlate(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return (first * second).sum(-1) / np.maximum(lengths, 1e-9)
