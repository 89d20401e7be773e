"""Exposures of scenes by detectors and films, and the tones and files that they go through."""

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from mscam_tf.simulation.detector import Detector, draw_detector, read_out, scratch
from mscam_tf.simulation.fields import log_uniform


@dataclass(frozen=True)
class Exposure:
    """Properties of one exposure.

    Attributes:
        detector: Photons, blur before and after they are counted, and streaks.
        grain: Standard deviation of the grain of a film where it lets a third of the radiation
            through, in optical depth; 0 for a digital detector.
        grain_size: Standard deviation of the blur of the grain, in pixels.
        softness: Standard deviation of the blur by a scanner, in pixels.
        window: Shares of pixels that are clipped at the dark and the bright end. `None` begins at
            a depth of zero and clips nearly nothing.
        headroom: Grey value of the brightest pixels that are not clipped.
        gamma: Exponent of the tone curve.
        inverted: Whether dense is dark.
        levels: Grey levels of the file.
        quality: Of JPEG; `None` for a file without loss.
    """

    detector: Detector
    grain: float
    grain_size: float
    softness: float
    window: tuple[float, float] | None
    headroom: float
    gamma: float
    inverted: bool
    levels: int
    quality: int | None

    @property
    def blur(self) -> float:
        """Standard deviation of the blur of an object, in pixels."""
        return float(
            np.sqrt(self.detector.focus_blur**2 + self.detector.detector_blur**2 + self.softness**2)
        )

    @property
    def floor(self) -> float:
        """Standard deviation of what grey levels and compression drop.

        JPEG rounds the coefficients of blocks to steps of about 16 levels at quality 50, and in
        proportion to `2 - quality / 50` above it.
        """
        step = 1 / self.levels
        if self.quality is not None:
            step = 16 * (2 - self.quality / 50) / 255
        return float(step / np.sqrt(12))


def draw_exposure(size: tuple[int, int], film: bool, generator: np.random.Generator) -> Exposure:
    """Draw an exposure: from a noisy line scanner to a film, sharp or blurred."""
    detector = draw_detector(size, (1e4, 3e5) if film else (1.5e3, 3e5), 0.5, generator)
    detector = replace(
        detector,
        focus_blur=log_uniform(0.3, 2.0, generator),
        detector_blur=log_uniform(0.4, 1.6, generator),
    )
    if film:
        detector = replace(detector, column_gain=0.0, dead_columns=0, electronic_noise=0.0)
    return Exposure(
        detector=detector,
        grain=log_uniform(0.001, 0.03, generator) if film else 0.0,
        grain_size=log_uniform(0.5, 2.0, generator),
        softness=generator.uniform(0.4, 1.2) if generator.random() < 0.3 else 0.0,
        window=_draw_window(generator) if film else None,
        headroom=generator.uniform(0.4, 1),
        gamma=log_uniform(0.6, 1.6, generator),
        inverted=generator.random() < 0.1,
        levels=2 ** int(generator.choice([8, 10, 12, 16])) - 1,
        quality=int(generator.integers(60, 97)) if generator.random() < 0.3 else None,
    )


def _draw_window(generator: np.random.Generator) -> tuple[float, float]:
    """In half of the films something is clipped, at one end or both."""
    low, high = (
        log_uniform(0.005, 0.25, generator) if generator.random() < 0.3 else 0.0 for _ in range(2)
    )
    return low, high


def expose_film(
    transmission: np.ndarray, exposure: Exposure, generator: np.random.Generator
) -> np.ndarray:
    r"""Return the optical depth that is measured, `(H, W)`, float32.

    The photons of a pixel are drawn from a normal distribution, which at the 10 and more that
    are left of thousands is as good as Poisson's. The grain of a film is noise of its own, blurred
    to the size of its clumps; its deviation grows with the root of the film's density (Selwyn
    1935), which follows the radiation that arrives.

    Args:
        transmission: `(H, W)`, float32, in `(0, 1]`.
        exposure: The exposure.
        generator: Random generator.
    """
    detector = exposure.detector
    expected = scratch(gaussian_filter(transmission, detector.focus_blur, truncate=3), detector)
    counts = expected * np.float32(detector.photons)
    counts += np.sqrt(counts) * generator.standard_normal(counts.shape, dtype=np.float32)
    counts = gaussian_filter(counts, detector.detector_blur, truncate=3)
    counts = read_out(counts, detector, generator)
    depth = -np.log(np.maximum(counts, 1) / np.float32(detector.photons))
    if exposure.grain:
        depth += _draw_grain(expected, exposure, generator)
    return gaussian_filter(depth, exposure.softness, truncate=3) if exposure.softness else depth


def _draw_grain(
    expected: np.ndarray, exposure: Exposure, generator: np.random.Generator
) -> np.ndarray:
    white = generator.standard_normal(expected.shape, dtype=np.float32)
    clumps = gaussian_filter(white, exposure.grain_size, truncate=3)
    clumps *= np.float32(exposure.grain / clumps.std())
    density = expected / max(float(expected.mean()), 1e-6)
    return clumps * np.sqrt(np.clip(density, 0.1, 4))


class Tone:
    """The grey value of each optical depth: a window, clipped, and a curve."""

    def __init__(self, depth: np.ndarray, exposure: Exposure) -> None:
        sample, headroom = depth[::3, ::3], exposure.headroom
        self.low, high = 0.0, 0.001
        if exposure.window is not None:
            self.low = float(np.quantile(sample, exposure.window[0]))
            high = exposure.window[1]
        if high > 0.001:
            headroom = 1.0
        span = float(np.quantile(sample, 1 - high)) - self.low
        self.span = max(span, 0.02) / headroom
        self.exposure = exposure

    def __call__(self, depth: np.ndarray) -> np.ndarray:
        """Return grey values, float32, in `[0, 1]`."""
        image = np.clip((depth - np.float32(self.low)) / np.float32(self.span), 0, 1) ** np.float32(
            self.exposure.gamma
        )
        return 1 - image if self.exposure.inverted else image


def digitise(image: np.ndarray, exposure: Exposure) -> np.ndarray:
    """Round to the grey levels of a file, or compress."""
    if exposure.quality is not None:
        return _compress(image, exposure.quality)
    levels = np.float32(exposure.levels)
    rounded: np.ndarray = np.round(image * levels) / levels
    return rounded


def _compress(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(np.round(image * 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.float32) / 255
