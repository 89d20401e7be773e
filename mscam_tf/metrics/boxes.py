"""Boxes that were found against those of objects, as in the literature on chest radiographs."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from mscam_tf.metrics.checks import check_boxes, check_maps, pair
from mscam_tf.settings import Choice, check_value

CHEST_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def box_iou(found: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the intersection over union of all pairs of boxes.

    Args:
        found: `(m, 4)`: `x_min, y_min, x_max, y_max` in pixels.
        boxes: `(n, 4)`.

    Returns:
        Ratios `(m, n)`, in `[0, 1]`.

    Examples:
        >>> box_iou(np.array([[0, 0, 4, 2]]), np.array([[2, 0, 6, 2], [4, 0, 5, 1]]))
        array([[0.33333333, 0.        ]])
    """
    shared, areas, others = _measure_pairs(found, boxes)
    ratios: np.ndarray = shared / (areas[:, None] + others - shared)
    return ratios


def box_iobb(found: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the intersection over the box that was found, of all pairs of boxes.

    It does not punish a box that shows but a part of an object. Arguments and result are those of
    `box_iou`.

    Examples:
        >>> box_iobb(np.array([[0, 0, 4, 2]]), np.array([[2, 0, 20, 2]]))
        array([[0.5]])

    References:
        [Wang et al., 2017](https://arxiv.org/abs/1705.02315): intersection over the detected
        bounding box (IoBB).
    """
    shared, areas, _ = _measure_pairs(found, boxes)
    ratios: np.ndarray = shared / areas[:, None]
    return ratios


def _measure_pairs(
    found: np.ndarray, boxes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the areas that pairs share, and those of the boxes."""
    first, second = check_boxes(found), check_boxes(boxes)
    low = np.maximum(first[:, None, :2], second[:, :2])
    high = np.minimum(first[:, None, 2:], second[:, 2:])
    areas = [(side[:, 2:] - side[:, :2]).prod(-1) for side in (first, second)]
    return np.maximum(high - low, 0).prod(-1), areas[0], areas[1]


def score_boxes(
    found: Iterable[np.ndarray],
    boxes: Iterable[np.ndarray],
    measure: Literal["iobb", "iou"] = "iobb",
    thresholds: Sequence[float] = CHEST_THRESHOLDS,
) -> tuple[np.ndarray, np.ndarray]:
    """Score boxes that were found, at several thresholds of their overlap with the true ones.

    Args:
        found: For each image the boxes that were found, `(m, 4)`.
        boxes: For each image the true ones, `(n, 4)`; `(0, 4)` where there is none.
        measure: `"iobb"` or `"iou"`, see `box_iobb` and `box_iou`.
        thresholds: Values that the ratio must exceed.

    Returns:
        For each threshold the share of true boxes that some box exceeds it with, in `[0, 1]`, NaN
        without a true box; and how many boxes an image do so with none.

    Raises:
        MscamError: If there is no image, another measure, or a threshold that is no finite number.

    Examples:
        >>> found = [np.array([[0, 0, 4, 4], [8, 8, 9, 9]])]
        >>> score_boxes(found, [np.array([[2, 0, 6, 4]])], thresholds=(0.3, 0.6))
        (array([1., 0.]), array([1., 2.]))

    References:
        [Wang et al., 2017](https://arxiv.org/abs/1705.02315): accuracy and average false positives
        (AFP) at `T(IoBB)` and `T(IoU)`.
    """
    measures = {"iobb": box_iobb, "iou": box_iou}
    check_value("measure", measure, Choice(tuple(measures)))
    limits = check_maps(1, thresholds=np.asarray(thresholds))[0][:, None, None]
    hits, false = [], []
    for one, other in pair(found=found, boxes=boxes):
        fits = measures[measure](one, other) > limits
        hits.append(fits.any(1))
        false.append((~fits.any(2)).sum(1))
    there = np.concatenate(hits, axis=1)
    shares = there.mean(1) if there.shape[1] else np.full(len(limits), np.nan)
    return shares, np.mean(false, axis=0)
