"""Small pictures of images, whitened: by them, images that may be copies are found."""

import numpy as np
from PIL import Image

_SIDE = 40
_BAND = (3, 18)  # Waves per thumbnail: coarser ones are alike in radiographs, finer ones are noise.
_FLAT = 1e-5  # Deviation, of values in [0, 1], below which there is nothing but rounding.


def take_thumbnail(image: np.ndarray) -> np.ndarray:
    """Keep the waves of a middle band, those above the median strength cut down to it.

    Args:
        image: `(H, W)`, float32, in `[0, 1]`.

    Returns:
        `(40, 40)`, float32, of unit norm; zeros where there is nothing but rounding.
    """
    shrunk = Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    thumbnail = np.asarray(shrunk, np.float64)
    window = np.outer(_TAPER, _TAPER)
    values = (thumbnail - np.average(thumbnail, weights=window)) * window
    if values.std() < _FLAT:
        return np.zeros(values.shape, np.float32)
    waves = np.where(_IN_BAND, np.fft.fft2(values), 0)
    limit = np.median(np.abs(waves[_IN_BAND]))
    white = np.fft.ifft2(waves * (limit / np.maximum(np.abs(waves), limit))).real
    return (white / np.linalg.norm(white)).astype(np.float32)


def _make_band() -> np.ndarray:
    frequencies = np.fft.fftfreq(_SIDE, 1 / _SIDE)
    radius = np.hypot(*np.meshgrid(frequencies, frequencies))
    return (radius >= _BAND[0]) & (radius <= _BAND[1])


_IN_BAND = _make_band()
# Falls over an eighth at each border, where the two ends of a picture would otherwise make an edge.
_TAPER = np.clip((np.arange(_SIDE) + 0.5) * 8 / _SIDE, 0, 1)
_TAPER = np.minimum(_TAPER, _TAPER[::-1])
