"""Fit the window of intensities to training images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mscam_tf.data.reading.formats import read_stored
from mscam_tf.data.reading.mapping import map_images
from mscam_tf.data.reading.options import ReadOptions
from mscam_tf.data.reading.problems import ImageError, Problem
from mscam_tf.errors import MscamError

# Percentiles of 10 million values are steady to far below what a model sees, and fit in memory.
_FITTED_IMAGES, _FITTED_PIXELS = 500, 20_000


def fit_window(
    paths: Sequence[Path], percentiles: tuple[float, float], options: ReadOptions | None = None
) -> tuple[float, float]:
    """Fit the window to percentiles of the values stored in training images.

    Takes up to 20,000 pixels of each of up to 500 images, evenly spread, or of all if none of these
    can be read. Images that cannot be read are ignored; `check_images` lists them. So is the
    padding of DICOM files.

    Args:
        paths: Training images, without images that are to be scored.
        percentiles: `(low, high)`, such as `(0.1, 99.9)`.
        options: Page and limit.

    Returns:
        `(low, high)` in the units of the files.

    Raises:
        ImageError: If none of the images can be read.
        MscamError: If there are no images, or the percentiles coincide.
    """
    options = options or ReadOptions()
    if not len(paths):
        raise MscamError("The window is fitted to images. Received: none")
    chosen = [paths[i] for i in spread_indices(len(paths), _FITTED_IMAGES)]
    values, problems = _sample_all(chosen, options)
    if not values and len(chosen) < len(paths):
        values, problems = _sample_all(paths, options)
    if not values:
        raise ImageError(problems)
    pooled = np.concatenate(values)
    if not pooled.size:
        raise MscamError("The window cannot be fitted: the training images hold padding only.")
    low, high = np.percentile(pooled, percentiles)
    if not low < high:
        raise MscamError(
            f"The percentiles {percentiles} of the training images must differ. "
            f"Received: {low} and {high}"
        )
    return float(low), float(high)


def _sample_all(
    paths: Sequence[Path], options: ReadOptions
) -> tuple[list[np.ndarray], list[Problem]]:
    samples = list(map_images(_sample, paths, options))
    problems = [p for sample in samples if isinstance(sample, ImageError) for p in sample.problems]
    return [sample for sample in samples if not isinstance(sample, ImageError)], problems


def _sample(path: Path, options: ReadOptions) -> np.ndarray:
    values = read_stored(path, options.page, options.max_pixels).seen
    sample = values[spread_indices(values.size, _FITTED_PIXELS)].astype(np.float64)
    return sample[np.isfinite(sample)]


def spread_indices(count: int, most: int) -> np.ndarray:
    """Return at most so many indices, evenly spread over a count.

    Examples:
        >>> spread_indices(9, 3).tolist(), spread_indices(2, 3).tolist()
        ([0, 4, 8], [0, 1])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
