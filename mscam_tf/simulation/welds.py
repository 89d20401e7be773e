"""Welds: a plate or a pipe's wall with a seam, as thickness in cm on the grid of the pixels."""

import numpy as np

from mscam_tf.simulation.fields import log_uniform, smooth_noise, turn
from mscam_tf.simulation.metal import LEAST, draw_thickness


def draw_weld(
    size: tuple[int, int], pitch: float, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """A plate or the wall of a pipe with a seam across it, raised, ground or sunk."""
    plate = draw_thickness(generator)
    half = log_uniform(10, 150, generator)
    distance, along = _draw_course(size, half, generator)
    edge = smooth_noise(size, log_uniform(6, 60, generator), generator)
    ragged = distance + np.float32(half * log_uniform(0.01, 0.12, generator)) * edge
    total = np.float32(plate) * (1 + 0.03 * smooth_noise(size, 20 / pitch, generator))
    height = generator.uniform(0.1, 1.0) * plate * generator.choice([1, -0.5], p=[0.85, 0.15])
    cap = _draw_cap(ragged / np.float32(half), generator)
    total = total + np.float32(height) * cap * _draw_ripples(size, along, half, generator)
    for chance, draw in ((0.25, _draw_root), (0.25, _draw_undercut)):
        if generator.random() < chance:
            total = total + np.float32(plate) * draw(ragged, half, size, generator)
    if generator.random() < 0.5:
        total = total + np.float32(plate) * _draw_wall(distance, size, generator)
    return {"aluminium": np.maximum(total, LEAST).astype(np.float32)}


def _draw_course(
    size: tuple[int, int], half: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The signed distance from the middle of a seam, and the way along it, in pixels."""
    angle = generator.normal(0, 0.1) if generator.random() < 0.5 else generator.uniform(0, np.pi)
    middle = np.asarray(size) / 2
    origin = middle + generator.uniform(-1, 1, 2) * np.minimum(middle, half)
    along, across = turn(size, angle + np.pi * generator.integers(2), tuple(origin.tolist()))
    bend = np.float32(generator.uniform(0, 4)) * smooth_noise(size, 60, generator)
    return across + bend, along


def _draw_cap(across: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The profile of a seam, 1 in its middle: round, flat, or running out softly."""
    kind = generator.integers(3)
    if kind == 0:
        cap = np.sqrt(np.clip(1 - across**2, 0, 1))
    elif kind == 1:
        cap = 1 / (1 + np.abs(across) ** np.float32(generator.uniform(3, 20)))
    else:
        cap = np.exp(-np.float32(log_uniform(0.5, 2, generator)) * across**2)
    return cap.astype(np.float32)


def _draw_ripples(
    size: tuple[int, int], along: np.ndarray, half: float, generator: np.random.Generator
) -> np.ndarray:
    """What the passes of welding leave on the cap: bows across the seam, and unevenness."""
    period = log_uniform(0.08, 0.5, generator) * half + 3
    phase = along / np.float32(period) + 0.5 * smooth_noise(size, 3 * period, generator)
    uneven = smooth_noise(size, log_uniform(0.1, 1, generator) * half + 4, generator)
    ripples = 1 + log_uniform(0.002, 0.12, generator) * np.sin(2 * np.pi * phase)
    result: np.ndarray = ripples + log_uniform(0.005, 0.12, generator) * uneven
    return result


def _draw_root(
    distance: np.ndarray, half: float, size: tuple[int, int], generator: np.random.Generator
) -> np.ndarray:
    """The pass on the other side: a narrower band, thicker or thinner."""
    width = np.float32(half * generator.uniform(0.15, 0.6))
    ragged = 1 + 0.2 * smooth_noise(size, float(width) + 2, generator)
    height = np.float32(generator.choice([-1, 1]) * log_uniform(0.02, 0.3, generator))
    return height * np.exp(-(((distance - width * generator.normal()) / width) ** 2)) * ragged


def _draw_undercut(
    distance: np.ndarray, half: float, size: tuple[int, int], generator: np.random.Generator
) -> np.ndarray:
    """Grooves along both edges of a seam, deeper here and there."""
    width = np.float32(half * generator.uniform(0.03, 0.12) + 1)
    depth = np.clip(0.6 + 0.6 * smooth_noise(size, half, generator), 0, None)
    groove = np.exp(-(((np.abs(distance) - np.float32(half)) / width) ** 2))
    return -np.float32(log_uniform(0.01, 0.15, generator)) * groove * depth


def _draw_wall(
    distance: np.ndarray, size: tuple[int, int], generator: np.random.Generator
) -> np.ndarray:
    """The wall of a pipe, thicker towards one or both sides; or uneven light as from a wedge."""
    far = distance / np.float32(min(size))
    slope = np.float32(generator.uniform(-1.2, 1.2)) * far
    result: np.ndarray = slope + np.float32(generator.uniform(-1.5, 1)) * far * far
    return result
