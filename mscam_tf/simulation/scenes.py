"""Scenes: many kinds of foreign objects in many products, exposed by many kinds of detectors.

`radiograph` simulates one plant. This module varies everything that differs between plants, so that
a model learns features for all of them (domain randomisation: Tobin et al. 2017).
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from mscam_tf.simulation.carriers import CARRIERS, draw_carrier
from mscam_tf.simulation.detector import Detector, draw_detector, expose
from mscam_tf.simulation.fields import log_uniform
from mscam_tf.simulation.materials import transmit
from mscam_tf.simulation.things import DRAW, Thing, insert

TARGETS = (
    *("bone", "bone_scale1", "bone_scale2", "bone_scale3"),
    *("dense_small", "dense_large", "wire", "void_small", "void_large", "crack"),
)


@dataclass(frozen=True)
class Odds:
    """How often what occurs.

    Attributes:
        carriers: Share of each carrier.
        things: For each carrier the share of each kind of thing in it.
        empty: Share of scenes with nothing in them.
    """

    carriers: Mapping[str, float]
    things: Mapping[str, Mapping[str, float]]
    empty: float


ODDS = Odds(
    {"fillet": 0.5, "granular": 0.125, "plate": 0.125, "weld": 0.125, "casting": 0.125},
    {
        "fillet": {"bone": 0.8, "dense": 0.1, "wire": 0.1},
        "granular": {"bone": 0.25, "dense": 0.5, "wire": 0.25},
        "plate": {"dense": 0.4, "wire": 0.15, "void": 0.25, "crack": 0.2},
        "weld": {"dense": 0.15, "void": 0.5, "crack": 0.35},
        "casting": {"dense": 0.15, "void": 0.6, "crack": 0.25},
    },
    empty=0.45,
)


@dataclass(frozen=True)
class Scene:
    """A scene and the truth about it.

    Attributes:
        image: `(H, W)`, float32, in `[0, 1]`.
        carrier: One of `CARRIERS`.
        masks: Mask of each target that occurs, `(H, W)`, bool.
    """

    image: np.ndarray
    carrier: str
    masks: Mapping[str, np.ndarray]

    @property
    def targets(self) -> np.ndarray:
        """Which of `TARGETS` occur, `(K,)`, float32 of 0 and 1."""
        return np.array([name in self.masks for name in TARGETS], np.float32)


def simulate_scene(
    image_size: tuple[int, int], generator: np.random.Generator, odds: Odds = ODDS
) -> Scene:
    """Simulate one scene.

    Args:
        image_size: `(height, width)` in pixels.
        generator: Random generator; the same state gives the same scene.
        odds: How often each kind of thing occurs.

    Returns:
        The `Scene`.

    Examples:
        >>> import numpy as np
        >>> scene = simulate_scene((64, 64), np.random.default_rng(3))
        >>> scene.image.shape, str(scene.image.dtype), scene.targets.shape
        ((64, 64), 'float32', (10,))
    """
    kind = str(generator.choice(CARRIERS, p=[odds.carriers.get(name, 0.0) for name in CARRIERS]))
    pitch = log_uniform(0.12, 0.4, generator)  # Textures are seen at any magnification.
    carrier = draw_carrier(kind, image_size, pitch, generator.uniform(0.2, 0.8), generator)
    empty = generator.random() < odds.empty
    things = [] if empty else _draw_things(odds.things[kind], image_size, generator)
    masks: dict[str, np.ndarray] = {}
    for thing in things:
        insert(thing, carrier, masks)
    detector = _draw_detector(image_size, generator)
    counts = expose(transmit(carrier), detector, 16, generator)
    return Scene(_digitise(counts, generator), kind, masks)


def _draw_things(
    odds: Mapping[str, float], size: tuple[int, int], generator: np.random.Generator
) -> list[Thing]:
    things: list[Thing] = []
    for _ in range(1 + (generator.random() < 0.2)):
        kind = str(generator.choice(list(odds), p=list(odds.values())))
        things += DRAW[kind](size, generator)
    return things


def _draw_detector(size: tuple[int, int], generator: np.random.Generator) -> Detector:
    """Any exposure: from a noisy line scanner to a film, sharp or blurred."""
    detector = draw_detector(size, (1.5e3, 3e5), 0.5, generator)
    return replace(
        detector,
        focus_blur=log_uniform(0.3, 2.0, generator),
        detector_blur=log_uniform(0.4, 1.6, generator),
    )


def _digitise(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Any tone curve, sign, bit depth and compression that a file may have gone through."""
    image = values.astype(np.float32) / 65535
    image = image / max(float(np.quantile(image, 0.999)), 1e-3) * generator.uniform(0.4, 1)
    image = np.clip(image, 0, 1) ** log_uniform(0.6, 1.6, generator)
    if generator.random() < 0.1:
        image = 1 - image
    if generator.random() < 0.2:
        image = gaussian_filter(image, generator.uniform(0.4, 1.0))
    if generator.random() < 0.3:
        return _compress(image, int(generator.integers(40, 96)))
    levels = 2.0 ** generator.choice([8, 10, 12, 16]) - 1
    return (np.round(image * levels) / levels).astype(np.float32)


def _compress(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(np.round(image * 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.float32) / 255
