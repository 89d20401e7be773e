"""What is no defect: letters, wires to measure by, scratches, dust, stains.

Nothing of this is in any mask: a model is to learn to pass over it.
"""

import numpy as np

from mscam_tf.simulation.defects import Spot
from mscam_tf.simulation.fields import log_uniform, place, smooth_noise, turn
from mscam_tf.simulation.lines import Line, project_line, walk

# The seven strokes of a digit, as corners of a cell that is one wide and two high.
_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1))
_STROKES = ((0, 1), (0, 2), (1, 3), (2, 3), (2, 4), (3, 5), (4, 5))


def draw_inserts(
    size: tuple[int, int], spot: Spot, generator: np.random.Generator
) -> np.ndarray | None:
    """Draw letters of lead or a penetrameter's wires, `(H, W)`, as optical depth; or nothing."""
    lines = []
    if generator.random() < 0.12:
        lines += _draw_letters(size, generator)
    if generator.random() < 0.12:
        lines += _draw_wires(spot, generator)
    return _trace(lines, size) if lines else None


def draw_blemishes(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray | None:
    """Draw scratches, dust, stains and roller marks of a film, as depth; or nothing.

    They come after the blur of the exposure: all but stains are sharper than any object.
    """
    lines = []
    if generator.random() < 0.2:
        lines += [_draw_scratch(size, generator) for _ in range(generator.integers(1, 4))]
    if generator.random() < 0.2:
        lines += [_draw_dust(size, generator) for _ in range(generator.integers(1, 8))]
    total = _trace(lines, size) if lines else None
    for chance, draw in ((0.1, _draw_stain), (0.1, _draw_band)):
        if generator.random() < chance:
            total = draw(size, generator) + (0 if total is None else total)
    return total


def _trace(lines: list[tuple[Line, float]], size: tuple[int, int]) -> np.ndarray:
    total = np.zeros(size, np.float32)
    for line, depth in lines:
        projection = project_line(line, size)
        if projection is not None:
            there = total[projection.window]
            # Strokes that meet do not add up.
            np.copyto(
                there,
                depth * projection.path,
                where=np.abs(there) < np.abs(depth) * projection.path,
            )
    return total


def _draw_letters(
    size: tuple[int, int], generator: np.random.Generator
) -> list[tuple[Line, float]]:
    """Up to four digits in a row, of even strokes, dense."""
    height = log_uniform(14, 60, generator)
    thick, depth = height * generator.uniform(0.08, 0.2), log_uniform(0.1, 1.5, generator)
    angle = generator.choice([0, 0.5, 1, 1.5]) * np.pi + generator.normal(0, 0.05)
    sine, cosine = np.sin(angle), np.cos(angle)
    start = place(size, generator)
    lines = []
    for number in range(generator.integers(1, 5)):
        corners = [(0.5 * height * y, 0.5 * height * (x + 1.6 * number)) for y, x in _CORNERS]
        turned = [
            (float(start[0] + v * cosine + u * sine), float(start[1] + u * cosine - v * sine))
            for v, u in corners
        ]
        for first, second in _STROKES:
            if generator.random() < 0.7:
                lines.append((Line((turned[first], turned[second]), thick, 0.3), depth))
    return lines


def _draw_wires(spot: Spot, generator: np.random.Generator) -> list[tuple[Line, float]]:
    """Seven parallel wires across the seam, each thinner and fainter than the one before."""
    angle = spot.angle + np.pi / 2 + generator.normal(0, 0.03)
    gap, long = log_uniform(8, 25, generator), log_uniform(40, 250, generator)
    width, depth = log_uniform(1.2, 3.5, generator), log_uniform(0.03, 0.3, generator)
    step = np.array([np.cos(angle), -np.sin(angle)]) * gap
    lines = []
    for number in range(7):
        center = np.asarray(spot.center) + number * step
        points = walk(tuple(center.tolist()), angle, long, 2, 0.0, generator)
        thinner = 0.8**number
        lines.append((Line(points, width * thinner), depth * thinner))
    return lines


def _draw_scratch(size: tuple[int, int], generator: np.random.Generator) -> tuple[Line, float]:
    points = walk(
        place(size, generator),
        generator.uniform(0, np.pi),
        log_uniform(10, 300, generator),
        3,
        generator.uniform(0, 0.1),
        generator,
    )
    depth = generator.choice([-1, 1]) * log_uniform(0.02, 0.3, generator)
    return Line(points, generator.uniform(0.4, 1.2), 0.3), float(depth)


def _draw_dust(size: tuple[int, int], generator: np.random.Generator) -> tuple[Line, float]:
    """A speck or a curled fibre."""
    long = log_uniform(0.5, 15, generator)
    points = walk(place(size, generator), generator.uniform(0, 2 * np.pi), long, 4, 0.8, generator)
    depth = generator.choice([-1, 1], p=[0.8, 0.2]) * log_uniform(0.05, 0.6, generator)
    return Line(points, generator.uniform(0.4, 1.2), 0.3), float(depth)


def _draw_stain(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """A drop that dried: wide, soft, faint."""
    field = smooth_noise(size, log_uniform(40, 120, generator), generator) - 0.5
    depth = generator.choice([-1, 1]) * log_uniform(0.01, 0.08, generator)
    stain: np.ndarray = np.float32(depth) * np.clip(field, 0, 1)
    return stain


def _draw_band(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Marks of rollers or of the scanner: narrow parallel bands over all of the film."""
    across, _ = turn(size, float(generator.integers(2)) * np.pi / 2, place(size, generator))
    width = np.float32(log_uniform(1, 8, generator))
    band = np.exp(-((across / width) ** 2))
    depth = generator.choice([-1, 1]) * log_uniform(0.005, 0.06, generator)
    return np.broadcast_to(np.float32(depth) * band, size)
