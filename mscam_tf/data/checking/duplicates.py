"""Find copies of images: exact ones, and near ones under flips, rotations and re-compression."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mscam_tf.data.checking.detail import agree_in_detail, take_details
from mscam_tf.data.checking.orientations import ORIENTATIONS, turn_images
from mscam_tf.data.checking.thumbnails import take_thumbnail
from mscam_tf.data.reading import ReadOptions, is_constant, read_image
from mscam_tf.errors import MscamError

# A little above the most that different patches of weld films reached, 0.43 among 153,000 pairs.
MIN_SIMILARITY = 0.45
_BLOCK = 128  # Images compared with all others at once.


@dataclass(frozen=True)
class Fingerprint:
    """What is needed of an image to compare it with others: about 16 kB, of a large one 52 kB.

    Attributes:
        size: `(height, width)` in pixels.
        digest: Hash of the size and of all pixels.
        thumbnail: Whitened thumbnail `(40, 40)`, float32, of unit norm; zeros for a flat image.
        details: From `take_details`.
        constant: Whether all pixels are alike.
    """

    size: tuple[int, int]
    digest: bytes
    thumbnail: np.ndarray
    details: tuple[np.ndarray, ...]
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
    return Fingerprint(
        (height, width),
        digest,
        take_thumbnail(image),
        take_details(image),
        constant=is_constant(image),
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

    Smooth images that share one strong edge may be as similar: candidates are compared in detail.
    Two images of 256 pixels or more are compared more closely still: whole products in one position
    share their outline.

    Args:
        fingerprints: Of the images, from `take_fingerprint`.
        on_progress: Called with a number of images when they have been compared with all others.
        min_similarity: Above which correlation two images are copies.

    Returns:
        Pairs, sorted, fewer than images: no more than connect all copies, see
        `cluster_duplicates`. Exact copies are paired with the first of them only.

    Raises:
        ValueError: If `min_similarity` is not above 0 and at most 1.
    """
    check_similarity(min_similarity)
    firsts: dict[bytes, int] = {}
    found = []
    for index, fingerprint in enumerate(fingerprints):
        first = firsts.setdefault(fingerprint.digest, index)
        if first != index:
            found.append(Duplicate(first, index, 1.0, ORIENTATIONS[0], exact=True))
    if firsts:
        found += _find_near(fingerprints, list(firsts.values()), on_progress, min_similarity)
    return sorted(found, key=lambda pair: (pair.first, pair.second))


def check_similarity(min_similarity: float) -> None:
    """Refuse a correlation above which two images cannot be copies, or all are."""
    if not 0 < min_similarity <= 1:
        raise MscamError(
            "`min_similarity` must be above 0 and at most 1. "
            f"Received: min_similarity={min_similarity}"
        )


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
            columns = _list_similar(similarities[row], sets[start:], row, min_similarity)
            others = [fingerprints[indices[start + column]].details for column in columns]
            alike = agree_in_detail(
                fingerprints[indices[first]].details, others, turns[row, columns]
            )
            for column in columns[alike]:
                second = start + column
                if sets[first] != sets[second]:
                    sets[sets == sets[second]] = sets[first]
                    turn, similarity = turns[row, column], float(similarities[row, column])
                    pair = indices[first], indices[second]
                    yield Duplicate(*pair, similarity, ORIENTATIONS[turn], exact=False)
        if on_progress is not None:
            on_progress(len(block))


def _compare(block: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the strongest correlation of each pair, and in which orientation it is."""
    best = np.zeros((len(block), len(rest)), np.float32)
    turns = np.zeros(best.shape, np.int8)
    for number, turned in enumerate(turn_images(block)):
        products = turned.reshape(len(block), -1) @ rest.reshape(len(rest), -1).T
        stronger = np.abs(products) > np.abs(best)
        best[stronger], turns[stronger] = products[stronger], number
    return best, turns


def _list_similar(
    similarities: np.ndarray, sets: np.ndarray, row: int, min_similarity: float
) -> np.ndarray:
    """List the later images that are similar and in other sets, the most similar first."""
    similar = (np.abs(similarities) > min_similarity) & (sets != sets[row])
    columns = np.flatnonzero(similar[row + 1 :]) + row + 1
    order: np.ndarray = columns[np.argsort(-np.abs(similarities[columns]), kind="stable")]
    return order
