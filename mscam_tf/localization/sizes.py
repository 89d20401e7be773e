"""Estimate how large the object is that a region shows."""

from math import sqrt

import numpy as np

from mscam_tf.data.labelling import measure_mask
from mscam_tf.errors import MscamError
from mscam_tf.metrics import check_maps
from mscam_tf.settings import Number, check_value

# Widths of regions of the pretrained maps, over those of the bones and bodies in them: see
# docs/results/region_sizes.md.
_SPREAD = 0.75
_LEAST = 1.0


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


def estimate_size(width: float, stride: float) -> float:
    """Estimate the diameter of an object, in pixels, from the width of its region.

    A map shows an object wider than it is, as if blurred over three quarters of a cell. As for any
    blur, the squares of both widths add up: `width^2 = size^2 + (0.75 stride)^2`. An object that is
    much smaller than that cannot be measured: the estimate is at least 1.

    Args:
        width: From `measure_width`, in pixels.
        stride: Pixels from one cell of the map to the next; of a sum, of its finest scale.

    Raises:
        MscamError: If one of them is no finite number of at least 0.

    Examples:
        >>> estimate_size(5.0, stride=4), estimate_size(3.0, stride=4)
        (4.0, 1.0)
    """
    check_value("width", width, Number(0))
    check_value("stride", stride, Number(0))
    return sqrt(max(width**2 - (_SPREAD * stride) ** 2, _LEAST))
