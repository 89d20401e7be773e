"""Which images without a label would help most."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from mscam_tf.analysis.confusions import ImageOverlap


def rank_unlabelled(images: Sequence[ImageOverlap]) -> list[ImageOverlap]:
    """Order images by how much their labels should help: the most useful image first.

    By the mean of two ranks: of the margin, the smallest first, and of the overlap in place of the
    maps of the two most probable classes, the largest first. The overlap is ranked among the images
    with the same two: the maps of some pairs always overlap more than those of others.

    References:
        Scheffer, Decomain and Wrobel, 2001: sampling by margin.
    """
    margins = rankdata([image.margin for image in images]) / max(1, len(images))
    order = np.argsort(margins + _rank_overlaps(images), kind="stable")
    return [images[index] for index in order]


def _rank_overlaps(images: Sequence[ImageOverlap]) -> np.ndarray:
    """Rank each overlap in place among those of the same two classes, in `(0, 1)`."""
    pairs = np.array(["/".join(sorted((image.first, image.second))) for image in images])
    values = np.array(
        [image.measure("place_overlap", image.first, image.second) for image in images]
    )
    ranks = np.zeros(len(images))
    for pair in np.unique(pairs):
        rows = pairs == pair
        ranks[rows] = (rankdata(-np.nan_to_num(values[rows])) - 0.5) / rows.sum()
    return ranks
