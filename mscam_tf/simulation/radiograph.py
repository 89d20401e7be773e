"""Simulate one radiograph: a fillet, bones in it, and the exposure."""

from dataclasses import dataclass

import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.simulation.bones import Bone, draw_bones
from mscam_tf.simulation.config import CLASS_NAMES, SimulationConfig
from mscam_tf.simulation.detector import Detector, draw_detector, expose
from mscam_tf.simulation.fillet import Fillet, draw_fillet
from mscam_tf.simulation.materials import bone_thickness, transmit
from mscam_tf.simulation.projection import Projection, project_bone

# Of a bone's axis so much must be in the image: 8 mm, or most of a shorter bone, or half of a side.
_LEAST_VISIBLE = 8.0
_LEAST_MUSCLE = 0.2  # cm: there is no bone outside the tissue.
_TRIES, _MOST_TRIES = 8, 800  # Arrangements of bones to try in one fillet, and in all.


@dataclass(frozen=True)
class Radiograph:
    """A simulated radiograph and the truth about it.

    Attributes:
        image: `(H, W)`, uint8 for 8 bits, else uint16; dense is bright.
        label: `"none"`, or the size class of its thickest bone.
        bones: The bones in it.
        projections: Where each bone is in the image.
        detector: The exposure.
    """

    image: np.ndarray
    label: str
    bones: tuple[Bone, ...]
    projections: tuple[Projection, ...]
    detector: Detector

    @property
    def masks(self) -> np.ndarray:
        """The outline of each bone, `(n, H, W)`, bool; where bones cross, they overlap."""
        masks = np.zeros((len(self.bones), *self.image.shape), bool)
        for mask, projection in zip(masks, self.projections, strict=True):
            mask[projection.window] = projection.outline
        return masks

    @property
    def mask(self) -> np.ndarray:
        """All bones in one image, `(H, W)`, uint16: 0 where there is none, else its number from 1.

        Where bones cross, the later one has the pixel.
        """
        mask = np.zeros(self.image.shape, np.uint16)
        for number, projection in enumerate(self.projections, start=1):
            mask[projection.window][projection.outline] = number
        return mask

    @property
    def boxes(self) -> np.ndarray:
        """`(n, 4)`, float32: `x_min, y_min, x_max, y_max` in pixels; a box spans [min, max)."""
        return np.array([_bound(p) for p in self.projections], np.float32).reshape(-1, 4)


def simulate_radiograph(
    label: str, config: SimulationConfig, generator: np.random.Generator
) -> Radiograph:
    r"""Simulate one patch of a fillet.

    `T = sum_e s_e exp(-sum_m mu_m(e) t_m)` through muscle, fat and bone (Beer-Lambert), then
    blur, photons and digitising; see the modules of this folder for each step.

    Args:
        label: `"none"`, `"scale1"` (projected diameter 0.3 to 0.6 mm), `"scale2"` (0.6 to 1.2) or
            `"scale3"` (1.2 to 3.0, and vertebrae).
        config: What to simulate.
        generator: Random generator; the same state gives the same bytes.

    Returns:
        The `Radiograph`.

    Raises:
        ValueError: If the label is not one of these.

    Examples:
        >>> import numpy as np
        >>> config = SimulationConfig(image_size=(64, 64))
        >>> radiograph = simulate_radiograph("scale1", config, np.random.default_rng(0))
        >>> radiograph.image.shape, str(radiograph.image.dtype), len(radiograph.bones) > 0
        ((64, 64), 'uint16', True)
    """
    if label not in CLASS_NAMES:
        raise MscamError(f"`label` must be one of {CLASS_NAMES}. Received: label={label!r}")
    for attempt in range(_MOST_TRIES):
        if attempt % _TRIES == 0:
            fillet = draw_fillet(
                config.image_size, config.pixel_pitch, config.hard_negatives, generator
            )
        bones = _draw_bones(label, config, generator) if label != "none" else []
        seen = _project(bones, fillet, config.image_size)
        if label == "none" or _is_visible(seen, label, config):
            return _finish(fillet, seen, label, config, generator)
    raise MscamError(
        f"No bone of {label} fits into the image; take a larger `image_size` or `pixel_pitch`. "
        f"Received: image_size={config.image_size}, pixel_pitch={config.pixel_pitch}"
    )


def simulate_frame(
    config: SimulationConfig, num_groups: int, generator: np.random.Generator
) -> Radiograph:
    """Simulate a whole fillet on the belt, with groups of bones of all sizes.

    Args:
        config: What to simulate; `image_size` such as `(2048, 4096)`.
        num_groups: Arrangements of bones (rows of pins or ribs, single bones, pieces of spine).
        generator: Random generator.

    Returns:
        The `Radiograph`; its label is the largest size class in it, or `"none"`.
    """
    fillet = draw_fillet(
        config.image_size, config.pixel_pitch, config.hard_negatives, generator, whole=True
    )
    labels = generator.choice(CLASS_NAMES[1:], num_groups)
    bones = [bone for label in labels for bone in _draw_bones(label, config, generator)]
    seen = _project(bones, fillet, config.image_size)
    label = max((bone.size_class for bone, _ in seen), default="none")
    return _finish(fillet, seen, label, config, generator)


def _draw_bones(label: str, config: SimulationConfig, generator: np.random.Generator) -> list[Bone]:
    low, high = (value / config.difficulty for value in config.contrast)
    return draw_bones(label, config.image_size, config.pixel_pitch, (low, high), generator)


def _project(
    bones: list[Bone], fillet: Fillet, image_size: tuple[int, int]
) -> list[tuple[Bone, Projection]]:
    """Project the bones, and keep what lies in tissue."""
    seen = []
    for bone in bones:
        projection = project_bone(bone, image_size)
        if projection is not None:
            projection = projection.cut(fillet.muscle[projection.window] > _LEAST_MUSCLE)
            seen += [(bone, projection)] if projection.outline.any() else []
    return seen


def _is_visible(seen: list[tuple[Bone, Projection]], label: str, config: SimulationConfig) -> bool:
    enough = min(_LEAST_VISIBLE / config.pixel_pitch, 0.5 * min(config.image_size))
    lengths = [
        (projection.outline.sum() / max(bone.diameter, 1), bone.length)
        for bone, projection in seen
        if bone.size_class == label
    ]
    return any(visible >= min(enough, 0.6 * whole) for visible, whole in lengths)


def _finish(
    fillet: Fillet,
    seen: list[tuple[Bone, Projection]],
    label: str,
    config: SimulationConfig,
    generator: np.random.Generator,
) -> Radiograph:
    detector = draw_detector(config.image_size, config.photons, config.hard_negatives, generator)
    replaced = np.zeros(config.image_size, np.float32)
    for bone, projection in seen:
        thickness = np.float32(bone_thickness(bone.contrast))
        replaced[projection.window] += thickness * projection.path
    transmission = transmit(
        {"muscle": fillet.muscle - fillet.fat - replaced, "fat": fillet.fat, "bone": replaced}
    )
    image = expose(transmission, detector, config.bit_depth, generator)
    bones = tuple(bone for bone, _ in seen)
    return Radiograph(image, label, bones, tuple(p for _, p in seen), detector)


def _bound(projection: Projection) -> tuple[int, int, int, int]:
    rows, columns = (np.flatnonzero(projection.outline.any(axis)) for axis in (1, 0))
    top, left = projection.window[0].start, projection.window[1].start
    return left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1
