"""Find copies of images: exact ones, and near ones under flips, rotations and re-compression."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mscam_tf.data.checking.detail import compare_details, take_detail
from mscam_tf.data.reading import ReadOptions, is_constant, read_image
from mscam_tf.errors import MscamError

ORIENTATIONS = (
    "as it is",
    "rotated by 90 degrees",
    "rotated by 180 degrees",
    "rotated by 270 degrees",
    "flipped left to right",
    "flipped left to right, rotated by 90 degrees",
    "flipped left to right, rotated by 180 degrees",
    "flipped left to right, rotated by 270 degrees",
)
_SIDE = 40  # Of the thumbnails.
_BAND = (3, 18)  # Waves per thumbnail: coarser ones are alike in radiographs, finer ones are noise.
_FLAT = 1e-5  # Deviation, of values in [0, 1], below which there is nothing but rounding.
# A little above the most that different patches of weld films reached, 0.43 among 153,000 pairs.
MIN_SIMILARITY = 0.45
# A little above the most that different images of such similarity reached, 0.181 in 50 million pairs
# of simulated ones: docs/results/duplicates.md.
MIN_AGREEMENT = 0.2
_BLOCK = 128  # Images compared with all others at once.


@dataclass(frozen=True)
class Fingerprint:
    """What is needed of an image to compare it with others: about 16 kB.

    Attributes:
        size: `(height, width)` in pixels.
        digest: Hash of the size and of all pixels.
        thumbnail: Whitened thumbnail `(40, 40)`, float32, of unit norm; zeros for a flat image.
        detail: From `take_detail`.
        constant: Whether all pixels are alike.
    """

    size: tuple[int, int]
    digest: bytes
    thumbnail: np.ndarray
    detail: np.ndarray
    constant: bool = False


@dataclass(frozen=True)
class Duplicate:
    """Two images that are copies of each other.

    Attributes:
        first: Index of one image.
        second: Index of the other, the larger one.
        similarity: Correlation of their whitened thumbnails, at most 1; below 0 if one image is the
            negative of the other.
        orientation: How the first must be turned or flipped, one of `ORIENTATIONS`.
        exact: Whether all pixels are equal.
    """

    first: int
    second: int
    similarity: float
    orientation: str
    exact: bool


def take_fingerprint(path: str | Path, options: ReadOptions | None = None) -> Fingerprint:
    """Read an image and keep what is needed to compare it.

    Args:
        path: An image file, as for `mscam_tf.read_image`.
        options: How it is read.

    Returns:
        Its `Fingerprint`.

    Raises:
        ImageError: If the file cannot be read.
    """
    image = read_image(path, options)
    height, width = image.shape
    digest = hashlib.sha256(f"{height},{width}".encode() + image.tobytes()).digest()
    shrunk = Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    thumbnail = _whiten(np.asarray(shrunk, np.float64))
    return Fingerprint(
        (height, width), digest, thumbnail, take_detail(image), constant=is_constant(image)
    )


def find_duplicates(
    fingerprints: Sequence[Fingerprint],
    on_progress: Callable[[int], None] | None = None,
    min_similarity: float = MIN_SIMILARITY,
) -> list[Duplicate]:
    """Find the pairs of images that are copies of each other.

    Exact copies are found by the hash of their pixels. Near copies are found by the correlation of
    whitened thumbnails, with one of the two in all eight orientations. A whitened thumbnail keeps
    the phase of a middle band of frequencies, and reduces strong frequencies to the median
    strength. So edges that many radiographs share, such as a weld along the film, count little:
    they are strong, but made of few frequencies. Brightness, contrast and the sign of the contrast
    do not matter, so that negatives are found too. Images without any structure are compared by
    their hash only.

    Smooth images that share one strong edge may be as similar as copies. So candidates are compared
    again in detail, see `compare_details`: copies agree nearly everywhere.

    Args:
        fingerprints: Of the images, from `take_fingerprint`.
        on_progress: Called with a number of images when they have been compared with all others.
        min_similarity: Above which correlation two images are copies.

    Returns:
        Pairs, sorted, fewer than images: no more than connect all copies, see
        `cluster_duplicates`. Of several exact copies, each is paired with the first of them, and
        only the first with other images.

    Raises:
        ValueError: If `min_similarity` is not above 0 and at most 1.
    """
    if not 0 < min_similarity <= 1:
        raise MscamError(
            "`min_similarity` must be above 0 and at most 1. "
            f"Received: min_similarity={min_similarity}"
        )
    firsts: dict[bytes, int] = {}
    found = []
    for index, fingerprint in enumerate(fingerprints):
        first = firsts.setdefault(fingerprint.digest, index)
        if first != index:
            found.append(Duplicate(first, index, 1.0, ORIENTATIONS[0], exact=True))
    if firsts:
        found += _find_near(fingerprints, list(firsts.values()), on_progress, min_similarity)
    return sorted(found, key=lambda pair: (pair.first, pair.second))


def cluster_duplicates(count: int, duplicates: Sequence[Duplicate]) -> list[list[int]]:
    """Join images that are connected by duplicates, directly or through others.

    Args:
        count: Number of images.
        duplicates: Pairs of them.

    Returns:
        The indices of each cluster of two or more images.

    Examples:
        >>> pairs = [(0, 3), (3, 4), (1, 5)]
        >>> cluster_duplicates(6, [Duplicate(i, j, 1.0, "", True) for i, j in pairs])
        [[0, 3, 4], [1, 5]]
    """
    pairs = [(pair.first, pair.second) for pair in duplicates]
    return [members for members in connect(count, pairs) if len(members) > 1]


def connect(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the connected components of a graph with `count` nodes, each sorted."""
    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    number, labels = connected_components(graph, directed=False)
    members: list[list[int]] = [[] for _ in range(number)]
    for index, label in enumerate(labels.tolist()):
        members[label].append(index)
    return members


