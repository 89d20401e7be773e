"""Compare two images in detail: everywhere, and not only where both have one strong edge."""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

_SIDE = 96
_FINE, _COARSE, _AROUND = 0.8, 2.0, 6.0  # Pixels: what is kept lies between the first two.
_TILES = 6  # On a side.
_RANK = 40  # Percent of the tiles that may be less alike.
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

    It is the correlation that three of five tiles reach: an edge that two different images share
    crosses fewer. Tiles in which one of the images is blank tell nothing.

    Args:
        first: From `take_detail`, turned and flipped so that it lies as the second does.
        second: From `take_detail`.
    """
    tiles = np.stack([_cut(first), _cut(second)])
    tiles = tiles[:, tiles.any(-1).all(0)]
    if not tiles.size:
        return 0.0
    products = tiles.prod(0).sum(-1)
    correlations = products / np.linalg.norm(tiles, axis=-1).prod(0)
    return float(np.percentile(np.sign(products.sum()) * correlations, _RANK))


def _cut(detail: np.ndarray) -> np.ndarray:
    tiles = detail.reshape(_TILES, _SIDE // _TILES, _TILES, -1).swapaxes(1, 2)
    return tiles.reshape(_TILES**2, -1).astype(np.float64)
