r"""Which objects can be seen: their signal against what the image has beside them.

The index of an object is the signal-to-noise ratio of an observer who knows its shape:

`d' = sqrt( sum_x ( s(x) / n_w(x) )^2 )`

with `s` what the object changes in the final image (blurred, and zero where the image is clipped),
less its mean over `3w x 3w` pixels, and `n_w` the deviation of the rest of the image near `x`, a
pixel, as it acts at the object's width `w`, at most 9: that of differences between means over
`w x w` and `3w x 3w` pixels, times `w`. For a flat object of `n` pixels with contrast `c` in white
noise of deviation `sigma` this is nearly `c sqrt(n) / sigma`, the quantity of Rose (1948). Grain
that is correlated, ripples and rough surfaces of the object's own size count as much as they hide;
wide slopes do not. Of an object that is wider than 27 pixels, mostly the border counts: the
inside of a faint one looks like what is around it.

Rose found that an object is seen reliably from 3 to 5 on. `VISIBLE = 4` is in the middle: where the
place is not known, an observer who searches the 1,000 to 4,000 places of an image meets 4 in noise
alone less than once in ten images, but 3 in each. (A. Rose, "The sensitivity performance of the
human eye on an absolute scale", J. Opt. Soc. Am. 38, 196-208, 1948.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter

from mscam_tf.simulation.projection import Window

VISIBLE = 4.0
_WIDTHS = (3, 5, 9)


@dataclass(frozen=True)
class Signal:
    """What an object changes in the final image: `(h, w)` within a window, and its width."""

    window: Window
    change: np.ndarray
    width: float


def measure_visibility(
    image: np.ndarray, signals: Sequence[Signal], floor: float = 0.0
) -> list[float]:
    """Return the index `d'` of each object in an image.

    Args:
        image: `(H, W)`, float32, the final image with all objects in it.
        signals: What each object changes in it.
        floor: Standard deviation of noise that cannot be measured: steps of grey levels, or what
            a compression drops.

    Examples:
        >>> import numpy as np
        >>> image = 0.01 * np.random.default_rng(0).standard_normal((64, 64), dtype=np.float32)
        >>> change = np.full((5, 5), 0.02, np.float32)
        >>> image[20:25, 20:25] += change
        >>> signal = Signal((slice(20, 25), slice(20, 25)), change, 5.0)
        >>> 7 < measure_visibility(image, [signal])[0] < 13  # 2 sqrt(25) = 10
        True
    """
    bare = image.copy()
    for signal in signals:
        bare[signal.window] -= signal.change
    noise: dict[int, np.ndarray] = {}
    found = []
    for signal in signals:
        width = next((w for w in _WIDTHS if w >= 0.8 * signal.width), _WIDTHS[-1])
        if width not in noise:
            noise[width] = _measure_noise(bare, width, floor)
        seen = signal.change - uniform_filter(signal.change, 3 * width, mode="constant")
        squares = np.square(seen) / noise[width][signal.window]
        found.append(float(np.sqrt(squares.sum())))
    return found


def _measure_noise(bare: np.ndarray, width: int, floor: float) -> np.ndarray:
    """Variance a pixel, near each pixel, as it acts at a width."""
    means = uniform_filter(bare, width) - uniform_filter(bare, 3 * width)
    near = 2 * width + 7
    variance = uniform_filter(means * means, near) - np.square(uniform_filter(means, near))
    return np.maximum(variance, 0) * np.float32(width**2) + np.float32(floor**2 + 1e-12)
