"""Marks: the places that maps point at, above their thresholds."""

import numpy as np

from mscam_tf.localization.regions import find_regions
from mscam_tf.metrics import find_peaks
from mscam_tf.runs import Explanation, OperatingPoint


def find_marks(explanation: Explanation, point: OperatingPoint) -> np.ndarray:
    """Return the marks on an image at an operating point.

    At each place it counts how far the map of any class is above its threshold, so that several
    classes in one place make one mark. A mark is a local maximum of that (`find_peaks`) in a region
    of at least the least area. A long region has several, one for each of the objects that it may
    join. Free-response curves count the same marks over all thresholds (`score_marks`).

    Args:
        explanation: Of the image; with the maps of each scale, if the point is of one of them.
        point: Which maps are looked at, above which thresholds, and the least area.

    Returns:
        Rows and columns in pixels of the model's input, `(n, 2)`, the highest first. The centre of
        the first pixel is at 0.5.

    Raises:
        MscamError: If there are no maps of the scale.

    Examples:
        >>> from mscam_tf.runs import OperatingPoint
        >>> for explanation in session.explain(paths):  # doctest: +SKIP
        ...     find_marks(explanation, OperatingPoint({"bone": 1.5}))
    """
    names, maps = explanation.class_names, point.take_maps(explanation).astype(np.float64)
    above = [maps[..., names.index(name)] - low for name, low in point.map_thresholds.items()]
    if not above:
        return np.zeros((0, 2))
    highest = np.max(above, axis=0)
    inside = np.zeros(highest.shape, bool)
    for region in find_regions(highest, 0.0, minimum_area=point.minimum_area):
        inside[region.slices] |= region.mask
    places, _ = find_peaks(np.where(inside, highest, -1.0))
    return places + 0.5
