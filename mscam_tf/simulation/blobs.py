"""Compact objects (chips, stones, splinters of glass, voids) as round or rough ellipsoids."""

from dataclasses import dataclass

import numpy as np

from mscam_tf.simulation.projection import Projection, make_window


@dataclass(frozen=True)
class Blob:
    """An ellipsoid with a rough outline.

    Attributes:
        center: `(y, x)` in pixels.
        angle: Angle of the longer axis, in radians.
        diameter: Size along the shorter axis, in pixels.
        length: Size along the longer axis, in pixels.
        roughness: Amplitude and phase of the outline's waves, `((a_2, p_2), (a_3, p_3), ...)`.
        flatness: 1 for the profile of an ellipsoid, towards 0 for a flat splinter.
    """

    center: tuple[float, float]
    angle: float
    diameter: float
    length: float
    roughness: tuple[tuple[float, float], ...] = ()
    flatness: float = 1.0


def draw_blob(
    image_size: tuple[int, int],
    diameter: float,
    elongation: float,
    roughness: float,
    generator: np.random.Generator,
) -> Blob:
    """Draw a blob somewhere in an image.

    Args:
        image_size: `(height, width)` in pixels.
        diameter: In pixels.
        elongation: Length over diameter.
        roughness: Standard deviation of the outline, relative to its radius.
        generator: Random generator.

    Returns:
        The `Blob`.
    """
    waves = tuple(
        (generator.normal(0, roughness / (number - 1)), generator.uniform(0, 2 * np.pi))
        for number in range(2, 8)
    )
    return Blob(
        center=(
            generator.uniform(-0.02, 1.02) * image_size[0],
            generator.uniform(-0.02, 1.02) * image_size[1],
        ),
        angle=generator.uniform(0, np.pi),
        diameter=diameter,
        length=diameter * elongation,
        roughness=waves if roughness else (),
        flatness=generator.uniform(0.2, 1) if roughness else 1.0,
    )


def project_blob(blob: Blob, image_size: tuple[int, int]) -> Projection | None:
    r"""Return where a blob falls on the detector.

    With `q` the distance from the centre over the outline's radius in that direction, the path is
    `(1 - q^2)^(f / 2)` with the flatness `f`: the chord of an ellipsoid for `f = 1`.

    Args:
        blob: The blob.
        image_size: `(height, width)` in pixels.

    Returns:
        The `Projection`, or `None` if it lies outside.
    """
    furthest = 1 + sum(abs(amplitude) for amplitude, _ in blob.roughness)
    reach = 0.5 * furthest * blob.length + 1.5
    window = make_window([(center - reach, center + reach) for center in blob.center], image_size)
    if window is None:
        return None
    y = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None] - blob.center[0]
    x = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None] - blob.center[1]
    sine, cosine = np.float32(np.sin(blob.angle)), np.float32(np.cos(blob.angle))
    # Half a pixel more on each side: what a small blob covers of a pixel counts.
    u = (x * cosine + y * sine) / (blob.length / 2 + 0.25)
    v = (y * cosine - x * sine) / (blob.diameter / 2 + 0.25)
    inside = 1 - (u * u + v * v) / _trace_outline(blob, u, v)
    path = np.maximum(inside, 0) ** np.float32(blob.flatness / 2)
    return Projection(window, path, inside > 0) if (inside > 0).any() else None


def _trace_outline(blob: Blob, u: np.ndarray, v: np.ndarray) -> np.ndarray | float:
    """The outline's radius in the direction of each pixel, squared."""
    if not blob.roughness:
        return 1.0
    theta = np.arctan2(v, u)
    outline = np.ones_like(theta)
    for number, (amplitude, phase) in enumerate(blob.roughness, start=2):
        outline += np.float32(amplitude) * np.cos(number * theta + np.float32(phase))
    return np.square(np.maximum(outline, np.float32(0.3)))
