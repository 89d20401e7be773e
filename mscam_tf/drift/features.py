"""A few numbers of an image that change when the source, the detector or the feed changes."""

import numpy as np

from mscam_tf.errors import MscamError

FEATURES = (
    *("darkest", "intensity", "brightest", "contrast", "noise", "sharpness", "orientation"),
    *("column_defect", "row_defect", "spots"),
)
_PERCENTILES = np.array([1, 25, 50, 75, 99]) / 100
_FAR = 4  # Pixels; differences over them are hardly noise.
_LINES = 48  # Of an image are enough to tell what all of them have.
_LEAST = 1e-6  # Below any grey level of 16 bits: an image without noise has a logarithm too.


def measure_image(image: np.ndarray) -> np.ndarray:
    """Measure an image: intensity, noise, sharpness, direction, and defects of the detector.

    | feature | what it is |
    | --- | --- |
    | `darkest`, `intensity`, `brightest` | percentiles 1, 50 and 99 |
    | `contrast` | log of the distance of the percentiles 25 and 75 |
    | `noise` | log of the median magnitude of `N * image / 6`, with Immerkaer's mask `N` |
    | `sharpness` | log of the ratio of differences over 1 pixel to those over 4 pixels |
    | `orientation` | log of the ratio of differences over 4 pixels along rows to along columns |
    | `column_defect` | log of the largest column of the residual, in robust deviations |
    | `row_defect` | the same of rows |
    | `spots` | log of the most that a pixel differs from those 4 pixels away, in both directions |

    Differences are means of magnitudes. The residual of a column is the median over its pixels of
    their difference from the mean of the neighbours at both sides: what is in all rows at once is
    no object. Only some of the pixels are taken, evenly: more would cost time, and tell little. A
    spot lies above both pairs of opposite neighbours, or below both; an edge does not.

    Args:
        image: `(H, W)`, values in `[0, 1]`, of at least 9 x 9 pixels.

    Returns:
        One number each of `FEATURES`, float64.

    Raises:
        MscamError: If the image is smaller, or has more than one channel.

    References:
        J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64
        (1996), 300-302, eq. 3; the median stands for its mean, since edges are no noise.

    Examples:
        >>> image = np.random.default_rng(0).normal(0.5, 0.01, (64, 64))
        >>> before = dict(zip(FEATURES, measure_image(image), strict=True))
        >>> round(float(np.exp(before["noise"]) / 0.6745), 3)
        0.01
        >>> image[:, 20] = 0
        >>> after = dict(zip(FEATURES, measure_image(image), strict=True))
        >>> bool(after["column_defect"] > before["column_defect"] + 3)
        True
    """
    image = np.asarray(image, np.float32)
    if image.ndim != 2 or min(image.shape) <= 2 * _FAR:
        raise MscamError(
            f"`image` must be (height, width), each {2 * _FAR + 1} or more. "
            f"Received: shape={image.shape}"
        )
    values = np.sort(image[::3, ::3], axis=None)
    darkest, low, intensity, high, brightest = values[
        np.rint(_PERCENTILES * (len(values) - 1)).astype(int)
    ]
    near = _differ(image, 1, 0) + _differ(image, 1, 1)
    along, across = _differ(image, _FAR, 1), _differ(image, _FAR, 0)
    positive = (
        high - low,
        _measure_noise(image),
        near / max(along + across, _LEAST),
        max(along, _LEAST) / max(across, _LEAST),
        _find_defect(image),
        _find_defect(image.T),
        _find_spot(image),
    )
    logarithms = np.log(np.maximum(positive, _LEAST))
    return np.array([darkest, intensity, brightest, *logarithms], np.float64)


def _differ(image: np.ndarray, distance: int, axis: int) -> float:
    """Return the mean magnitude of differences over a distance, on every second line."""
    lines = image[:, ::2] if axis == 0 else image[::2].T
    return float(np.abs(lines[distance:] - lines[:-distance]).mean())


def _measure_noise(image: np.ndarray) -> float:
    """Return the median magnitude of Immerkaer's difference of two Laplacians, over 6."""
    rows = image[:-2] - 2 * image[1:-1] + image[2:]
    both = rows[::2, :-2] - 2 * rows[::2, 1:-1] + rows[::2, 2:]
    return float(np.median(np.abs(both[:, ::2]))) / 6


def _find_defect(image: np.ndarray) -> float:
    """Return how far the worst column lies from the others, in median deviations."""
    some = image[:: max(1, len(image) // _LINES)]
    residual = np.median(some[:, 1:-1] - (some[:, :-2] + some[:, 2:]) / 2, axis=0)
    apart = np.abs(residual - np.median(residual))
    return float(apart.max() / max(np.median(apart), _LEAST))


def _find_spot(image: np.ndarray) -> float:
    """Return the most that a pixel differs from the means of its neighbours, in both directions."""
    far = 2 * _FAR
    middle = image[_FAR:-_FAR, _FAR:-_FAR]
    down = middle - (image[:-far, _FAR:-_FAR] + image[far:, _FAR:-_FAR]) / 2
    right = middle - (image[_FAR:-_FAR, :-far] + image[_FAR:-_FAR, far:]) / 2
    denser, thinner = np.minimum(down, right).max(), np.maximum(down, right).min()
    return float(max(denser, -thinner))
