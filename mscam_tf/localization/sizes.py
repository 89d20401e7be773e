"""Estimate how large the object is that a region shows."""

from math import sqrt

import numpy as np
from scipy.ndimage import label

from mscam_tf.data.labelling import measure_mask
from mscam_tf.data.manifests import Box
from mscam_tf.errors import MscamError
from mscam_tf.metrics import check_maps
from mscam_tf.settings import Number, check_value

# Widths of regions of the pretrained maps, over those of the bones and bodies in them: see
# docs/results/region_sizes.md.
SPREAD, SPREAD_OF_SCALE = 0.75, 1.4
_LEAST = 1.0
_REACH = 48  # Pixels beside a region in which what is lower than it is looked at.


def measure_width(heights: np.ndarray, mask: np.ndarray) -> float:
    """Return the width of a region at half of its height, in pixels.

    That is the diameter of the largest disc in the part that is at least half as high as the peak.
    It hardly depends on the threshold, and along a bone it is the bone's width.

    Args:
        heights: How far the map is above the threshold, `(H, W)`, in logits.
        mask: The region, `(H, W)`, booleans.

    Raises:
        MscamError: If heights are not finite or below 0, the mask has another shape, or nothing is
            in it.

    Examples:
        >>> import numpy as np
        >>> heights = np.array([[1.0, 6, 1], [2, 8, 2], [1, 5, 3], [0, 1, 0]])
        >>> measure_width(heights, heights > 0)
        1.0
    """
    heights, mask = check_maps(2, heights=heights, mask=mask)
    mask = mask > 0
    if not mask.any() or heights[mask].min() < 0:
        raise MscamError(
            "`mask` must hold at least one pixel, and `heights` be at least 0 there. "
            f"Received: {mask.sum()} pixels, the lowest {heights[mask].min(initial=0):g}"
        )
    upper = mask & (heights >= heights[mask].max() / 2)
    return max(measure_mask(upper.astype(np.uint8)))


def measure_around(map_: np.ndarray, box: Box, peak: tuple[float, float]) -> float:
    """Return the width of a map at half of the peak of a region, in pixels.

    Unlike `measure_width` it looks beyond the region: where the threshold is near the peak, a
    region is the tip of what is there, and says nothing of its width.

    Args:
        map_: `(H, W)`: 0 where nothing is.
        box: Of the region.
        peak: `(x, y)` of the region; the map is above 0 there.

    Examples:
        >>> import numpy as np
        >>> map_ = np.zeros((5, 9))
        >>> map_[1:4], map_[2, 4] = 3.0, 5.0
        >>> measure_around(map_, Box(4, 2, 5, 3), peak=(4.5, 2.5))
        3.0
    """
    top, left = (max(int(v) - _REACH, 0) for v in (box.y_min, box.x_min))
    near = map_[top : int(box.y_max) + _REACH, left : int(box.x_max) + _REACH]
    row, column = int(peak[1]) - top, int(peak[0]) - left
    numbers, _ = label(near >= near[row, column] / 2, np.ones((3, 3)))
    return max(measure_mask((numbers == numbers[row, column]).astype(np.uint8)))


def estimate_size(width: float, stride: float, spread: float = SPREAD) -> float:
    """Estimate the diameter of an object, in pixels, from the width of its region.

    A map shows an object wider than it is, as if blurred over a part of a cell. As for any blur,
    the squares of both widths add up: `width^2 = size^2 + (spread stride)^2`. An object that is
    much smaller than that cannot be measured: the estimate is at least 1. The spreads are those of
    the pretrained maps.

    Args:
        width: From `measure_width`, in pixels; of one scale alone from `measure_around`.
        stride: Pixels from one cell of the map to the next; of a sum, of its finest scale.
        spread: Over how many cells the map is blurred: 0.75 for a sum, 1.4 for one scale alone.

    Raises:
        MscamError: If one of them is no finite number of at least 0.

    Examples:
        >>> estimate_size(5.0, stride=4), estimate_size(3.0, stride=4)
        (4.0, 1.0)
    """
    check_value("width", width, Number(0))
    check_value("stride", stride, Number(0))
    check_value("spread", spread, Number(0))
    return sqrt(max(width**2 - (spread * stride) ** 2, _LEAST))
