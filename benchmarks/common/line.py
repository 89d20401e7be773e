"""A simulated line, and four faults of it: voltage, a weak column, a turned feed, a dirty belt."""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter, rotate

SIDE, PHOTONS, RANGE = 96, 2e4, 2.5
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def keep(depth: np.ndarray, generator: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    return depth


def change_voltage(
    depth: np.ndarray,
    generator: np.random.Generator,  # noqa: ARG001
    *,
    ratio: float,
    renewed: bool,
) -> np.ndarray:
    """Scale attenuation by `ratio^-0.6`, and the output by its square, if the air image is old.

    From 30 to 50 keV the attenuation of muscle falls as the energy to the power of -1; the mean
    energy behind a filter grows less than the voltage.
    """
    scaled = depth * np.float32(ratio**-0.6)
    return scaled if renewed else scaled - np.float32(2 * np.log(ratio))


def kill_column(
    depth: np.ndarray,
    generator: np.random.Generator,  # noqa: ARG001
    *,
    lost: float,
) -> np.ndarray:
    """Let a column lose a share of its signal."""
    changed = depth.copy()
    changed[:, 37] += np.float32(-np.log(max(1 - lost, 1e-3)))
    return changed


def turn_feed(
    depth: np.ndarray,
    generator: np.random.Generator,  # noqa: ARG001
    *,
    degrees: float,
) -> np.ndarray:
    turned: np.ndarray = rotate(depth, degrees, reshape=False, order=1, mode="nearest")
    return turned


def dirty_belt(depth: np.ndarray, generator: np.random.Generator, *, spots: float) -> np.ndarray:
    """Put so many spots of dirt into an image on average, of 2 to 6 pixels, as dense as a bone."""
    changed = depth.copy()
    y, x = np.mgrid[:SIDE, :SIDE]
    for _ in range(generator.poisson(spots)):
        radius, (top, left) = generator.uniform(1, 3), generator.uniform(0, SIDE, 2)
        inside = np.hypot(y - top, x - left) < radius
        changed[inside] += np.float32(generator.uniform(0.05, 0.2))
    return changed


FAULTS: dict[str, Change] = {
    **{
        f"voltage {share:+.0%}, air image {'renewed' if renewed else 'old'}": partial(
            change_voltage, ratio=1 + share, renewed=renewed
        )
        for renewed, shares in ((False, (0.01, 0.02, -0.02, 0.05)), (True, (0.05, 0.1, 0.2)))
        for share in shares
    },
    **{
        f"a column that loses {lost:.1%}": partial(kill_column, lost=lost)
        for lost in (0.005, 0.01, 0.05, 1.0)
    },
    **{f"feed turned by {d} degrees": partial(turn_feed, degrees=d) for d in (10, 30, 90)},
    **{f"{s} spots of dirt an image": partial(dirty_belt, spots=s) for s in (0.3, 1, 3, 10)},
}


class Line:
    """A line: fillets along a belt, seen by one detector, whose columns differ a little."""

    def __init__(self, seed: int) -> None:
        self._gain = np.random.default_rng(seed).normal(0, 0.002, SIDE).astype(np.float32)

    def scan(self, change: Change, generator: np.random.Generator) -> np.ndarray:
        """Return an image in which nothing is foreign but what a change brings, 16 bits."""
        depth = self._feed(generator)
        counts = generator.poisson(PHOTONS * np.exp(-change(depth, generator)))
        signal = np.maximum(counts + generator.normal(0, 8, counts.shape), 1)
        seen = -np.log(signal / PHOTONS) + self._gain
        return np.round(np.clip(seen / RANGE, 0, 1) * 65535).astype(np.uint16)

    def _feed(self, generator: np.random.Generator) -> np.ndarray:
        """Draw the depth of a fillet that lies along the belt, without noise."""
        from mscam_tf.simulation import SimulationConfig, simulate_frame

        size = (56, 88)
        config = SimulationConfig(
            size, pixel_pitch=0.5, photons=(1e6, 1e6), hard_negatives=0.0, contrast=(0.01, 0.02)
        )
        frame = simulate_frame(config, 0, generator).image.astype(np.float32)
        depth = np.full((SIDE, SIDE), generator.normal(0.15, 0.005), np.float32)  # The belt.
        top, left = generator.integers(0, np.array(depth.shape) - size + 1)
        depth[top : top + size[0], left : left + size[1]] += frame / 65535 * RANGE
        return gaussian_filter(depth, 1)
