"""Objects in a product (bones, dense bodies, wires, voids), and how they appear.

Each object replaces some of the material of the carrier: a void is dark, and a denser object is
bright. Its contrast says how much.
"""

from dataclasses import dataclass, replace

import numpy as np

from mscam_tf.simulation.blobs import Blob, draw_blob, project_blob
from mscam_tf.simulation.bones import SIZES, Bone, draw_bones
from mscam_tf.simulation.carriers import Carrier
from mscam_tf.simulation.fields import log_uniform
from mscam_tf.simulation.lines import Line, project_line
from mscam_tf.simulation.materials import exchange, mean_attenuation
from mscam_tf.simulation.projection import Projection, Window, project_bone

_PITCH = 0.25  # mm a pixel, for the sizes of objects.
_SMALL = 6.0  # Pixels: smaller compact objects are of the small class.
_LEAST_PIXELS = 4


@dataclass(frozen=True)
class Thing:
    """An object: which targets it belongs to, what it is made of, and how much it attenuates."""

    targets: tuple[str, ...]
    shape: Bone | Blob | Line
    material: str | None  # None for a void: nothing in place of the carrier.
    contrast: float

    @property
    def width(self) -> float:
        """Across the shape, in pixels."""
        return self.shape.diameter


@dataclass(frozen=True)
class Shadow:
    """What an object adds to the optical depth, before any blur.

    Attributes:
        targets: That it belongs to.
        window: Rows and columns of the image that it covers.
        outline: Pixels that show it, `(h, w)`, bool.
        depth: What it adds, `(h, w)`, float32; negative for a void.
        width: Of the object, in pixels.
    """

    targets: tuple[str, ...]
    window: Window
    outline: np.ndarray
    depth: np.ndarray
    width: float


def _draw_bones(size: tuple[int, int], generator: np.random.Generator) -> list[Thing]:
    size_class = str(generator.choice(list(SIZES)))
    bones = draw_bones(size_class, size, _PITCH, (0.02, 0.25), generator)
    return [Thing(("bone", f"bone_{size_class}"), bone, "bone", bone.contrast) for bone in bones]


def _draw_rods(
    size: tuple[int, int],
    diameter: tuple[float, float],
    length: tuple[float, float],
    generator: np.random.Generator,
) -> Bone:
    """A uniform rod of its own direction, length and bend: a wire, or the line of a crack."""
    rod = draw_bones("scale1", size, _PITCH, (0.1, 0.1), generator)[0]
    long = log_uniform(*length, generator)
    return replace(
        rod,
        kind="single",
        center=(generator.uniform(0.1, 0.9) * size[0], generator.uniform(0.1, 0.9) * size[1]),
        angle=generator.uniform(0, np.pi),
        diameter=log_uniform(*diameter, generator),
        length=long,
        bend=generator.normal(0, 0.4) / long,
        core=1.0,
    )


def _draw_wires(size: tuple[int, int], generator: np.random.Generator) -> list[Thing]:
    return [
        Thing(
            ("wire",),
            _draw_rods(size, (0.8, 4), (12, 150), generator),
            "steel",
            log_uniform(0.05, 1.0, generator),
        )
        for _ in range(generator.integers(1, 3))
    ]


def _draw_blobs(
    name: str,
    size: tuple[int, int],
    materials: tuple[str | None, ...],
    contrast: tuple[float, float],
    generator: np.random.Generator,
) -> list[Thing]:
    """One object, or a cluster of similar ones."""
    diameter = log_uniform(1.5, 30, generator)
    elongation = log_uniform(1, 3, generator)
    roughness = generator.choice([0.0, 0.15, 0.3])
    material = materials[generator.integers(len(materials))]
    depth = log_uniform(*contrast, generator)
    count = 1 if generator.random() < 0.6 else int(generator.integers(2, 7))
    things = []
    for _ in range(count):
        side = diameter * log_uniform(0.7, 1.4, generator)
        blob = draw_blob(size, side, elongation, roughness, generator)
        target = f"{name}_{'small' if side < _SMALL else 'large'}"
        things.append(Thing((target,), blob, material, depth))
    return things


def _draw_dense(size: tuple[int, int], generator: np.random.Generator) -> list[Thing]:
    return _draw_blobs("dense", size, ("stone", "stone", "bone", "steel"), (0.04, 1.0), generator)


def _draw_metal(size: tuple[int, int], generator: np.random.Generator) -> list[Thing]:
    return _draw_blobs("dense", size, ("steel",), (0.04, 1.0), generator)


def _draw_voids(size: tuple[int, int], generator: np.random.Generator) -> list[Thing]:
    return _draw_blobs("void", size, (None,), (0.03, 0.4), generator)


def insert(thing: Thing, carrier: Carrier) -> Shadow | None:
    """Put an object in place of the carrier's own material; return its shadow, if there is any."""
    own, thickness = next(iter(carrier.items()))
    projection = _project(thing.shape, thickness.shape)
    if projection is None:
        return None
    there = thickness[projection.window]
    outline = projection.outline & (there > 0.02 * thickness.max())
    if outline.sum() < _LEAST_PIXELS:
        return None
    material = _choose_material(thing.material, own)
    excess = (mean_attenuation(material) if material else 0.0) - mean_attenuation(own)
    way = np.abs(np.float32(thing.contrast / excess)) * projection.path * outline
    way = np.minimum(way, there)  # Nothing is thicker than what it lies in.
    behind = float(there[outline].mean())
    there -= way
    if material is not None:
        carrier.setdefault(material, np.zeros_like(thickness))[projection.window] += way
    depth = way * np.float32(exchange(material, own, behind))
    return Shadow(thing.targets, projection.window, outline, depth, thing.width)


def mark(shadow: Shadow, masks: dict[str, np.ndarray], image_size: tuple[int, int]) -> None:
    """Add a shadow to the masks of its targets."""
    for target in shadow.targets:
        mask = masks.setdefault(target, np.zeros(image_size, bool))
        mask[shadow.window] |= shadow.outline


def _choose_material(wanted: str | None, own: str) -> str | None:
    """What is meant to be dense is denser than its carrier: in metal, neither stone nor bone is."""
    if wanted is None or mean_attenuation(wanted) > mean_attenuation(own):
        return wanted
    return "steel"


def _project(shape: Bone | Blob | Line, size: tuple[int, ...]) -> Projection | None:
    image_size = (size[0], size[1])
    if isinstance(shape, Blob):
        return project_blob(shape, image_size)
    if isinstance(shape, Line):
        return project_line(shape, image_size)
    return project_bone(shape, image_size)


DRAW = {
    "bone": _draw_bones,
    "dense": _draw_dense,
    "metal": _draw_metal,
    "wire": _draw_wires,
    "void": _draw_voids,
}
