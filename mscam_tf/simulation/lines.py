"""Lines of any course: cracks, slag, lack of fusion, and marks that are no defects."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mscam_tf.simulation.projection import Projection, make_window


@dataclass(frozen=True)
class Line:
    """A line through points, round across.

    Attributes:
        points: `(y, x)` of its corners in pixels, two or more.
        diameter: Width in pixels.
        flatness: 1 for the profile of a round rod, towards 0 for a flat band.
    """

    points: tuple[tuple[float, float], ...]
    diameter: float
    flatness: float = 1.0


def walk(
    start: tuple[float, float],
    angle: float,
    length: float,
    steps: int,
    turns: float,
    generator: np.random.Generator,
) -> tuple[tuple[float, float], ...]:
    """Draw a course of `steps` straight parts through `start`, each turned by about `turns`.

    Args:
        start: `(y, x)` of the middle.
        angle: Mean direction, in radians.
        length: Length of all parts together.
        steps: Number of parts.
        turns: Standard deviation of a part's direction around the mean, in radians.
        generator: Random generator.
    """
    angles = angle + turns * generator.standard_normal(steps)
    parts = np.stack([np.sin(angles), np.cos(angles)], 1) * (length / steps)
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(parts, 0)])
    points += np.asarray(start) - points[len(points) // 2]
    return tuple((float(y), float(x)) for y, x in points)


def project_line(line: Line, image_size: tuple[int, int]) -> Projection | None:
    r"""Return where a line falls on the detector.

    At the distance `d` from the line, with the radius `r`, the path is `(1 - (d / r)^2)^(f / 2)`
    with the flatness `f`. What a thin line covers of a pixel counts: lines narrower than a pixel
    are a pixel wide, and as much fainter.

    Args:
        line: The line.
        image_size: `(height, width)` in pixels.

    Returns:
        The `Projection`, or `None` if it lies outside.
    """
    points = np.asarray(line.points, np.float32)
    reach = line.diameter / 2 + 1.5
    spans = [(float(a.min()) - reach, float(a.max()) + reach) for a in points.T]
    window = make_window(spans, image_size)
    if window is None:
        return None
    y = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None]
    x = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None]
    squared = _measure_distance(y, x, points)
    radius = np.float32(max(line.diameter, 1) / 2 + 0.25)
    inside = 1 - squared / (radius * radius)
    outline = inside > 0
    path = np.maximum(inside, 0) ** np.float32(line.flatness / 2)
    path *= np.float32(min(line.diameter, 1))
    return Projection(window, path, outline) if outline.any() else None


def _measure_distance(y: np.ndarray, x: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Squared distance of each pixel from the nearest part."""
    nearest = np.full((y.shape[0], x.shape[1]), np.inf, np.float32)
    for (y0, x0), (y1, x1) in pairwise(points):
        dy, dx = y1 - y0, x1 - x0
        along = ((y - y0) * dy + (x - x0) * dx) / max(dy * dy + dx * dx, np.float32(1e-6))
        along = np.clip(along, 0, 1)
        squared = (y - y0 - along * dy) ** 2 + (x - x0 - along * dx) ** 2
        np.minimum(nearest, squared, out=nearest)
    return nearest
