"""How much of each object a map covers: Dice, PRO and its area, AUPIMO."""

from numbers import Real

import numpy as np
from scipy.ndimage import label

from mscam_tf.errors import MscamError
from mscam_tf.metrics.checks import check_maps
from mscam_tf.settings import Number, Range, check_value

_DIAGONALS = np.ones((3, 3), bool)
_FEWEST = 30  # Points of a curve below which its area says nothing.


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Dice coefficient of two masks, `2 |A and B| / (|A| + |B|)`.

    Args:
        first: `(H, W)`, nonzero where something is.
        second: Another, `(H, W)`.

    Returns:
        The coefficient, in `[0, 1]`; NaN if both are empty.

    Examples:
        >>> dice(np.array([[1, 1, 1, 0]]), np.array([[0, 1, 1, 1]]))
        0.6666666666666666

    References:
        [Dice, 1945](https://doi.org/10.2307/1932409).
    """
    first, second = check_maps(first=first, second=second)
    a, b = first > 0, second > 0
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else float("nan")


def per_region_overlap(maps: np.ndarray, masks: np.ndarray, threshold: float) -> float:
    """Return PRO: which share of an object's pixels is above a threshold, mean over the objects.

    `PRO = mean_k |P and C_k| / |C_k|`, with `P` the pixels above the threshold and `C_k` the
    connected objects of all images (pixels that touch at a corner are connected), so that a small
    object counts as much as a large one.

    Args:
        maps: `(n, H, W)`.
        masks: `(n, H, W)`, nonzero where the objects are.
        threshold: In the units of the maps; values above it count.

    Returns:
        The overlap, in `[0, 1]`; NaN without any object.

    Examples:
        >>> masks = np.array([[[1, 1, 1, 1, 0, 1]]])
        >>> per_region_overlap(np.array([[[2.0, 0.0, 0.0, 0.0, 5.0, 2.0]]]), masks, 1.0)
        0.625

    References:
        [Bergmann et al., 2020](https://arxiv.org/abs/1911.02357): per-region overlap.
    """
    maps, masks = check_maps(3, maps=maps, masks=masks)
    if not isinstance(threshold, Real) or np.isnan(threshold):
        raise MscamError(f"`threshold` must be a number. Received: threshold={threshold!r}")
    weights = _share_pixels(masks)[0]
    return float(weights[maps > threshold].sum()) if weights.any() else float("nan")


def aupro(maps: np.ndarray, masks: np.ndarray, limit: float = 0.3) -> float:
    """Return the area under PRO over the false positive rate, up to a limit and divided by it.

    The rate is the share of the pixels of no object that are above the threshold, over all images
    together. The curve runs through every distinct value, without interpolation but at the limit.

    Args:
        maps: `(n, H, W)`.
        masks: `(n, H, W)`, nonzero where the objects are.
        limit: Highest false positive rate, above 0, at most 1.

    Returns:
        The area, in `[0, 1]`. Maps that know nothing have `limit / 2`. NaN if no pixel is in an
        object, or all are.

    Examples:
        >>> maps = np.array([[[4.0, 1.0, 3.0, 2.0]]])
        >>> aupro(maps, np.array([[[1, 1, 0, 0]]]), limit=0.5)
        0.5

    References:
        [Bergmann et al., 2020](https://arxiv.org/abs/1911.02357): the area up to a rate of 30 %.
    """
    maps, masks = check_maps(3, maps=maps, masks=masks)
    check_value("limit", limit, Number(0, 1, above=True))
    inside, outside = _share_pixels(masks)
    if not (inside.any() and outside.any()):
        return float("nan")
    order = np.argsort(maps, axis=None)[::-1]  # Minus a map of whole numbers may be no minus.
    values = maps.ravel()[order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)  # Of equal values.
    rates, overlaps = (np.append(0, np.cumsum(w.ravel()[order])[last]) for w in (outside, inside))
    kept = rates < limit
    x = np.append(rates[kept], limit)
    y = np.append(overlaps[kept], np.interp(limit, rates, overlaps))
    return float(np.trapezoid(y, x) / limit)


def _share_pixels(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each pixel adds to PRO, and what it adds to the false positive rate."""
    numbers = np.zeros(masks.shape, int)
    count = 0
    for image, mask in enumerate(masks):
        found, more = label(mask > 0, _DIAGONALS)
        numbers[image] = np.where(found > 0, found + count, 0)
        count += more
    areas = np.bincount(numbers.ravel(), minlength=count + 1)
    inside = np.where(numbers > 0, 1 / (areas * max(count, 1)).clip(1)[numbers], 0.0)
    return inside, (numbers == 0) / max(areas[0], 1)


def aupimo(
    maps: np.ndarray,
    masks: np.ndarray,
    bounds: tuple[float, float] = (1e-5, 1e-4),
    num_thresholds: int = 300_000,
) -> np.ndarray:
    """Return AUPIMO of each image: the mean share of its objects' pixels found at few false ones.

    The thresholds are even steps from the lowest to the highest value in images without objects.
    The false positive rate `F` of a threshold is the share of pixels that reach it, mean over these
    images alone. With `T` the share of an image's object pixels that reach the threshold, the score
    is the integral of `T d log F` between the bounds of `F`, divided by `log(high / low)`.

    Args:
        maps: `(n, H, W)`.
        masks: `(n, H, W)`, nonzero where the objects are. Some images must have none.
        bounds: Lowest and highest false positive rate, between 0 and 1.
        num_thresholds: How many thresholds there are.

    Returns:
        Scores `(n,)`, in `[0, 1]`; NaN for images without objects.

    Raises:
        MscamError: If all images have objects, or none; or if the images without objects have too
            few pixels for such low rates.

    Examples:
        >>> maps = np.linspace(0, 1, 20_000).reshape(2, 100, 100)
        >>> masks = np.zeros((2, 100, 100), bool)
        >>> masks[1, 50:] = True
        >>> aupimo(maps, masks, bounds=(1e-3, 1e-1))
        array([nan,  1.])

    References:
        [Bertoldo et al., 2024](https://arxiv.org/abs/2401.01984): AUPIMO.
    """
    maps, masks = check_maps(3, maps=maps, masks=masks)
    check_value("bounds", bounds, Range(Number(0, 1, above=True, below=True)))
    check_value("num_thresholds", num_thresholds, Number(2, whole=True))
    low, high = bounds
    shown: np.ndarray = np.any(masks > 0, axis=(1, 2))
    if shown.all() or not shown.any():
        raise MscamError(
            "`masks` must have images with objects, and images without. "
            f"Received: {shown.sum()} of {len(shown)} with objects"
        )
    thresholds, rates = _list_rates(maps[~shown], bounds, num_thresholds)
    scores = np.full(len(maps), np.nan)
    for index in np.flatnonzero(shown):
        found = _reach(maps[index][masks[index] > 0], thresholds)
        scores[index] = np.trapezoid(found, np.log(rates)) / np.log(high / low)
    return np.clip(scores, 0, 1)


def _list_rates(
    good: np.ndarray, bounds: tuple[float, float], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the thresholds between the bounds, falling, and their false positive rates."""
    thresholds = np.linspace(good.min(), good.max(), count)
    rates = np.mean([_reach(values.ravel(), thresholds) for values in good], axis=0)
    first, last = (int(np.abs(rates - bound).argmin()) for bound in reversed(bounds))
    if last - first < _FEWEST or rates.min() > bounds[0]:
        raise MscamError(
            f"The images without objects must have more pixels, for rates as low as {bounds}: take "
            f"higher `bounds`, or more images. Received: {good.size} pixels, {last - first + 1} "
            "thresholds between these rates"
        )
    chosen = slice(first, last + 1)
    return thresholds[chosen][::-1], rates[chosen][::-1]


def _reach(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the share of values that reach each threshold."""
    below: np.ndarray = np.searchsorted(np.sort(values), thresholds, side="left")
    share: np.ndarray = 1 - below / len(values)
    return share
