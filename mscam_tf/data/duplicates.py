"""Find copies of images: exact ones, and near ones under flips, rotations and re-compression."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mscam_tf.data.images import read_image

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
_FINE, _COARSE = 64, 16  # Sides of the two thumbnails.
# Radiographs are smooth: what is left without the low frequencies tells one from another.
_FINE_SIGMA, _COARSE_SIGMA = 3.0, 6.0
_FINE_SIMILARITY, _COARSE_SIMILARITY = 0.8, 0.6
_BLOCK = 128  # Images compared with all others at once.


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of an image to compare it with others: about 9 kB.

    Attributes:
        size: `(height, width)` in pixels.
        digest: Hash of the size and of all pixels.
        fine: High-passed thumbnail `(64, 64)`, float16, of zero mean and unit norm.
        coarse: The same at `(16, 16)`, float32.
    """

    size: tuple[int, int]
    digest: bytes
    fine: np.ndarray
    coarse: np.ndarray


@dataclass(frozen=True)
class Duplicate:
    """Two images that show the same.

    Attributes:
        first: Index of one image.
        second: Index of the other, the larger one.
        similarity: Correlation of their thumbnails, at most 1.
        orientation: What turns the first into the second, one of `ORIENTATIONS`.
        exact: Whether all pixels are equal.
    """

    first: int
    second: int
    similarity: float
    orientation: str
    exact: bool


def take_fingerprint(path: str | Path) -> Fingerprint:
    """Read an image and keep what is needed to compare it.

    Args:
        path: An image file, as for `mscam_tf.read_image`.

    Returns:
        Its `Fingerprint`.

    Raises:
        ImageError: If the file cannot be read.
    """
    image = read_image(path)
    height, width = image.shape
    digest = hashlib.sha256(f"{height},{width}".encode() + image.tobytes()).digest()
    shrunk = Image.fromarray(image).resize((_FINE, _FINE), Image.Resampling.BILINEAR)
    thumbnail = np.asarray(shrunk, np.float64)
    fine = _standardize(thumbnail - gaussian_filter(thumbnail, _FINE_SIGMA))
    blocks = thumbnail - gaussian_filter(thumbnail, _COARSE_SIGMA)
    step = _FINE // _COARSE
    coarse = _standardize(blocks.reshape(_COARSE, step, _COARSE, step).mean((1, 3)))
    return Fingerprint((height, width), digest, fine.astype(np.float16), coarse.astype(np.float32))


def find_duplicates(fingerprints: Sequence[Fingerprint]) -> list[Duplicate]:
    """Find the pairs of images that show the same.

    Equal pixels are found by their hash. Near copies are found by correlation of thumbnails
    without their low frequencies, one of each pair in all eight orientations: first coarse ones,
    all with all, then fine ones where these agree. The correlation takes no notice of brightness
    and contrast, nor of their sign, so that a negative is found as well. Images without any
    structure are only compared by their pixels.

    Args:
        fingerprints: Of the images, from `take_fingerprint`.

    Returns:
        Pairs, sorted. Of several equal images each is paired with the first of them, and only
        that one with others: enough to connect all, see `cluster_duplicates`.
    """
    firsts: dict[bytes, int] = {}
    found = []
    for index, fingerprint in enumerate(fingerprints):
        first = firsts.setdefault(fingerprint.digest, index)
        if first != index:
            found.append(Duplicate(first, index, 1.0, ORIENTATIONS[0], exact=True))
    found += _find_near(fingerprints, np.array(list(firsts.values()), int))
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


def _find_near(fingerprints: Sequence[Fingerprint], indices: np.ndarray) -> Iterator[Duplicate]:
    if len(indices) < 2:
        return
    coarse = np.stack([fingerprints[i].coarse for i in indices])
    for start in range(0, len(indices), _BLOCK):
        block = coarse[start : start + _BLOCK]
        rest = coarse[start:].reshape(-1, _COARSE**2)
        similar = np.zeros((len(block), len(rest)), bool)
        for turned in _turn(block):
            products = turned.reshape(len(block), -1) @ rest.T
            similar |= np.abs(products) > _COARSE_SIMILARITY
        for row, candidates in enumerate(np.triu(similar, 1)):
            others = start + np.flatnonzero(candidates)
            yield from _confirm(fingerprints, indices[start + row], indices[others])


def _confirm(
    fingerprints: Sequence[Fingerprint], first: int, others: np.ndarray
) -> Iterator[Duplicate]:
    turned = np.stack(_turn(fingerprints[first].fine.astype(np.float32)))
    for second in others.tolist():
        products = turned.reshape(len(turned), -1) @ fingerprints[second].fine.ravel()
        best = int(np.argmax(np.abs(products)))
        similarity = float(products[best])
        if abs(similarity) > _FINE_SIMILARITY:
            yield Duplicate(int(first), second, similarity, ORIENTATIONS[best], exact=False)


def _turn(images: np.ndarray) -> list[np.ndarray]:
    """Return the images `(..., H, W)` in all orientations, in the order of `ORIENTATIONS`."""
    return [
        np.rot90(seen, quarters, axes=(-2, -1))
        for seen in (images, images[..., ::-1])
        for quarters in range(4)
    ]


def _standardize(values: np.ndarray) -> np.ndarray:
    """Give zero mean and unit norm, or zeros where there is no structure beyond rounding."""
    values = values - values.mean()
    norm = np.linalg.norm(values)
    return values / norm if norm > 1e-7 * values.size else np.zeros_like(values)
