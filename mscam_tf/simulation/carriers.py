"""Products that contain objects: fillets, granular food, plates, welds, castings.

All thicknesses are in cm, on the grid of the detector's pixels; lengths along it are in mm.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mscam_tf.simulation.blobs import draw_blob, project_blob
from mscam_tf.simulation.castings import draw_casting
from mscam_tf.simulation.fields import (
    bent_phase,
    log_uniform,
    smooth_noise,
)
from mscam_tf.simulation.fillet import draw_fillet
from mscam_tf.simulation.metal import draw_depth, draw_steps, draw_thickness
from mscam_tf.simulation.projection import make_window
from mscam_tf.simulation.welds import draw_weld

Carrier = dict[str, np.ndarray]
_GRAINS = 12  # Different shapes of grain in an image; each lies in several places.


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
    sides = diameter * generator.uniform(0.8, 1.25, _GRAINS)
    shapes = [_draw_grain(side, elongation, generator) for side in sides.tolist()]
    for number in range(min(count, 400)):
        _stamp(shapes[number % _GRAINS] * np.float32(diameter * pitch / 10), total, generator)
    return {"muscle": total}


def _draw_grain(diameter: float, elongation: float, generator: np.random.Generator) -> np.ndarray:
    """The way of each ray through one grain, in an image of its own."""
    side = 2 * int(0.8 * diameter * elongation) + 3
    grain = replace(
        draw_blob((side, side), diameter, elongation, 0.08, generator),
        center=(side / 2, side / 2),
    )
    shape = np.zeros((side, side), np.float32)
    projection = project_blob(grain, (side, side))
    if projection is not None:
        shape[projection.window] = projection.path
    return shape


def _stamp(shape: np.ndarray, total: np.ndarray, generator: np.random.Generator) -> None:
    """Add a shape, mirrored at random, at a random place, cut off at the border."""
    mirror = generator.choice([-1, 1], 2)
    shape = shape[:: mirror[0], :: mirror[1]]
    reach = shape.shape[0] // 2
    corner = generator.integers(-reach, np.asarray(total.shape) + 1) - reach // 2
    spans = [(low, low + shape.shape[0] - 1) for low in corner.tolist()]
    window = make_window(spans, (total.shape[0], total.shape[1]))
    if window is None:
        return
    own = tuple(
        slice(part.start - low, part.stop - low)
        for part, (low, _) in zip(window, spans, strict=True)
    )
    total[window] += shape[own]


def _draw_plate(size: tuple[int, int], pitch: float, generator: np.random.Generator) -> Carrier:
    """A uniform sheet: plastic or metal, rolled or brushed in one direction."""
    material = generator.choice(["muscle", "aluminium"])
    across = bent_phase(size, generator.uniform(0.5, 3) / pitch, generator)
    brushed = np.sin(2 * np.pi * across) * smooth_noise(size, 3 / pitch, generator)
    relief = smooth_noise(size, generator.uniform(10, 50) / pitch, generator)
    uneven = 1 + generator.uniform(0, 0.01) * brushed + generator.uniform(0, 0.05) * relief
    thickness = np.float32(_thickness(material, generator)) * uneven.astype(np.float32)
    if material == "aluminium" and generator.random() < 0.5:
        thickness = draw_steps(thickness, pitch, generator)
    return {material: thickness}


def _thickness(material: str, generator: np.random.Generator) -> float:
    """A thickness in cm with an optical depth in the usual range."""
    return draw_thickness(generator) if material == "aluminium" else draw_depth(generator) / 0.28


_DRAW: dict[str, Callable[[tuple[int, int], float, np.random.Generator], Carrier]] = {
    "granular": _draw_granular,
    "plate": _draw_plate,
    "weld": draw_weld,
    "casting": draw_casting,
}
CARRIERS = ("fillet", *_DRAW)
