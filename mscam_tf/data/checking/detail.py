"""Compare two images in detail: everywhere, and not only where both have one strong edge."""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

_SIDE = 96
_FINE, _COARSE, _AROUND = 0.8, 2.0, 6.0  # Pixels: what is kept lies between the first two.
_TILES = 6  # On a side.
_RANK, _INNER_RANK = 40, 60  # Percent of all tiles, and of the inner ones, that may be less alike.
_INNER = np.pad(np.ones((_TILES - 2, _TILES - 2), bool), 1).ravel()
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


def compare_details(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how alike an image is to others, at most 1; the same for negatives.

    It is the correlation that three of five tiles reach, and two of five of those that are not at
    the border: an edge that two different images share crosses fewer, and a frame around both
    leaves out the middle. Tiles in which one of the two images is blank tell nothing.

    Args:
        one: From `take_detail`, turned and flipped so that it lies as the others do.
        others: `(n, 96, 96)`, from `take_detail`.

    Returns:
        `(n,)`.
    """
    tiles, other_tiles = _cut(one[None])[0], _cut(others)
    products = np.einsum("tp,ntp->nt", tiles, other_tiles)
    norms = np.linalg.norm(tiles, axis=-1) * np.linalg.norm(other_tiles, axis=-1)
    signs = np.sign(products.sum(1, keepdims=True))
    known = norms > 0
    correlations = signs * products / np.where(known, norms, 1)
    everywhere = _rank(correlations, known, _RANK, empty=0.0)
    inside = _rank(correlations[:, _INNER], known[:, _INNER], _INNER_RANK, empty=1.0)
    return np.minimum(everywhere, inside)


def _rank(correlations: np.ndarray, known: np.ndarray, rank: float, empty: float) -> np.ndarray:
    """Return a percentile of the known ones of each row."""
    found = np.percentile(correlations, rank, axis=1)
    for index in np.flatnonzero(~known.all(1)):  # Few images are blank in places.
        left = correlations[index, known[index]]
        found[index] = np.percentile(left, rank) if left.size else empty
    return found


def _cut(details: np.ndarray) -> np.ndarray:
    side = _SIDE // _TILES
    tiles = details.reshape(-1, _TILES, side, _TILES, side).swapaxes(2, 3)
    return tiles.reshape(len(details), _TILES**2, -1).astype(np.float32)
