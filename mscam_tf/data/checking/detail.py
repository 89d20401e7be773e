"""Compare two images in detail: everywhere, and not only where both have one strong edge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from mscam_tf.data.checking.orientations import turn_images

_FINE, _COARSE, _AROUND = 0.8, 2.0, 6.0  # Pixels: what is kept lies between the first two.
_TILES = 6  # On a side.
_RANK = 40  # Percent of all tiles that may be less alike.
_INNER = np.pad(np.ones((_TILES - 2, _TILES - 2), bool), 1).ravel()
_BLOCK = 128  # Images that are compared at once.
_STEPS = 24  # Of a deviation: values are kept in 8 bits.


@dataclass(frozen=True)
class Level:
    """How closely images are looked at.

    Attributes:
        side: Pixels of a detail.
        smallest: Pixels of the shorter side that an image must have.
        inner_rank: Percent of the tiles not at the border that may be less alike.
        centered: Whether the mean of each tile counts for nothing: shades do not.
        least: A little above the most that different images as similar agreed.
    """

    side: int
    smallest: int
    inner_rank: int
    centered: bool
    least: float


# The least of the first is by 20,000 simulated patches, that of the second by 162 whole fillets.
COARSE = Level(side=96, smallest=1, inner_rank=60, centered=False, least=0.22)
FINE = Level(side=192, smallest=256, inner_rank=40, centered=True, least=0.18)
LEVELS = (COARSE, FINE)


def take_details(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the detail of an image at each level for which it is large enough."""
    return tuple(
        take_detail(image, level) for level in LEVELS if min(image.shape) >= level.smallest
    )


def take_detail(image: np.ndarray, level: Level = COARSE) -> np.ndarray:
    """Keep what is fine in an image, and make it equally strong everywhere.

    Args:
        image: `(H, W)`, float32.
        level: How closely it is looked at.

    Returns:
        `(side, side)`, int8: the band-pass of the image, divided by its deviation nearby.
    """
    size = (level.side, level.side)
    shrunk = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS), np.float64)
    band = gaussian_filter(shrunk, _FINE) - gaussian_filter(shrunk, _COARSE)
    deviation = np.sqrt(gaussian_filter(band**2, _AROUND))
    least = 0.02 * np.median(deviation) + 1e-9
    return np.clip(np.round(band / (deviation + least) * _STEPS), -127, 127).astype(np.int8)


def compare_details(one: np.ndarray, others: np.ndarray, level: Level = COARSE) -> np.ndarray:
    """Return how alike an image is to others, at most 1; the same for negatives.

    It is the correlation that three of five tiles reach, and of those that are not at the border
    two of five, or three of five at the fine level: an edge that two different images share crosses
    fewer, and a frame around both, or the outline of a product, leaves out the middle. Tiles in
    which one of the two images is blank tell nothing.

    Args:
        one: From `take_detail`, turned and flipped so that it lies as the others do.
        others: `(n, side, side)`, from `take_detail`.
        level: How closely they are looked at.

    Returns:
        `(n,)`.
    """
    tiles, other_tiles = _cut(one[None], level)[0], _cut(others, level)
    products = np.einsum("tp,ntp->nt", tiles, other_tiles)
    norms = np.linalg.norm(tiles, axis=-1) * np.linalg.norm(other_tiles, axis=-1)
    signs = np.sign(products.sum(1, keepdims=True))
    known = norms > 0
    correlations = signs * products / np.where(known, norms, 1)
    everywhere = _rank(correlations, known, _RANK, empty=0.0)
    inside = _rank(correlations[:, _INNER], known[:, _INNER], level.inner_rank, empty=1.0)
    return np.minimum(everywhere, inside)


def agree_in_detail(
    details: tuple[np.ndarray, ...], others: Sequence[tuple[np.ndarray, ...]], turns: np.ndarray
) -> np.ndarray:
    """Return which of the others agree with an image at each level that both have.

    Args:
        details: Of the image, from `take_details`.
        others: The same of the others.
        turns: How the image must be turned for each of them, by index of `ORIENTATIONS`.

    Returns:
        Booleans, `(n,)`.
    """
    alike = np.ones(len(others), bool)
    for number, (level, detail) in enumerate(zip(LEVELS, details, strict=False)):
        for turn, turned in enumerate(turn_images(detail)):
            rows = np.flatnonzero(alike & (turns == turn)).tolist()
            known = [row for row in rows if len(others[row]) > number]
            for start in range(0, len(known), _BLOCK):  # All at once would not fit into memory.
                part = known[start : start + _BLOCK]
                found = compare_details(turned, np.stack([others[k][number] for k in part]), level)
                alike[part] = found > level.least
    return alike


def _rank(correlations: np.ndarray, known: np.ndarray, rank: float, empty: float) -> np.ndarray:
    """Return a percentile of the known ones of each row."""
    found = np.percentile(correlations, rank, axis=1)
    for index in np.flatnonzero(~known.all(1)):  # Few images are blank in places.
        left = correlations[index, known[index]]
        found[index] = np.percentile(left, rank) if left.size else empty
    return found


def _cut(details: np.ndarray, level: Level) -> np.ndarray:
    side = level.side // _TILES
    tiles = details.reshape(-1, _TILES, side, _TILES, side).swapaxes(2, 3)
    flat = tiles.reshape(len(details), _TILES**2, -1).astype(np.float32)
    return flat - flat.mean(-1, keepdims=True) if level.centered else flat
