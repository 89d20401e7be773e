"""Boxes that lie in each other: what is known of the places that the smaller ones leave."""

from collections.abc import Sequence

import numpy as np

from mscam_tf.data.manifests import Box
from mscam_tf.training.map_supervision import BOXED, MAYBE

_MOST = 0.5  # Share of a box.


def order_boxes(boxes: Sequence[Box]) -> list[int]:
    """Return in which order boxes are painted: the smallest last, which so keeps all its places."""
    return sorted(range(len(boxes)), key=lambda index: -boxes[index].area)


def settle_overlaps(kinds: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """Say what is known of boxes that overlap; a place in several belongs to the smallest.

    What a larger box around or beside one names may be in that one, too. Otherwise models would
    learn that it is not.

    What a larger box names is not asked for in the places that smaller ones leave, if half of one
    of the same class lies in it, since the object may be that one (two boxes around one object, or
    one around several); nor if another takes more than half of it.

    Args:
        kinds: What each object is for each class, `(len(boxes) + 1, C)`; see `measure_map`.
        boxes: The boxes.

    Returns:
        The kinds, changed.
    """
    if not boxes:
        return kinds
    areas = np.array([box.area for box in boxes])
    shared = _share_areas(boxes)
    below = (shared > 0) & (areas[:, None] <= areas)
    own, found = kinds[:-1], kinds[:-1].copy()
    hidden = below.astype(int) @ (own > 0) > 0
    found[hidden & (own == 0)] = MAYBE
    rank = np.argsort(order_boxes(boxes))
    above = rank[:, None] < rank  # The second is painted over the first.
    implied = (above & (shared >= _MOST * areas)).astype(int) @ (own >= BOXED) > 0
    covered = (above & (shared > _MOST * areas[:, None])).any(1, keepdims=True)
    found[(own == BOXED) & (implied | covered)] = MAYBE
    return np.concatenate([found, kinds[-1:]])


def _share_areas(boxes: Sequence[Box]) -> np.ndarray:
    """Return the area that each pair of boxes has in common; 0 of one with itself."""
    corners = np.array([(box.x_min, box.y_min, box.x_max, box.y_max) for box in boxes])
    low = np.maximum(corners[:, None, :2], corners[:, :2])
    high = np.minimum(corners[:, None, 2:], corners[:, 2:])
    shared: np.ndarray = (high - low).clip(0).prod(-1)
    np.fill_diagonal(shared, 0)
    return shared
