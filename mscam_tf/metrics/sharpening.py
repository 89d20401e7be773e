"""Sharp maps: a classifier knows what is there, and a filter where it lies."""

import numpy as np
from scipy.special import expit

from mscam_tf.errors import MscamError
from mscam_tf.metrics.baselines import find_spots
from mscam_tf.metrics.checks import check_maps


def sharpen_maps(odds: np.ndarray, image: np.ndarray) -> np.ndarray:
    r"""Sharpen maps of a classifier by the spots of the image.

    `T(x, y) = sigmoid(odds(x, y)) |spots(x, y)|`: the probability of something at each place, as
    the maps have it, times how much the place differs from its surroundings in any tone, by
    `find_spots`. A map of a network is as coarse as its cells, and places near an object share in
    it; a filter has the place to a pixel, but marks whatever differs. What small and faint objects
    leave in both is much surer. Long objects, and those wider than about 25 pixels, are no spots.

    Sharp maps say where to look. They are no part of a logit: what a region adds to it, the maps
    themselves tell.

    Args:
        odds: Log odds of something at each place: maps less those of what is good, `(H, W)`, or
            `(H, W, C)` of several classes.
        image: The image as the model saw it, `(H, W)`, values in `[0, 1]`.

    Returns:
        As `odds`, float64, zero and above: a strong spot is about 1 to 3.

    Raises:
        MscamError: If the sides of maps and image differ, or values are not finite.

    Examples:
        >>> image = np.full((40, 40), 0.5)
        >>> image[20, [10, 30]] = 0.1  # Two specks, of which one lies where something is probable.
        >>> odds = np.where(np.arange(40) < 20, -3.0, 3.0) * np.ones((40, 1))
        >>> int(sharpen_maps(odds, image).argmax()) == 20 * 40 + 30
        True
    """
    odds = np.asarray(odds)
    (checked,) = check_maps(odds.ndim if odds.ndim == 3 else 2, odds=odds)
    spots = np.abs(find_spots(image))
    if checked.shape[:2] != spots.shape:
        raise MscamError(
            "`odds` and `image` must have the same height and width. "
            f"Received: odds of {checked.shape}, an image of {spots.shape}"
        )
    sharp: np.ndarray = expit(checked.astype(float)) * spots.reshape(
        spots.shape + (1,) * (checked.ndim - 2)
    )
    return sharp
