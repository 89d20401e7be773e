"""From transmission to a digital image: blur, photons, a line scanner's columns, bits."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from mscam_tf.simulation.fields import log_uniform, turn

_RANGE = 2.5  # Optical depth at the upper end of the digital range.


@dataclass(frozen=True)
class Detector:
    """Properties of one exposure.

    Attributes:
        photons: Detected photons in each pixel if nothing is in the way.
        focus_blur: Standard deviation of the blur by the focal spot, in pixels; it acts before the
            photons are counted.
        detector_blur: Standard deviation of the blur by the scintillator, in pixels; it also blurs
            the noise of the photons.
        electronic_noise: Standard deviation in photons.
        column_gain: Standard deviation of the gain of the columns that calibration leaves.
        dead_columns: Columns without signal, interpolated from their neighbours.
        scratches: Thin straight marks on the window, as `(y, x, angle, optical depth)`.
    """

    photons: float
    focus_blur: float
    detector_blur: float
    electronic_noise: float
    column_gain: float
    dead_columns: int
    scratches: tuple[tuple[float, float, float, float], ...]


def draw_detector(
    image_size: tuple[int, int],
    photons: tuple[float, float],
    hard_negatives: float,
    generator: np.random.Generator,
) -> Detector:
    """Draw the properties of an exposure.

    Args:
        image_size: `(height, width)` in pixels.
        photons: Range of the photons a pixel, drawn log-uniformly.
        hard_negatives: Probability of scratches.
        generator: Random generator.

    Returns:
        The `Detector`.
    """
    scratched = generator.random() < hard_negatives / 2
    return Detector(
        photons=log_uniform(*photons, generator),
        focus_blur=generator.uniform(0.3, 1.2),
        detector_blur=generator.uniform(0.4, 1.1),
        electronic_noise=generator.uniform(2, 15),
        column_gain=log_uniform(2e-4, 4e-3, generator),
        dead_columns=int(generator.poisson(image_size[1] / 2000)),
        scratches=tuple(
            _draw_scratch(image_size, generator)
            for _ in range(generator.integers(1, 4) if scratched else 0)
        ),
    )


def expose(
    transmission: np.ndarray, detector: Detector, bit_depth: int, generator: np.random.Generator
) -> np.ndarray:
    r"""Return the digital image: `-ln(N / N_0)`, dense is bright, 2.5 at the top of the range.

    `N ~ Poisson(N_0 T)`, with `T` blurred by the focal spot and `N` by the scintillator, then
    multiplied by the columns' gain; electronic noise is added.

    Args:
        transmission: `(H, W)`, float32, in `(0, 1]`.
        detector: The exposure.
        bit_depth: 8 to 16; the values span `0` to `2^bits - 1`.
        generator: Random generator.

    Returns:
        Array `(H, W)`: uint8 for 8 bits, uint16 for more.
    """
    expected = gaussian_filter(transmission, detector.focus_blur, truncate=3)
    expected = scratch(expected, detector)
    counts = generator.poisson(detector.photons * expected).astype(np.float32)
    counts = gaussian_filter(counts, detector.detector_blur, truncate=3)
    counts = read_out(counts, detector, generator)
    depth = -np.log(np.maximum(counts, 1) / np.float32(detector.photons))
    levels = 2**bit_depth - 1
    values = np.round(np.clip(depth / _RANGE, 0, 1) * levels)
    return values.astype(np.uint8 if bit_depth == 8 else np.uint16)


def scratch(expected: np.ndarray, detector: Detector) -> np.ndarray:
    """Return the intensity behind the scratched window of a detector."""
    size = (expected.shape[0], expected.shape[1])
    for mark in detector.scratches:
        expected = expected * np.exp(-_trace_scratch(size, mark))
    return expected


def read_out(counts: np.ndarray, detector: Detector, generator: np.random.Generator) -> np.ndarray:
    """Add what the electronics add to counts: gain of columns, noise, dead columns."""
    counts = counts * _draw_gain(counts.shape[1], detector, generator)
    counts += np.float32(detector.electronic_noise) * generator.standard_normal(
        counts.shape, dtype=np.float32
    )
    _mend_columns(counts, detector.dead_columns, generator)
    return counts


def _draw_gain(width: int, detector: Detector, generator: np.random.Generator) -> np.ndarray:
    noise = generator.standard_normal(width, dtype=np.float32)
    return np.exp(np.float32(detector.column_gain) * noise)


def _mend_columns(counts: np.ndarray, number: int, generator: np.random.Generator) -> None:
    for column in generator.integers(1, counts.shape[1] - 1, number):
        counts[:, column] = (counts[:, column - 1] + counts[:, column + 1]) / 2


def _draw_scratch(
    size: tuple[int, int], generator: np.random.Generator
) -> tuple[float, float, float, float]:
    return (
        generator.uniform(0, size[0]),
        generator.uniform(0, size[1]),
        generator.uniform(0, np.pi),
        generator.choice([-1, 1]) * generator.uniform(0.01, 0.06),
    )


def _trace_scratch(size: tuple[int, int], scratch: tuple[float, float, float, float]) -> np.ndarray:
    y, x, angle, depth = scratch
    _, across = turn(size, angle, (y, x))
    return np.float32(depth) * np.maximum(1 - np.abs(across), 0)
