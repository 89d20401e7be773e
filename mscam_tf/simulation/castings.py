"""Castings: walls, ribs, bosses and bores, as thickness in cm on the grid of the pixels."""

import numpy as np

from mscam_tf.simulation.fields import bent_distance, log_uniform, make_grid, place, smooth_noise
from mscam_tf.simulation.metal import draw_thickness, round_step


def draw_casting(
    size: tuple[int, int], pitch: float, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Walls with rounded steps, curved or straight, ribs, bosses and bores, and coarse grain."""
    wall = draw_thickness(generator)
    total = np.full(size, wall, np.float32)
    for _ in range(generator.integers(1, 4)):
        distance = bent_distance(size, pitch, generator, most=0.5)
        rounded = log_uniform(0.3, 3, generator) / pitch
        total += np.float32(generator.uniform(-0.4, 0.8) * wall) * round_step(distance, rounded)
    for chance, draw in (
        (0.4, _draw_boss),
        (0.3, _draw_boss),
        (0.3, _draw_rib),
        (0.4, _draw_curve),
    ):
        if generator.random() < chance:
            total += np.float32(wall) * draw(size, pitch, generator)
    grain = smooth_noise(size, log_uniform(0.5, 2.5, generator) / pitch, generator)
    total = np.maximum(total, np.float32(0.1 * wall))
    return {"aluminium": total * (1 + np.float32(log_uniform(0.001, 0.03, generator)) * grain)}


def _draw_boss(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> np.ndarray:
    """A round boss, or a bore: part of the design, and no void."""
    y, x = make_grid(size)
    center = place(size, generator)
    distance = np.hypot(y - np.float32(center[0]), x - np.float32(center[1]))
    radius = generator.uniform(3, 15) / pitch
    height = np.float32(generator.choice([-0.8, 0.7]) * generator.uniform(0.7, 1))
    return height * round_step(radius - distance, log_uniform(0.1, 1, generator) / pitch)


def _draw_rib(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> np.ndarray:
    """Parallel ribs with rounded feet."""
    distance = bent_distance(size, pitch, generator, most=0.3)
    half = log_uniform(0.5, 5, generator) / pitch
    apart = half * generator.uniform(3, 10)
    distance = np.abs((distance + apart / 2) % np.float32(apart) - np.float32(apart / 2))
    height = np.float32(generator.uniform(0.1, 0.8))
    return height * round_step(half - distance, log_uniform(0.1, 1, generator) / pitch)


def _draw_curve(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> np.ndarray:
    """A wall that curves away: thicker to one side, as through the side of a tube."""
    distance = bent_distance(size, pitch, generator, most=0.3)
    radius = generator.uniform(0.5, 2) * max(size)
    across = np.clip(np.abs(distance) / np.float32(radius), 0, 0.95)
    return np.float32(generator.uniform(0.2, 1)) * (1 / np.sqrt(1 - across**2) - 1)
