"""Bones: tapered, bent rods with a cortex and a lighter core, in rows; and pieces of the spine."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mscam_tf.simulation.fields import log_uniform

# Projected diameter and length of the bones of each size class, in mm, drawn log-uniformly.
SIZES = {
    "scale1": {"diameter": (0.3, 0.6), "length": (5.0, 30.0)},
    "scale2": {"diameter": (0.6, 1.2), "length": (15.0, 80.0)},
    "scale3": {"diameter": (1.2, 3.0), "length": (30.0, 120.0)},
}
_VERTEBRA_DIAMETER = (5.0, 11.0)  # mm; the class is that of the thickest bones.
_ARRANGEMENTS = {  # How bones lie together, and how often.
    "scale1": {"pins": 0.4, "ribs": 0.4, "single": 0.2},
    "scale2": {"pins": 0.2, "ribs": 0.6, "single": 0.2},
    "scale3": {"ribs": 0.65, "single": 0.15, "spine": 0.2},
}


@dataclass(frozen=True)
class Bone:
    """One bone: a rod along `v = bend u^2` in axes `(u, v)` turned by `angle`, or a vertebra.

    Attributes:
        kind: `"pin"`, `"rib"`, `"single"` or `"vertebra"`.
        size_class: `"scale1"`, `"scale2"` or `"scale3"`.
        center: `(y, x)` in pixels.
        angle: Angle of the axis, in radians, from the x axis towards the y axis.
        diameter: Projected diameter at the thickest place, in pixels.
        length: Projected length along the axis, in pixels.
        bend: Curvature, in 1 / pixels.
        contrast: Peak of the added optical depth (`-ln T`), before any blur.
        cortex: Radius of the core over that of the bone.
        core: Attenuation of the core over that of the cortex.
    """

    kind: str
    size_class: str
    center: tuple[float, float]
    angle: float
    diameter: float
    length: float
    bend: float
    contrast: float
    cortex: float
    core: float


def draw_bones(
    size_class: str,
    image_size: tuple[int, int],
    pixel_pitch: float,
    contrast: tuple[float, float],
    generator: np.random.Generator,
) -> list[Bone]:
    """Draw one arrangement of bones of a size class somewhere in an image.

    Contrast and size are independent: a thin bone attenuates as much as a thick one if it lies
    more along the beam or has more mineral in it.

    Args:
        size_class: A key of `SIZES`.
        image_size: `(height, width)` in pixels.
        pixel_pitch: Size of a pixel, in mm.
        contrast: Range of the peak optical depth of an arrangement, drawn log-uniformly; within
            it the bones differ by about a seventh, and vertebrae have three to six times as much.
        generator: Random generator.

    Returns:
        The bones; some may lie outside the image.
    """
    odds = _ARRANGEMENTS[size_class]
    arrangement = generator.choice(list(odds), p=list(odds.values()))
    first = Bone(
        kind="single",
        size_class=size_class,
        center=(
            generator.uniform(0.15, 0.85) * image_size[0],
            generator.uniform(0.15, 0.85) * image_size[1],
        ),
        angle=generator.uniform(0, np.pi),
        diameter=_draw_size(size_class, "diameter", generator) / pixel_pitch,
        length=_draw_size(size_class, "length", generator) / pixel_pitch,
        bend=0.0,
        contrast=log_uniform(*contrast, generator),
        cortex=generator.uniform(0.4, 0.8),
        core=generator.uniform(0.2, 0.8),
    )
    bent = replace(first, bend=generator.normal(0, 0.25) / first.length)
    arrange: dict[str, Callable[[Bone, float, np.random.Generator], list[Bone]]] = {
        "pins": _draw_pins,
        "ribs": _draw_ribs,
        "spine": _draw_spine,
        "single": lambda bone, *_: [bone],
    }
    return arrange[arrangement](bent, pixel_pitch, generator)


def _draw_ribs(first: Bone, pixel_pitch: float, generator: np.random.Generator) -> list[Bone]:
    """Several bones side by side, bent alike, fanned out a little."""
    count = generator.integers(2, 9)
    spacing = max(generator.uniform(2.5, 9) * first.diameter, generator.uniform(2, 8) / pixel_pitch)
    fan, slant = generator.normal(0, 0.06), generator.normal(0, 0.6)
    return [
        _vary(
            replace(first, kind="rib", angle=first.angle + fan * rank),
            (slant * spacing * rank, spacing * rank),
            pixel_pitch,
            generator,
        )
        for rank in np.arange(count) - (count - 1) / 2
    ]


def _draw_pins(first: Bone, pixel_pitch: float, generator: np.random.Generator) -> list[Bone]:
    """One to six nearly straight bones in a row across their direction."""
    count = generator.integers(1, 7)
    spacing = generator.uniform(3, 9) / pixel_pitch
    slant = generator.normal(0, 0.5) * spacing
    straight = replace(first, kind="pin", bend=first.bend / 4)
    return [
        _vary(straight, (slant * rank, spacing * rank), pixel_pitch, generator)
        for rank in np.arange(count) - (count - 1) / 2
    ]


def _draw_spine(first: Bone, pixel_pitch: float, generator: np.random.Generator) -> list[Bone]:
    """A row of vertebrae, with ribs and spines that start at them."""
    diameter = generator.uniform(*_VERTEBRA_DIAMETER) / pixel_pitch
    length = diameter * generator.uniform(0.6, 1.1)
    vertebra = replace(
        first,
        kind="vertebra",
        diameter=diameter,
        length=length,
        bend=0.0,
        contrast=first.contrast * generator.uniform(3, 6),
    )
    angle = first.angle + generator.choice([-1, 1]) * generator.uniform(0.8, 1.5)
    bones = []
    for rank in range(-4, 5):
        bones.append(_shift(vertebra, (rank * length * 1.06, 0.0)))
        if generator.random() < 0.7:
            rib = replace(first, kind="rib", angle=angle)
            root = _shift(vertebra, (rank * length * 1.06, 0.4 * diameter)).center
            shift = (first.length / 2, 0.0)
            bones.append(_vary(replace(rib, center=root), shift, pixel_pitch, generator))
    return bones


def _vary(
    bone: Bone, shift: tuple[float, float], pixel_pitch: float, generator: np.random.Generator
) -> Bone:
    """Move a bone along and across its axis, and let it differ a little within its class."""

    def differ(name: str, deviation: float) -> float:
        value = getattr(bone, name) * np.exp(generator.normal(0, deviation))
        low, high = SIZES[bone.size_class][name]
        return float(np.clip(value, low / pixel_pitch, high / pixel_pitch))

    moved = _shift(bone, (shift[0] + generator.normal(0, 0.03) * bone.length, shift[1]))
    return replace(
        moved,
        angle=bone.angle + generator.normal(0, 0.04),
        diameter=differ("diameter", 0.1),
        length=differ("length", 0.15),
        bend=bone.bend * float(np.exp(generator.normal(0, 0.2))),
        contrast=bone.contrast * float(np.exp(generator.normal(0, 0.15))),
    )


def _shift(bone: Bone, shift: tuple[float, float]) -> Bone:
    along, across = shift
    sine, cosine = np.sin(bone.angle), np.cos(bone.angle)
    y, x = bone.center
    center = (
        float(y + along * sine + across * cosine),
        float(x + along * cosine - across * sine),
    )
    return replace(bone, center=center)


def _draw_size(size_class: str, name: str, generator: np.random.Generator) -> float:
    return log_uniform(*SIZES[size_class][name], generator)
