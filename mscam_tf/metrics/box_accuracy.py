"""Boxes of maps against boxes of objects, by the protocol of weakly supervised localization.

All of it follows the published code of Choe et al. (`wsolevaluation`) to the pixel, so that numbers
can be compared: maps are cut into 256 levels, a box ends one pixel late, and sides count one pixel
more.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.ndimage import find_objects, label

from mscam_tf.errors import MscamError
from mscam_tf.metrics.checks import check_boxes, check_maps, pair, to_array
from mscam_tf.settings import Number, check_value

INTERVAL = 0.001  # Between the thresholds of the protocol.
RATIOS = (0.3, 0.5, 0.7)
_DIAGONALS = np.ones((3, 3), bool)


def scale_to_unit(map_: np.ndarray) -> np.ndarray:
    """Return a map from 0 at its lowest place to 1 at its highest, float64 `(H, W)`.

    The protocol asks for such maps. They say nothing of how strong the evidence is: use them for
    these scores alone. A map that is the same everywhere becomes 0.

    Examples:
        >>> scale_to_unit(np.array([[-1.0, 0.0, 3.0]]))
        array([[0.  , 0.25, 1.  ]])
    """
    (values,) = check_maps(2, map_=map_)
    values = values - values.astype(np.float64).min()
    return values / (values.max() or 1.0)


def measure_box_overlaps(
    map_: np.ndarray, boxes: np.ndarray, *, largest: bool = False, interval: float = INTERVAL
) -> np.ndarray:
    """Measure how well the boxes of a map fit those of objects, at each threshold.

    At the threshold `t` the places of a map above `t` of its highest value form regions (pixels
    that touch at a corner are connected). Their boxes, and those around the holes in them, are
    compared with the true ones by intersection over union; the best pair counts.

    Args:
        map_: `(H, W)`, from 0 to 1; see `scale_to_unit`.
        boxes: The true ones, `(n, 4)`: `x_min, y_min, x_max, y_max` in pixels, at least one.
        largest: Whether only the box of the largest region counts.
        interval: Step of the thresholds `0, interval, 2 interval, ...`, below 1.

    Returns:
        The best intersection over union at each threshold, `(K,)`, from 0 to 1.

    Raises:
        MscamError: If the map leaves `[0, 1]`, or there is no box.

    Examples:
        >>> map_ = np.zeros((8, 8))
        >>> map_[2:5, 1:5] = 0.5
        >>> map_[3, 2:4] = 1.0
        >>> measure_box_overlaps(map_, np.array([[1, 2, 5, 5]]), interval=0.3).round(2)
        array([1. , 1. , 0.3, 0.3])

    References:
        [Choe et al., 2020](https://arxiv.org/abs/2001.07437): box accuracy.
    """
    unit, boxes = _check_unit(map_), check_boxes(boxes)
    if not len(boxes):
        raise MscamError("`boxes` must hold at least one box. Received: none")
    grey = (unit * 255).astype(np.uint8)
    levels = (_list_thresholds(interval) * grey.max()).astype(int)
    distinct, inverse = np.unique(levels, return_inverse=True)
    find = _find_largest if largest else _find_boxes
    best = [_intersect_over_union(find(grey > level), boxes).max() for level in distinct]
    return np.array(best)[inverse]


def _check_unit(map_: np.ndarray) -> np.ndarray:
    (values,) = check_maps(2, map_=map_)
    if values.min() < 0 or values.max() > 1:
        raise MscamError(
            "`map_` must lie in [0, 1]: see `scale_to_unit`. "
            f"Received: {values.min():g} to {values.max():g}"
        )
    return values


def _list_thresholds(interval: float) -> np.ndarray:
    check_value("interval", interval, Number(0, 1, above=True, below=True))
    return np.arange(0, 1, interval)


def _find_boxes(inside: np.ndarray) -> np.ndarray:
    """Return the boxes of all regions, and those around all holes in them, `(m, 4)`."""
    rows, columns = (np.flatnonzero(np.any(inside, axis=axis)) for axis in (1, 0))
    if not len(rows):
        return _end([], inside.shape)
    top, left = rows[0], columns[0]
    part = inside[top : rows[-1] + 1, left : columns[-1] + 1]  # At most thresholds it is small.
    regions = find_objects(label(part, _DIAGONALS)[0])
    outside, _ = label(np.pad(~part, 1, constant_values=True))
    holes = find_objects(outside)[1:]  # The first surrounds all regions.
    # The border of a hole consists of the region's pixels: it reaches one further. The padding has
    # moved holes by one pixel.
    corners = [(x.start, y.start, x.stop, y.stop) for y, x in regions]
    corners += [(x.start - 2, y.start - 2, x.stop, y.stop) for y, x in holes]
    moved = [(x0 + left, y0 + top, x1 + left, y1 + top) for x0, y0, x1, y1 in corners]
    return _end(moved, inside.shape)


def _find_largest(inside: np.ndarray) -> np.ndarray:
    """Return the box of the region whose outline holds the largest area, `(1, 4)`.

    The outline runs through the centres of pixels: of the squares between four neighbours it holds
    those with all four, and half of those with three.
    """
    outside, _ = label(np.pad(~inside, 1, constant_values=True))
    filled = outside[1:-1, 1:-1] != 1
    numbers, count = label(filled, _DIAGONALS)
    if not count:
        return _end([], inside.shape)
    height, width = inside.shape
    squares = np.stack(
        [numbers[y : height - 1 + y, x : width - 1 + x] for y, x in np.ndindex(2, 2)]
    )
    weights = np.clip((squares > 0).sum(0) - 2, 0, None) / 2
    areas = np.bincount(squares.max(0).ravel(), weights.ravel(), minlength=count + 1)
    winner = count - int(np.argmax(areas[:0:-1]))  # Of equal ones the last.
    rows, columns = find_objects(numbers)[winner - 1]
    return _end([(columns.start, rows.start, columns.stop, rows.stop)], inside.shape)


def _end(corners: Sequence[tuple[int, ...]], shape: tuple[int, ...]) -> np.ndarray:
    """Return boxes as the protocol has them: cut at the last pixel, and one without any region."""
    height, width = shape
    boxes = np.array(corners or [(0, 0, 0, 0)])
    return np.minimum(boxes, (width - 1, height - 1, width - 1, height - 1))


def _intersect_over_union(found: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the ratios of all pairs, `(m, n)`; sides are one pixel longer, as in the protocol."""
    first, second = found[:, None], boxes[None]
    low, high = np.maximum(first, second)[..., :2], np.minimum(first, second)[..., 2:]
    shared = np.maximum(high - low + 1, 0).prod(-1)
    areas = [(box[..., 2:] - box[..., :2] + 1).prod(-1) for box in (first, second)]
    ratios: np.ndarray = shared / (areas[0] + areas[1] - shared)
    return ratios


def rate_overlaps(overlaps: np.ndarray, ratio: float, counts: np.ndarray | None = None) -> float:
    """Return the share of images whose box fits, at the threshold that is best for all of them.

    Args:
        overlaps: From `measure_box_overlaps` of each image, `(n, K)`.
        ratio: Intersection over union that a box must reach.
        counts: How often each image counts, `(n,)`; by default once.

    Returns:
        The share, in `[0, 1]`.

    Raises:
        MscamError: If there is no image, or a number is not finite or out of range.

    Examples:
        >>> rate_overlaps(np.array([[0.6, 0.2], [0.5, 0.9], [0.1, 0.8]]), 0.5)
        0.6666666666666666
    """
    (overlaps,) = check_maps(2, overlaps=overlaps)
    check_value("ratio", ratio, Number(0, 1))
    weights = np.ones(len(overlaps)) if counts is None else to_array("counts", counts)
    right = weights.shape == (len(overlaps),) and (weights >= 0).all()
    if not (right and 0 < weights.sum() < np.inf):
        raise MscamError(
            "`counts` must be a number of at least 0 for each image, and not all of them 0. "
            f"Received: counts={counts!r}"
        )
    return float(np.average(overlaps >= ratio, axis=0, weights=weights).max())


def max_box_acc(
    maps: Iterable[np.ndarray], boxes: Iterable[np.ndarray], interval: float = INTERVAL
) -> float:
    """Return MaxBoxAcc: the share of images in which the box of the largest region fits an object.

    It fits if its intersection over union with any true box is at least 0.5. The threshold is one
    for all images, and the best one.

    Args:
        maps: For each image a map, `(H, W)`, from 0 to 1; see `scale_to_unit`.
        boxes: For each image its true boxes, `(n, 4)`, at least one.
        interval: Step of the thresholds.

    Returns:
        The share, in `[0, 1]`.

    Examples:
        >>> map_ = np.zeros((9, 9))
        >>> map_[0:2, 0:2], map_[4:8, 3:8] = 1.0, 0.5
        >>> max_box_acc([map_], [np.array([[3, 4, 8, 8]])])
        1.0

    References:
        [Choe et al., 2020](https://arxiv.org/abs/2001.07437): MaxBoxAcc.
    """
    overlaps = _measure_all(maps, boxes, interval, largest=True)
    return rate_overlaps(overlaps, 0.5)


def max_box_acc_v2(
    maps: Iterable[np.ndarray], boxes: Iterable[np.ndarray], interval: float = INTERVAL
) -> float:
    """Return MaxBoxAccV2: as `max_box_acc`, but any region may fit, averaged over three ratios.

    The intersection over union must be at least 0.3, 0.5 and 0.7 in turn, each with the threshold
    that is best for it. Arguments and result are those of `max_box_acc`.

    Examples:
        >>> map_ = np.zeros((20, 20))
        >>> map_[5:15, 5:15] = 1.0
        >>> max_box_acc_v2([map_], [np.array([[5, 5, 15, 11]])])
        0.6666666666666666

    References:
        [Choe et al., 2020](https://arxiv.org/abs/2007.04178), Evaluation for weakly supervised
        object localization: MaxBoxAccV2.
    """
    overlaps = _measure_all(maps, boxes, interval)
    return float(np.mean([rate_overlaps(overlaps, ratio) for ratio in RATIOS]))


def _measure_all(
    maps: Iterable[np.ndarray],
    boxes: Iterable[np.ndarray],
    interval: float,
    *,
    largest: bool = False,
) -> np.ndarray:
    return np.stack(
        [
            measure_box_overlaps(*each, largest=largest, interval=interval)
            for each in pair(maps=maps, boxes=boxes)
        ]
    )
