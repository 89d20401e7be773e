"""Scenes: foreign bodies of many kinds in many carriers, exposed by many plants' detectors.

Where `radiograph` simulates one plant, this module draws everything that differs between plants,
for features that serve all of them (domain randomisation: Tobin et al. 2017).
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from mscam_tf.data.simulation.blobs import Blob, draw_blob, project_blob
from mscam_tf.data.simulation.bones import SIZES, Bone, draw_bones
from mscam_tf.data.simulation.carriers import CARRIERS, Carrier, draw_carrier
from mscam_tf.data.simulation.detector import Detector, draw_detector, expose
from mscam_tf.data.simulation.fields import log_uniform
from mscam_tf.data.simulation.materials import mean_attenuation, transmit
from mscam_tf.data.simulation.projection import Projection, project_bone

TARGETS = (
    *("bone", "bone_scale1", "bone_scale2", "bone_scale3"),
    *("dense_small", "dense_large", "wire", "void_small", "void_large", "crack"),
)
_PITCH = 0.25  # mm a pixel, for the sizes of objects.
_ODDS = {"fillet": 0.5, "granular": 0.125, "plate": 0.125, "weld": 0.125, "casting": 0.125}
_KINDS = {  # What is found in which carrier, and how often.
    "fillet": {"bone": 0.8, "dense": 0.1, "wire": 0.1},
    "granular": {"bone": 0.25, "dense": 0.5, "wire": 0.25},
    "plate": {"dense": 0.4, "wire": 0.15, "void": 0.25, "crack": 0.2},
    "weld": {"dense": 0.15, "void": 0.5, "crack": 0.35},
    "casting": {"dense": 0.15, "void": 0.6, "crack": 0.25},
}
_EMPTY = 0.45  # Share of scenes with nothing in them.
_SMALL = 6.0  # Pixels: smaller compact objects are of the small class.
_LEAST_PIXELS = 4


@dataclass(frozen=True)
class Scene:
    """A scene and the truth about it.

    Attributes:
        image: `(H, W)`, float32, in `[0, 1]`.
        carrier: One of `CARRIERS`.
        masks: For each target that occurs its mask, `(H, W)`, bool.
    """

    image: np.ndarray
    carrier: str
    masks: Mapping[str, np.ndarray]

    @property
    def targets(self) -> np.ndarray:
        """Which of `TARGETS` occur, `(K,)`, float32 of 0 and 1."""
        return np.array([name in self.masks for name in TARGETS], np.float32)


@dataclass(frozen=True)
class _Thing:
    """An object: which targets it belongs to, what it is made of, and how much it attenuates."""

    targets: tuple[str, ...]
    shape: Bone | Blob
    material: str | None  # None for a void: nothing in place of the carrier.
    contrast: float


def simulate_scene(image_size: tuple[int, int], generator: np.random.Generator) -> Scene:
    """Simulate one scene.

    Args:
        image_size: `(height, width)` in pixels.
        generator: Source of chance: the same state, the same scene.

    Returns:
        The `Scene`.

    Examples:
        >>> import numpy as np
        >>> scene = simulate_scene((64, 64), np.random.default_rng(3))
        >>> scene.image.shape, str(scene.image.dtype), scene.targets.shape
        ((64, 64), 'float32', (10,))
    """
    kind = str(generator.choice(CARRIERS, p=[_ODDS[name] for name in CARRIERS]))
    pitch = log_uniform(0.12, 0.4, generator)  # Textures are seen at any magnification.
    carrier = draw_carrier(kind, image_size, pitch, generator.uniform(0.2, 0.8), generator)
    things = _draw_things(kind, image_size, generator)
    masks: dict[str, np.ndarray] = {}
    for thing in things:
        _insert(thing, carrier, masks)
    detector = _draw_detector(image_size, generator)
    counts = expose(transmit(carrier), detector, 16, generator)
    return Scene(_digitise(counts, generator), kind, masks)


def _draw_things(
    carrier: str, size: tuple[int, int], generator: np.random.Generator
) -> list[_Thing]:
    if generator.random() < _EMPTY:
        return []
    odds = _KINDS[carrier]
    things: list[_Thing] = []
    for _ in range(1 + (generator.random() < 0.2)):
        kind = str(generator.choice(list(odds), p=list(odds.values())))
        things += _DRAW[kind](size, generator)
    return things


def _draw_bones(size: tuple[int, int], generator: np.random.Generator) -> list[_Thing]:
    size_class = str(generator.choice(list(SIZES)))
    bones = draw_bones(size_class, size, _PITCH, (0.02, 0.25), generator)
    return [_Thing(("bone", f"bone_{size_class}"), bone, "bone", bone.contrast) for bone in bones]


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


def _draw_wires(size: tuple[int, int], generator: np.random.Generator) -> list[_Thing]:
    return [
        _Thing(
            ("wire",),
            _draw_rods(size, (0.8, 4), (12, 150), generator),
            "steel",
            log_uniform(0.05, 1.0, generator),
        )
        for _ in range(generator.integers(1, 3))
    ]


def _draw_cracks(size: tuple[int, int], generator: np.random.Generator) -> list[_Thing]:
    return [
        _Thing(
            ("crack",),
            _draw_rods(size, (0.8, 2.5), (15, 120), generator),
            None,
            log_uniform(0.02, 0.2, generator),
        )
        for _ in range(generator.integers(1, 3))
    ]


def _draw_blobs(
    name: str,
    size: tuple[int, int],
    materials: tuple[str | None, ...],
    contrast: tuple[float, float],
    generator: np.random.Generator,
) -> list[_Thing]:
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
        things.append(_Thing((target,), blob, material, depth))
    return things


def _draw_dense(size: tuple[int, int], generator: np.random.Generator) -> list[_Thing]:
    return _draw_blobs("dense", size, ("stone", "stone", "bone", "steel"), (0.04, 1.0), generator)


def _draw_voids(size: tuple[int, int], generator: np.random.Generator) -> list[_Thing]:
    return _draw_blobs("void", size, (None,), (0.03, 0.4), generator)


_DRAW = {
    "bone": _draw_bones,
    "dense": _draw_dense,
    "wire": _draw_wires,
    "void": _draw_voids,
    "crack": _draw_cracks,
}


def _insert(thing: _Thing, carrier: Carrier, masks: dict[str, np.ndarray]) -> None:
    """Put an object in place of the carrier's own material, and its shadow into the masks."""
    own, thickness = next(iter(carrier.items()))
    projection = _project(thing.shape, thickness.shape)
    if projection is None:
        return
    there = thickness[projection.window]
    outline = projection.outline & (there > 0.02 * thickness.max())
    if outline.sum() < _LEAST_PIXELS:
        return
    material = _choose_material(thing.material, own)
    excess = (mean_attenuation(material) if material else 0.0) - mean_attenuation(own)
    way = np.abs(np.float32(thing.contrast / excess)) * projection.path * outline
    way = np.minimum(way, there)  # Nothing is thicker than what it lies in.
    there -= way
    if material is not None:
        carrier.setdefault(material, np.zeros_like(thickness))[projection.window] += way
    for target in thing.targets:
        mask = masks.setdefault(target, np.zeros(thickness.shape, bool))
        mask[projection.window] |= outline


def _choose_material(wanted: str | None, own: str) -> str | None:
    """What is meant to be dense is denser than its carrier: in metal, neither stone nor bone is."""
    if wanted is None or mean_attenuation(wanted) > mean_attenuation(own):
        return wanted
    return "steel"


def _project(shape: Bone | Blob, size: tuple[int, ...]) -> Projection | None:
    image_size = (size[0], size[1])
    if isinstance(shape, Blob):
        return project_blob(shape, image_size)
    return project_bone(shape, image_size)


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
