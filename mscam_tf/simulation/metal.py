"""What all carriers of metal share: how thick they are, steps, and wedges."""

import numpy as np

from mscam_tf.simulation.fields import log_uniform, turn

_DEPTH = (0.3, 2.0)  # Range of the optical depth of a carrier at 40 keV.
LEAST = 0.02  # cm that are left at the thinnest place.


def draw_depth(generator: np.random.Generator) -> float:
    """Draw the optical depth of a carrier at 40 keV."""
    return log_uniform(*_DEPTH, generator)


def draw_thickness(generator: np.random.Generator) -> float:
    """Draw a thickness of aluminium in cm."""
    return draw_depth(generator) / 1.53


def draw_steps(total: np.ndarray, pitch: float, generator: np.random.Generator) -> np.ndarray:
    """Add a wedge, or parallel steps and narrow bands that fill the range of grey."""
    size = (total.shape[0], total.shape[1])
    across, _ = turn(size, generator.uniform(0, 2 * np.pi))
    reach = np.float32(np.hypot(*size) / 2)
    height = np.float32(log_uniform(0.2, 2.5, generator) / 1.53)
    if generator.random() < 0.4:
        wedge: np.ndarray = total + height * (0.5 + across / (2 * reach))
        return wedge
    edges = np.sort(generator.uniform(-1, 1, generator.integers(1, 6))).tolist()
    rounded = log_uniform(0.1, 2, generator) / pitch
    for edge in edges:
        rise = height * np.float32(generator.uniform(-1, 1))
        total = total + rise * round_step(across - np.float32(edge) * reach, rounded)
    raised: np.ndarray = total - min(float(total.min()) - LEAST, 0.0)
    return raised


def round_step(distance: np.ndarray, rounded: float) -> np.ndarray:
    """From 0 to 1 where the distance changes its sign, rounded over some pixels."""
    scaled = np.clip(distance / np.float32(rounded), -30, 30)
    return (1 / (1 + np.exp(-scaled))).astype(np.float32)
