"""Defects of welds and castings: pores, slag, cracks, lack of fusion, tungsten."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mscam_tf.simulation.blobs import Blob, draw_blob
from mscam_tf.simulation.fields import log_uniform
from mscam_tf.simulation.lines import Line, walk

_SMALL = 6.0  # Pixels: smaller compact objects are of the small class.


@dataclass(frozen=True)
class Spot:
    """Where defects lie: `(y, x)` in pixels, and the direction of the seam or wall there."""

    center: tuple[float, float]
    angle: float


@dataclass(frozen=True)
class Defect:
    """A shape, its target, its contrast, and its material: `None` for a void."""

    target: str
    shape: Blob | Line
    contrast: float
    material: str | None = None


def find_spot(thickness: np.ndarray, generator: np.random.Generator) -> Spot:
    """Draw a place, more often on a seam or in a thick wall than beside it, and its direction."""
    size = np.asarray(thickness.shape)
    places = generator.uniform(0.04, 0.96, (6, 2)) * size
    rows, columns = places.astype(int).T
    seam = generator.random() < 0.7
    best = int(thickness[rows, columns].argmax()) if seam else 0
    y, x = int(rows[best]), int(columns[best])
    up, down = max(y - 6, 0), min(y + 6, size[0] - 1)
    left, right = max(x - 6, 0), min(x + 6, size[1] - 1)
    slope = (thickness[down, x] - thickness[up, x], thickness[y, right] - thickness[y, left])
    angle = np.arctan2(slope[0], slope[1]) + np.pi / 2
    if generator.random() < 0.3:
        angle = generator.uniform(0, np.pi)
    return Spot((float(places[best, 0]), float(places[best, 1])), float(angle))


def draw_pores(size: tuple[int, int], spot: Spot, generator: np.random.Generator) -> list[Defect]:
    """One gas pore, a cluster of up to forty, or a chain along the seam."""
    diameter = log_uniform(2, 16, generator) if generator.random() < 0.8 else 16.0
    diameter *= 1.0 if diameter < 16 else log_uniform(1, 2.5, generator)
    contrast = _draw_contrast((0.012, 0.5), diameter, generator)
    worm = log_uniform(1.5, 4, generator) if generator.random() < 0.15 else 1.0
    arrangement = generator.choice(["single", "cluster", "chain"], p=[0.4, 0.4, 0.2])
    count = (
        1
        if arrangement == "single"
        else int(log_uniform(2, 40, generator) * min(1, 9 / diameter)) + 1
    )
    spread = np.array([1.0, 1.0 if arrangement == "cluster" else 0.06])
    spread *= diameter * np.sqrt(count) * log_uniform(0.8, 3, generator)
    direction = spot.angle + generator.normal(0, 0.1)
    found = []
    for _ in range(count):
        side = min(diameter * log_uniform(0.6, 1.6, generator), 40)
        blob = _lay(
            size, side, worm, 0.1 * generator.integers(2), spot, spread * (count > 1), generator
        )
        blob = replace(blob, angle=direction + generator.normal(0, 0.3)) if worm > 1 else blob
        depth = contrast * side / diameter * log_uniform(0.7, 1.4, generator)
        found.append(Defect(_name("void", side), blob, depth))
    return found


def draw_slag(size: tuple[int, int], spot: Spot, generator: np.random.Generator) -> list[Defect]:
    """Slag: long, uneven, along the seam, one or a few after one another; or a ragged lump."""
    width = log_uniform(2, 14, generator)
    contrast = _draw_contrast((0.015, 0.3), width, generator)
    if generator.random() < 0.5:
        long = log_uniform(1.2, 5, generator)
        blob = _lay(size, width, long, 0.3, spot, np.zeros(2), generator)
        return [Defect(_name("void", width), replace(blob, angle=spot.angle), contrast)]
    found = []
    along = np.array([np.sin(spot.angle), np.cos(spot.angle)])
    place = np.asarray(spot.center)
    for _ in range(generator.integers(1, 4)):
        long = width * log_uniform(3, 12, generator)
        points = walk(tuple(place.tolist()), spot.angle, long, 6, 0.25, generator)
        line = Line(points, width * log_uniform(0.7, 1.3, generator), generator.uniform(0.4, 1))
        found.append(
            Defect(_name("void", width), line, contrast * log_uniform(0.7, 1.4, generator))
        )
        place = place + along * (long + width * generator.uniform(1, 6))
    return found


def draw_cracks(size: tuple[int, int], spot: Spot, generator: np.random.Generator) -> list[Defect]:
    """A jagged crack, thin, in some a branch; along the seam or across it."""
    angle = spot.angle + (np.pi / 2 if generator.random() < 0.3 else 0.0)
    long = log_uniform(12, 1.2 * max(size), generator)
    width = log_uniform(0.7, 2.5, generator)
    contrast = log_uniform(0.015, 0.35, generator)
    steps = int(np.clip(long / log_uniform(4, 14, generator), 2, 14))
    points = walk(spot.center, angle, long, steps, generator.uniform(0.1, 0.6), generator)
    found = [Defect("crack", Line(points, width), contrast)]
    if generator.random() < 0.25:
        start = points[generator.integers(len(points))]
        turned = angle + generator.choice([-1, 1]) * generator.uniform(0.4, 1.2)
        branch = walk(start, turned, 0.4 * long, max(steps // 2, 2), 0.4, generator)
        found.append(Defect("crack", Line(branch, 0.8 * width), 0.8 * contrast))
    return found


def draw_fusion(size: tuple[int, int], spot: Spot, generator: np.random.Generator) -> list[Defect]:
    """Lack of fusion or of penetration: a straight line along the seam, a band if it is wide."""
    long = log_uniform(15, 1.5 * max(size), generator)
    width = log_uniform(0.8, 5, generator)
    points = walk(spot.center, spot.angle, long, 4, 0.03, generator)
    line = Line(points, width, generator.uniform(0.2, 1))
    return [Defect("crack", line, log_uniform(0.01, 0.3, generator))]


def draw_tungsten(
    size: tuple[int, int], spot: Spot, generator: np.random.Generator
) -> list[Defect]:
    """Splinters of the electrode, spatter of steel: compact and bright, one or a few."""
    side = log_uniform(2, 12, generator)
    contrast = _draw_contrast((0.01, 1.0), side, generator)
    count = 1 if generator.random() < 0.6 else int(generator.integers(2, 7))
    spread = np.full(2, side * log_uniform(1.5, 6, generator) * (count > 1))
    found = []
    for _ in range(count):
        own = side * log_uniform(0.7, 1.4, generator)
        blob = _lay(size, own, log_uniform(1, 2, generator), 0.2, spot, spread, generator)
        found.append(Defect(_name("dense", own), blob, contrast, "steel"))
    return found


def _lay(
    size: tuple[int, int],
    diameter: float,
    elongation: float,
    roughness: float,
    spot: Spot,
    spread: np.ndarray,
    generator: np.random.Generator,
) -> Blob:
    """Draw a blob near a spot: normally distributed along the seam and across it."""
    along, across = (spread * generator.standard_normal(2)).tolist()
    sine, cosine = np.sin(spot.angle), np.cos(spot.angle)
    y = spot.center[0] + along * sine + across * cosine
    x = spot.center[1] + along * cosine - across * sine
    blob = draw_blob(size, diameter, elongation, float(roughness), generator)
    return replace(blob, center=(float(y), float(x)))


def _draw_contrast(
    limits: tuple[float, float], width: float, generator: np.random.Generator
) -> float:
    """Optical depth; the lower end rises where an object is so small that noise would hide it.

    It rises with the root of a large width, too: wide defects are thick.
    """
    low, high = limits
    least = low * max(1, 10 / width, np.sqrt(width / 10))
    return log_uniform(min(least, high / 2), high, generator)


def _name(target: str, width: float) -> str:
    return f"{target}_{'small' if width < _SMALL else 'large'}"


DEFECTS: dict[str, Callable[[tuple[int, int], Spot, np.random.Generator], list[Defect]]] = {
    "pores": draw_pores,
    "slag": draw_slag,
    "crack": draw_cracks,
    "fusion": draw_fusion,
    "tungsten": draw_tungsten,
}
