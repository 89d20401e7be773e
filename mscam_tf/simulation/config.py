"""What one simulated image is like."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mscam_tf.settings import check_settings_of

if TYPE_CHECKING:
    pass

CLASS_NAMES = ("none", "scale1", "scale2", "scale3")


@dataclass(frozen=True)
class SimulationConfig:
    """What to simulate.

    Attributes:
        image_size: Height and width of each image in pixels.
        pixel_pitch: Size of a pixel in mm, in the plane of the fillet.
        bit_depth: Number of bits in which the values are stored, from 8 to 16.
        contrast: Range of the bones' peak optical depth at difficulty 1. It is drawn log-uniformly
            for each arrangement of bones, whatever their size; vertebrae have three to six times
            as much.
        difficulty: Divide the contrast of the bones by this number: 2 is twice as hard to see.
        photons: Range of the number of photons in a pixel, drawn log-uniformly.
        hard_negatives: Probability of each kind of thing that looks like a bone.

    Raises:
        MscamError: If a value is out of range.
    """

    image_size: tuple[int, int] = (256, 256)
    pixel_pitch: float = 0.25
    bit_depth: int = 16
    contrast: tuple[float, float] = (0.02, 0.2)
    difficulty: float = 1.0
    photons: tuple[float, float] = (4e3, 1e5)
    hard_negatives: float = 0.5

    def __post_init__(self) -> None:
        check_settings_of(self)
