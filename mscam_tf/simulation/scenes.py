"""Scenes: many kinds of foreign objects in many products, exposed by many kinds of detectors.

`radiograph` simulates one plant. This module varies everything that differs between plants, so that
a model learns features for all of them (domain randomisation: Tobin et al. 2017).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter

from mscam_tf.simulation.carriers import CARRIERS, Carrier, draw_carrier
from mscam_tf.simulation.defects import DEFECTS, find_spot
from mscam_tf.simulation.exposure import Exposure, Tone, digitise, draw_exposure, expose_film
from mscam_tf.simulation.fields import log_uniform
from mscam_tf.simulation.marks import draw_blemishes, draw_inserts
from mscam_tf.simulation.materials import transmit
from mscam_tf.simulation.things import DRAW, Shadow, Thing, insert, mark
from mscam_tf.simulation.visibility import VISIBLE, Signal, measure_visibility

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
        empty: For each carrier the share of scenes with nothing in them.
    """

    carriers: Mapping[str, float]
    things: Mapping[str, Mapping[str, float]]
    empty: Mapping[str, float]


ODDS = Odds(
    {"fillet": 0.5, "granular": 0.08, "plate": 0.08, "weld": 0.22, "casting": 0.12},
    {
        "fillet": {"bone": 0.8, "dense": 0.1, "wire": 0.1},
        "granular": {"bone": 0.25, "dense": 0.5, "wire": 0.25},
        "plate": {
            "dense": 0.2, "wire": 0.15, "void": 0.1, "pores": 0.2, "crack": 0.2, "tungsten": 0.15
        },
        "weld": {"pores": 0.4, "slag": 0.2, "crack": 0.15, "fusion": 0.1, "tungsten": 0.15},
        "casting": {"pores": 0.4, "void": 0.2, "slag": 0.1, "crack": 0.15, "tungsten": 0.15},
    },
    # In metal, a third of what there is cannot be seen.
    empty={"fillet": 0.42, "granular": 0.3, "plate": 0.4, "weld": 0.2, "casting": 0.2},
)  # fmt: skip
_KINDS = (0.75, 0.2, 0.05)  # How many kinds of things are in a scene.
_FILM = {"fillet": 0.1, "granular": 0.0, "plate": 0.5, "weld": 0.8, "casting": 0.6}
_MARKED = ("plate", "weld", "casting")  # Carriers with letters and penetrameters.


@dataclass(frozen=True)
class Scene:
    """A scene and the truth about it.

    Attributes:
        image: `(H, W)`, float32, in `[0, 1]`.
        carrier: One of `CARRIERS`.
        masks: For each target of which something is visible, what is, `(H, W)`, bool.
        hidden: For each target what is there and cannot be seen (`visibility`), `(H, W)`, bool.
    """

    image: np.ndarray
    carrier: str
    masks: Mapping[str, np.ndarray]
    hidden: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def targets(self) -> np.ndarray:
        """Which of `TARGETS` are to be seen, `(K,)`, float32 of 0 and 1."""
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
    empty = generator.random() < odds.empty.get(kind, 0.0)
    shadows = [] if empty else _insert_things(odds.things[kind], carrier, image_size, generator)
    transmission = transmit(carrier)
    if kind in _MARKED:
        spot = find_spot(next(iter(carrier.values())), generator)
        inserts = draw_inserts(image_size, spot, generator)
        if inserts is not None:
            transmission *= np.exp(-inserts)
    exposure = draw_exposure(image_size, generator.random() < _FILM[kind], generator)
    depth = expose_film(transmission, exposure, generator)
    if exposure.grain:
        blemishes = draw_blemishes(image_size, generator)
        depth = depth if blemishes is None else depth + blemishes
    tone = Tone(depth, exposure)
    image = digitise(tone(depth), exposure)
    return Scene(image, kind, *sort_shadows(shadows, depth, image, tone, exposure))


def _insert_things(
    odds: Mapping[str, float],
    carrier: Carrier,
    size: tuple[int, int],
    generator: np.random.Generator,
) -> list[Shadow]:
    shadows = []
    for _ in range(int(generator.choice([1, 2, 3], p=_KINDS))):
        kind = str(generator.choice(list(odds), p=list(odds.values())))
        found = [insert(thing, carrier) for thing in _draw_things(kind, carrier, size, generator)]
        shadows += [shadow for shadow in found if shadow is not None]
    return shadows


def _draw_things(
    kind: str, carrier: Carrier, size: tuple[int, int], generator: np.random.Generator
) -> list[Thing]:
    if kind in DRAW:
        return DRAW[kind](size, generator)
    spot = find_spot(next(iter(carrier.values())), generator)
    return [
        Thing((found.target,), found.shape, found.material, found.contrast)
        for found in DEFECTS[kind](size, spot, generator)
    ]


def sort_shadows(
    shadows: Sequence[Shadow], depth: np.ndarray, image: np.ndarray, tone: Tone, exposure: Exposure
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the masks of what can be seen, and of what is hidden."""
    signals = [_show(shadow, depth, tone, exposure.blur) for shadow in shadows]
    masks: dict[str, np.ndarray] = {}
    hidden: dict[str, np.ndarray] = {}
    size = (image.shape[0], image.shape[1])
    indices = measure_visibility(image, signals, exposure.floor)
    for shadow, index in zip(shadows, indices, strict=True):
        mark(shadow, masks if index >= VISIBLE else hidden, size)
    return masks, hidden


def _show(shadow: Shadow, depth: np.ndarray, tone: Tone, blur: float) -> Signal:
    """What a shadow changes in the final image: blurred, in grey values, none where clipped."""
    reach = int(np.ceil(2 * blur))
    window = (
        slice(max(shadow.window[0].start - reach, 0), shadow.window[0].stop + reach),
        slice(max(shadow.window[1].start - reach, 0), shadow.window[1].stop + reach),
    )
    there = depth[window]
    added = np.zeros(there.shape, np.float32)
    corner = [own.start - wide.start for own, wide in zip(shadow.window, window, strict=True)]
    height, width = shadow.depth.shape
    added[corner[0] : corner[0] + height, corner[1] : corner[1] + width] = shadow.depth
    added = gaussian_filter(added, blur, truncate=2.5)
    change = tone(there) - tone(there - added)
    return Signal(window, change, float(np.hypot(shadow.width, 2 * blur)))
