"""A fillet without bones: thickness of muscle and fat, and the things in it that look like bones.

All thicknesses are in cm, on the grid of the detector's pixels; lengths along it are in mm.
"""

from dataclasses import dataclass

import numpy as np

from mscam_tf.simulation.fields import (
    bent_distance,
    bent_phase,
    log_uniform,
    make_grid,
    place,
    smooth_noise,
    turn,
)


@dataclass
class Fillet:
    """Tissue in the way of the rays.

    Attributes:
        muscle: Thickness of muscle, `(H, W)`, float32, cm.
        fat: Thickness of fat in place of muscle, `(H, W)`, float32, cm.
    """

    muscle: np.ndarray
    fat: np.ndarray


def draw_fillet(
    image_size: tuple[int, int],
    pixel_pitch: float,
    hard_negatives: float,
    generator: np.random.Generator,
    *,
    whole: bool = False,
    pockets: float = 0.3,
) -> Fillet:
    """Draw a piece of a fillet, or a whole one with its outline.

    Args:
        image_size: `(height, width)` in pixels.
        pixel_pitch: Size of a pixel, in mm.
        hard_negatives: Probability of each kind of thing that looks like a bone.
        generator: Random generator.
        whole: Whether the outline of a whole fillet lies within the image.
        pockets: Probability of pockets of air.

    Returns:
        The `Fillet`.
    """
    muscle = _draw_body(image_size, pixel_pitch, generator)
    muscle *= _draw_outline(image_size, generator) if whole else np.float32(1)
    fat = _draw_segments(image_size, pixel_pitch, generator)
    relief = ((0.4, _draw_fold), (0.25, _draw_fold), (pockets, _draw_pockets), (0.4, _draw_skin))
    for chance, draw in relief:
        if generator.random() < chance:
            muscle += draw(image_size, pixel_pitch, generator)
    if not whole and generator.random() < 0.1:
        muscle *= _draw_edge(image_size, pixel_pitch, generator)
    for draw in _HARD_NEGATIVES:
        if generator.random() < hard_negatives:
            muscle += draw(image_size, pixel_pitch, generator)
    muscle = np.maximum(muscle, 0)
    return Fillet(muscle, np.clip(fat, 0, muscle))


