"""A sample of the images, by whose maps the others are judged, in the same pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from mscam_tf.data.reading import ImageError, Problem
from mscam_tf.metrics import center_maps
from mscam_tf.runs import Explanation, Session

_PERCENTILES = (1.0, 99.5)
_IMAGES = 64


@dataclass(frozen=True)
class MapSample:
    """The maps of some images, relative to the mean over the classes.

    Attributes:
        maps: `(n, H, W, C)`, logits.
    """

    maps: np.ndarray

    @property
    def value_range(self) -> tuple[float, float]:
        """The range that pictures of such maps tell apart, in logits."""
        return measure_percentiles(self.maps)

    @property
    def thresholds(self) -> np.ndarray:
        """Half of the upper end of the range of each class's maps, `(C,)`."""
        thresholds: np.ndarray = np.percentile(self.maps, _PERCENTILES[1], (0, 1, 2)) / 2
        return thresholds


def measure_percentiles(maps: np.ndarray) -> tuple[float, float]:
    """Return the percentiles 1 and 99.5 of the values of maps of any shape."""
    low, high = np.percentile(maps, _PERCENTILES)
    return float(low), float(high)


def sample_first(
    session: Session, paths: Sequence[Path], among: int | None = None
) -> tuple[MapSample, Iterator[tuple[int, Explanation | Problem]]]:
    """Explain a sample of the images, and then the others: each image once.

    Args:
        session: A run that is open.
        paths: Image files, at least one.
        among: The sample is drawn evenly from so many of them, from the first on; by default from
            all.

    Returns:
        The sample, of at most 64 images; and the results of all images, each with its number,
        those of the sample first.

    Raises:
        ImageError: If no image of the sample can be read.
    """
    evenly = np.linspace(0, (among or len(paths)) - 1, _IMAGES, dtype=int)
    chosen = dict.fromkeys(evenly.tolist())
    first = list(zip(chosen, session.explain([paths[i] for i in chosen]), strict=True))
    maps = [center_maps(one.maps) for _, one in first if isinstance(one, Explanation)]
    if not maps:
        raise ImageError([one for _, one in first if isinstance(one, Problem)])
    others = [i for i in range(len(paths)) if i not in chosen]
    rest = zip(others, session.explain([paths[i] for i in others]), strict=True)
    return MapSample(np.stack(maps)), chain(first, rest)
