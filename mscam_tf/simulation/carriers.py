"""Products that contain objects: fillets, granular food, plates, welds, castings.

All thicknesses are in cm, on the grid of the detector's pixels; lengths along it are in mm.
"""

from collections.abc import Callable

import numpy as np

from mscam_tf.simulation.blobs import draw_blob, project_blob
from mscam_tf.simulation.fields import (
    bent_distance,
    bent_phase,
    log_uniform,
    make_grid,
    smooth_noise,
)
from mscam_tf.simulation.fillet import draw_fillet

Carrier = dict[str, np.ndarray]
_DEPTH = (0.3, 2.0)  # Range of the optical depth of metal carriers at 40 keV.


def draw_carrier(
    kind: str,
    image_size: tuple[int, int],
    pixel_pitch: float,
    hard_negatives: float,
    generator: np.random.Generator,
) -> Carrier:
    """Draw a carrier without anything foreign in it.

    Args:
        kind: One of `CARRIERS`.
        image_size: `(height, width)` in pixels.
        pixel_pitch: Size of a pixel, in mm.
        hard_negatives: Probability of each kind of structure that looks like an object.
        generator: Random generator.

    Returns:
        For each material its thickness, `(H, W)`, float32, cm; the carrier's own comes first.
    """
    if kind == "fillet":
        fillet = draw_fillet(image_size, pixel_pitch, hard_negatives, generator)
        return {"muscle": fillet.muscle - fillet.fat, "fat": fillet.fat}
    draw = _DRAW[kind]
    return draw(image_size, pixel_pitch, generator)


def _draw_granular(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> Carrier:
    """Grains, beans or pieces of 2 to 10 mm, two to four layers deep."""
    diameter = log_uniform(2, 10, generator) / pitch
    elongation = generator.uniform(1, 2.2)
    layers = generator.uniform(1.5, 4)
    count = int(layers * size[0] * size[1] / (0.8 * diameter**2 * elongation))
    total = np.full(size, generator.uniform(0, 0.3), np.float32)
    for _ in range(min(count, 400)):
        grain = draw_blob(
            size, diameter * generator.uniform(0.8, 1.25), elongation, 0.08, generator
        )
        projection = project_blob(grain, size)
        if projection is not None:
            total[projection.window] += projection.path * np.float32(diameter * pitch / 10)
    return {"muscle": total}


def _draw_plate(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> Carrier:
    """A uniform sheet: plastic or metal, rolled or brushed in one direction."""
    material = generator.choice(["muscle", "aluminium"])
    across = bent_phase(size, generator.uniform(0.5, 3) / pitch, generator)
    brushed = np.sin(2 * np.pi * across) * smooth_noise(size, 3 / pitch, generator)
    relief = smooth_noise(size, generator.uniform(10, 50) / pitch, generator)
    uneven = 1 + generator.uniform(0, 0.01) * brushed + generator.uniform(0, 0.05) * relief
    return {material: np.float32(_thickness(material, generator)) * uneven.astype(np.float32)}


def _draw_weld(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> Carrier:
    """A plate with a bead across it: raised, rippled, ragged at its borders."""
    plate = _thickness("aluminium", generator)
    distance = bent_distance(size, pitch, generator, most=2.0)
    half = log_uniform(3, 15, generator) / pitch
    bead = np.sqrt(np.clip(1 - (distance / np.float32(half)) ** 2, 0, 1))
    ripples = np.sin(2 * np.pi * bent_phase(size, generator.uniform(0.8, 3) / pitch, generator))
    uneven = smooth_noise(size, generator.uniform(1, 5) / pitch, generator)
    raised = generator.uniform(0.1, 0.6) * plate * bead
    raised *= 1 + generator.uniform(0, 0.1) * ripples + generator.uniform(0, 0.15) * uneven
    relief = 1 + 0.03 * smooth_noise(size, 20 / pitch, generator)
    return {"aluminium": (np.float32(plate) * relief + raised).astype(np.float32)}


def _draw_casting(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> Carrier:
    """Walls of several thicknesses with rounded steps between them, bosses, and coarse grain."""
    wall = _thickness("aluminium", generator)
    total = np.full(size, wall, np.float32)
    for _ in range(generator.integers(1, 4)):
        distance = bent_distance(size, pitch, generator, most=0.5)
        rounded = log_uniform(0.3, 3, generator) / pitch
        step = 1 / (1 + np.exp(np.clip(-distance / rounded, -30, 30)))
        total += np.float32(generator.uniform(-0.4, 0.8) * wall) * step.astype(np.float32)
    if generator.random() < 0.4:
        total += _draw_boss(size, pitch, wall, generator)
    grain = smooth_noise(size, log_uniform(0.5, 2.5, generator) / pitch, generator)
    return {"aluminium": np.maximum(total, 0.1 * wall) * (1 + generator.uniform(0, 0.03) * grain)}


def _draw_boss(
    size: tuple[int, int], pitch: float, wall: float, generator: np.random.Generator
) -> np.ndarray:
    """A round boss, or a bore."""
    y, x = make_grid(size)
    center = generator.uniform(0, 1, 2) * size
    distance = np.hypot(y - np.float32(center[0]), x - np.float32(center[1]))
    radius = generator.uniform(3, 15) / pitch
    inside = 1 / (1 + np.exp(np.clip((distance - radius) / (0.5 / pitch), -30, 30)))
    return np.float32(generator.choice([-0.7, 0.7]) * wall) * inside.astype(np.float32)


def _thickness(material: str, generator: np.random.Generator) -> float:
    """A thickness in cm with an optical depth in the usual range."""
    depth = log_uniform(*_DEPTH, generator)
    return depth / {"muscle": 0.28, "aluminium": 1.53}[material]


_DRAW: dict[str, Callable[[tuple[int, int], float, np.random.Generator], Carrier]] = {
    "granular": _draw_granular,
    "plate": _draw_plate,
    "weld": _draw_weld,
    "casting": _draw_casting,
}
CARRIERS = ("fillet", *_DRAW)