def _find_near(
    fingerprints: Sequence[Fingerprint],
    indices: list[int],
    on_progress: Callable[[int], None] | None,
    min_similarity: float,
) -> Iterator[Duplicate]:
    """Yield pairs that connect all copies, and no more: each joins two sets of copies."""
    thumbnails = np.stack([fingerprints[index].thumbnail for index in indices])
    sets = np.arange(len(indices))
    for start in range(0, len(indices), _BLOCK):
        block = thumbnails[start : start + _BLOCK]
        similarities, turns = _compare(block, thumbnails[start:])
        for row in range(len(block)):
            first = start + row
            for column in _list_similar(similarities[row], sets[start:], row, min_similarity):
                second, turn = start + column, int(turns[row, column])
                pair = indices[first], indices[second]
                if sets[first] != sets[second] and _agree(*pair, turn, fingerprints):
                    sets[sets == sets[second]] = sets[first]
                    similarity = float(similarities[row, column])
                    yield Duplicate(*pair, similarity, ORIENTATIONS[turn], exact=False)
        if on_progress is not None:
            on_progress(len(block))


def _compare(block: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the strongest correlation of each pair, and in which orientation it is."""
    best = np.zeros((len(block), len(rest)), np.float32)
    turns = np.zeros(best.shape, np.int8)
    for number, turned in enumerate(_turn(block)):
        products = turned.reshape(len(block), -1) @ rest.reshape(len(rest), -1).T
        stronger = np.abs(products) > np.abs(best)
        best[stronger], turns[stronger] = products[stronger], number
    return best, turns


def _list_similar(
    similarities: np.ndarray, sets: np.ndarray, row: int, min_similarity: float
) -> list[int]:
    """List the later images that are similar and in other sets, the most similar first."""
    similar = (np.abs(similarities) > min_similarity) & (sets != sets[row])
    columns = np.flatnonzero(similar[row + 1 :]) + row + 1
    return columns[np.argsort(-np.abs(similarities[columns]), kind="stable")].tolist()


def _agree(first: int, second: int, turn: int, fingerprints: Sequence[Fingerprint]) -> bool:
    turned = _turn(fingerprints[first].detail)[turn]
    return compare_details(turned, fingerprints[second].detail) > MIN_AGREEMENT


def _turn(images: np.ndarray) -> list[np.ndarray]:
    """Return the images `(..., H, W)` in all orientations, in the order of `ORIENTATIONS`."""
    return [
        np.rot90(seen, quarters, axes=(-2, -1))
        for seen in (images, images[..., ::-1])
        for quarters in range(4)
    ]


def _whiten(thumbnail: np.ndarray) -> np.ndarray:
    """Keep the waves of the band, those above the median strength cut down to it."""
    window = np.outer(_TAPER, _TAPER)
    values = (thumbnail - np.average(thumbnail, weights=window)) * window
    if values.std() < _FLAT:
        return np.zeros(values.shape, np.float32)
    waves = np.where(_IN_BAND, np.fft.fft2(values), 0)
    limit = np.median(np.abs(waves[_IN_BAND]))
    white = np.fft.ifft2(waves * (limit / np.maximum(np.abs(waves), limit))).real
    return (white / np.linalg.norm(white)).astype(np.float32)


def _make_band() -> np.ndarray:
    frequencies = np.fft.fftfreq(_SIDE, 1 / _SIDE)
    radius = np.hypot(*np.meshgrid(frequencies, frequencies))
    return (radius >= _BAND[0]) & (radius <= _BAND[1])


_IN_BAND = _make_band()
# Falls over an eighth at each border, where the two ends of a picture would otherwise make an edge.
_TAPER = np.clip((np.arange(_SIDE) + 0.5) * 8 / _SIDE, 0, 1)
_TAPER = np.minimum(_TAPER, _TAPER[::-1])