def _draw_body(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> np.ndarray:
    """A slope, soft relief of 15 to 60 mm, and the grain of the muscle fibres."""
    thickness = log_uniform(0.8, 3.5, generator)
    u, _ = turn(size, generator.uniform(0, 2 * np.pi))
    reach = np.hypot(*size) * pitch / 20  # cm from the middle to a corner.
    steepest = min(0.12, 0.5 * thickness / reach)  # cm a cm: a whole fillet has no wedge's shape.
    slope = np.float32(generator.uniform(0, steepest) * pitch / 10) * u
    relief = generator.uniform(0.02, 0.2) * smooth_noise(
        size, generator.uniform(15, 60) / pitch, generator
    )
    detail = generator.uniform(0, 0.04) * smooth_noise(
        size, generator.uniform(2, 8) / pitch, generator
    )
    return np.float32(thickness) + slope + relief + detail


def _draw_outline(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """A superellipse, thin towards its border: the side of a fish."""
    y, x = make_grid(size)
    wave = 0.06 * smooth_noise(size, max(size) / 6, generator)
    across = np.abs(2 * y / size[0] - 1) / 0.9
    along = np.abs(2 * x / size[1] - 1) / 0.95
    inside = 1 + wave - (across**2.4 + along**2.4)
    return np.sqrt(np.clip(1.6 * inside, 0, 1)).astype(np.float32)


def _draw_segments(
    size: tuple[int, int], pitch: float, generator: np.random.Generator
) -> np.ndarray:
    """Muscle segments: bent sheets of fat between them, sharper on one side, 3 to 12 mm apart."""
    period = log_uniform(3, 12, generator) / pitch
    width = generator.uniform(0.05, 0.2)
    phase = bent_phase(size, period, generator)
    phase -= np.floor(phase)
    sheet = np.exp(-phase / np.float32(width)) * (phase > 0)
    sheet += np.exp((phase - 1) / np.float32(width * generator.uniform(0.1, 1)))
    strength = np.clip(smooth_noise(size, generator.uniform(10, 40) / pitch, generator), 0, 2)
    return np.float32(log_uniform(0.01, 0.5, generator)) * sheet * strength


def _draw_fold(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> np.ndarray:
    """A step in thickness along a bent line: a fold, a flap, a second layer of tissue."""
    distance = bent_distance(size, pitch, generator)
    softness = log_uniform(0.2, 4, generator) / pitch
    step = 1 / (1 + np.exp(np.clip(-distance / np.float32(softness), -30, 30)))
    return generator.choice([-1, 1]) * np.float32(log_uniform(0.03, 0.8, generator)) * step


def _draw_pockets(
    size: tuple[int, int], pitch: float, generator: np.random.Generator
) -> np.ndarray:
    """Air pockets and gaps: ellipsoids without muscle, of 1 to 12 mm."""
    total = np.zeros(size, np.float32)
    for _ in range(generator.integers(1, 4)):
        u, v = turn(size, generator.uniform(0, np.pi), place(size, generator))
        half = [log_uniform(0.5, 6, generator) / pitch for _ in range(2)]
        inside = np.maximum(1 - (u / half[0]) ** 2 - (v / half[1]) ** 2, 0)
        total -= np.float32(generator.uniform(0.02, 0.3)) * np.sqrt(inside)
    return total


def _draw_skin(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> np.ndarray:
    """Skin, belly lining or water film on part of the image, with a mottled surface."""
    part = smooth_noise(size, generator.uniform(10, 40) / pitch, generator) > generator.normal(0, 1)
    mottled = 1 + 0.3 * smooth_noise(size, generator.uniform(0.8, 3) / pitch, generator)
    return np.float32(generator.uniform(0.02, 0.15)) * part * mottled


def _draw_edge(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> np.ndarray:
    """The border of the fillet: full thickness on one side, none on the other."""
    distance = bent_distance(size, pitch, generator) + np.float32(0.25 * min(size))
    run_out = generator.uniform(3, 20) / pitch
    return np.sqrt(np.clip(distance / np.float32(run_out), 0, 1)).astype(np.float32)


def _draw_stripes(
    size: tuple[int, int], pitch: float, generator: np.random.Generator
) -> np.ndarray:
    """A patch of stripes side by side, thicker or thinner than what is around."""
    phase = bent_phase(size, generator.uniform(1.5, 8) / pitch, generator)
    profile = np.abs(np.sin(np.pi * phase)) ** np.float32(generator.uniform(1, 6))
    u, v = turn(size, 0.0, place(size, generator))
    reach = generator.uniform(0.15, 0.6) * min(size)
    window = np.exp(-(u * u + v * v) / np.float32(2 * reach * reach))
    # More often less attenuation than more: gaps and fat, rarely a second layer.
    sign = generator.choice([-1, 1], p=[0.75, 0.25])
    return sign * np.float32(log_uniform(0.02, 0.25, generator)) * profile * window


def _draw_seam(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> np.ndarray:
    """A band, flat across, where skin or film lies double; or a dark gap between two muscles."""
    distance = bent_distance(size, pitch, generator)
    half = log_uniform(0.3, 4, generator) / pitch
    soft = np.float32(generator.uniform(0.1, 0.5) * half + 0.5)
    left = 1 / (1 + np.exp(np.clip((-half - distance) / soft, -30, 30)))
    right = 1 / (1 + np.exp(np.clip((distance - half) / (soft * generator.uniform(1, 6)), -30, 30)))
    sign = generator.choice([-1, 1], p=[0.7, 0.3])
    return sign * np.float32(log_uniform(0.02, 0.3, generator)) * left * right


_HARD_NEGATIVES = (_draw_stripes, _draw_seam)
