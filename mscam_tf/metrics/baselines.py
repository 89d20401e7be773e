"""Maps that nobody learned: what every map has to beat."""

from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from mscam_tf.metrics.checks import check_maps
from mscam_tf.settings import Choice, Number, Size, check_value


def draw_middle(image_size: tuple[int, int]) -> np.ndarray:
    """Return a map that shows the middle of any image: a Gaussian, 1 in the middle.

    Many objects lie there: methods that do not beat this map have not found anything.

    Args:
        image_size: `(height, width)` in pixels.

    Returns:
        `(H, W)`, float64; its deviation is a quarter of each side.

    Examples:
        >>> draw_middle((1, 3)).round(2)
        array([[0.41, 1.  , 0.41]])

    References:
        [Choe et al., 2020](https://arxiv.org/abs/2001.07437): the centre baseline.
    """
    check_value("image_size", image_size, Size(1))
    rows, columns = (((np.arange(n) + 0.5) / n - 0.5) * 4 for n in image_size)
    middle: np.ndarray = np.exp(-(rows[:, None] ** 2 + columns**2) / 2)
    return middle


def find_spots(
    image: np.ndarray,
    tone: Literal["dark", "bright"] = "dark",
    sigma: float = 4.0,
    floor: float = 0.004,
    limit: float = 4.0,
) -> np.ndarray:
    """Return a map of the spots of an image: what differs in tone from its surroundings.

    A difference of Gaussians (2 and 8 pixels) of the image after local contrast normalisation:
    `d = x - G(x)`, `d / (sqrt(G(d^2)) + floor)`, cut at a limit. Nothing is learned.

    Args:
        image: `(H, W)`, values in `[0, 1]`.
        tone: Whether spots are `"dark"` or `"bright"`.
        sigma: Deviation of the Gaussian `G`, in pixels.
        floor: What is added to the local contrast, so that noise is not blown up.
        limit: Of the normalised contrast.

    Returns:
        `(H, W)`, float64: high on spots.

    Examples:
        >>> image = np.full((9, 9), 0.5)
        >>> image[4, 6] = 0.1
        >>> int(find_spots(image).argmax()) == 4 * 9 + 6
        True
    """
    check_value("tone", tone, Choice(("dark", "bright")))
    for name, value in (("sigma", sigma), ("floor", floor), ("limit", limit)):
        check_value(name, value, Number(0, above=True))
    (values,) = check_maps(2, image=image)
    values = values.astype(float)  # Differences of whole numbers may leave their type.
    d = values - gaussian_filter(values, sigma)
    d = d / (np.sqrt(gaussian_filter(d**2, sigma)) + floor)
    d = d.clip(-limit, limit)
    spots: np.ndarray = gaussian_filter(d, 2.0) - gaussian_filter(d, 8.0)
    return spots if tone == "bright" else -spots
