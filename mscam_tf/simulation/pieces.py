"""Test pieces: balls and rods of known size, as they are on the cards that test a system."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from mscam_tf.simulation.config import SimulationConfig
from mscam_tf.simulation.detector import draw_detector, expose
from mscam_tf.simulation.fillet import draw_fillet
from mscam_tf.simulation.materials import transmit
from mscam_tf.simulation.projection import Window, make_window

GOOD = "none"
_SAMPLES = 5  # Rays a pixel along each side: a ball may be smaller than a pixel.
_LEAST_TISSUE = 0.2  # cm: a piece lies on the product.
_PLACES = 200  # Tries to put it there.
_LENGTH = 10.0  # Diameters of a rod, but at least so many mm:
_SHORTEST = 2.0
_STEEL = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
_DENSE = (0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
_LIGHT = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0)
# Diameters in mm.
CARDS = {
    "steel": {"ball": _STEEL, "rod": (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)},
    "glass": {"ball": _DENSE, "rod": (0.8, 1.0, 1.5, 2.0, 3.0)},
    "stone": {"ball": _DENSE, "rod": (0.8, 1.0, 1.5, 2.0, 3.0)},
    "bone": {"ball": _LIGHT, "rod": (0.3, 0.6, 1.0, 1.5, 2.0, 3.0)},
}


@dataclass(frozen=True)
class Piece:
    """A ball, or a rod with flat ends.

    Attributes:
        material: `steel`, `glass`, `stone` or `bone`.
        shape: `ball` or `rod`.
        diameter: In mm.
        length: In mm: of a ball its diameter.
    """

    material: str
    shape: str
    diameter: float
    length: float


@dataclass(frozen=True)
class PieceImage:
    """A radiograph of a product with one test piece on it, or none.

    Attributes:
        image: `(H, W)`, uint8 for 8 bits, else uint16; dense is bright.
        piece: The piece, or `None`.
        window: Rows and columns that it covers.
        outline: Pixels of the window that it meets, `(h, w)`, bool.
        contrast: Mean optical depth that it adds over its outline, before any blur.
        noise: Standard deviation of the optical depth by the number of photons behind the product.
    """

    image: np.ndarray
    piece: Piece | None = None
    window: Window = (slice(0, 0), slice(0, 0))
    outline: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool))
    contrast: float = 0.0
    noise: float = 0.0

    @property
    def contrast_to_noise(self) -> float:
        """Contrast over noise of a pixel."""
        return self.contrast / self.noise

    @property
    def box(self) -> tuple[int, int, int, int]:
        """`x_min, y_min, x_max, y_max` in pixels; it spans [min, max)."""
        rows, columns = (np.flatnonzero(self.outline.any(axis)) for axis in (1, 0))
        top, left = self.window[0].start, self.window[1].start
        corners = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        x_min, y_min, x_max, y_max = map(int, corners)
        return left + x_min, top + y_min, left + x_max, top + y_max


def list_pieces() -> list[Piece]:
    """List the pieces of all cards: each material, shape and diameter once.

    Examples:
        >>> pieces = list_pieces()
        >>> len(pieces), pieces[0]
        (64, Piece(material='steel', shape='ball', diameter=0.3, length=0.3))
    """
    return list(_list_pieces())


def _list_pieces() -> Iterator[Piece]:
    for material, shapes in CARDS.items():
        for shape, diameters in shapes.items():
            for diameter in diameters:
                length = max(_SHORTEST, _LENGTH * diameter) if shape == "rod" else diameter
                yield Piece(material, shape, diameter, length)


def simulate_piece(
    piece: Piece | None, config: SimulationConfig, generator: np.random.Generator
) -> PieceImage:
    """Simulate a patch of a fillet with a test piece on it: its material is added, by its volume.

    Args:
        piece: The piece, or `None` for a good image.
        config: What the image is like; its contrast and difficulty are for bones, and do not count.
        generator: Random generator; the same state gives the same bytes.

    Returns:
        The `PieceImage`. The piece lies at a random place and angle on tissue.

    Examples:
        >>> import numpy as np
        >>> config = SimulationConfig(image_size=(64, 64), pixel_pitch=0.1)
        >>> found = simulate_piece(list_pieces()[3], config, np.random.default_rng(0))
        >>> found.piece.diameter, found.box[2] - found.box[0]
        (0.6, 7)
    """
    fillet = draw_fillet(config.image_size, config.pixel_pitch, config.hard_negatives, generator)
    detector = draw_detector(config.image_size, config.photons, config.hard_negatives, generator)
    thickness = {"muscle": fillet.muscle - fillet.fat, "fat": fillet.fat}
    if piece is None:
        return PieceImage(expose(transmit(thickness), detector, config.bit_depth, generator))
    window, way = _place(piece, fillet.muscle, config, generator)
    outline = way > 0
    tissue = float(fillet.muscle[window][outline].mean())
    behind = detector.photons * float(transmit({"muscle": np.array(tissue)}))
    bare = transmit({name: values[window] for name, values in thickness.items()})
    layer = thickness.setdefault(piece.material, np.zeros(config.image_size, np.float32))
    layer[window] += way
    seen = transmit({name: values[window] for name, values in thickness.items()})
    contrast = float(np.log(bare / np.maximum(seen, 1e-30))[outline].mean())
    image = expose(transmit(thickness), detector, config.bit_depth, generator)
    return PieceImage(image, piece, window, outline, contrast, behind**-0.5)


def _place(
    piece: Piece, tissue: np.ndarray, config: SimulationConfig, generator: np.random.Generator
) -> tuple[Window, np.ndarray]:
    """Return where a piece lies, on tissue if there is enough, and its thickness in cm."""
    size = config.image_size
    margin = min(0.5 * piece.length / config.pixel_pitch + 2, 0.4 * min(size))
    for _ in range(_PLACES):
        center = tuple(generator.uniform(margin, side - margin) for side in size)
        angle = generator.uniform(0, np.pi)
        window, way = trace_piece(piece, center, angle, config.pixel_pitch, size)
        if tissue[window][way > 0].min(initial=np.inf) > _LEAST_TISSUE:
            break
    return window, way


def trace_piece(
    piece: Piece,
    center: tuple[float, ...],
    angle: float,
    pixel_pitch: float,
    image_size: tuple[int, int],
) -> tuple[Window, np.ndarray]:
    r"""Return where a piece falls on the detector, and how thick it is there.

    A ray at the distance `d` from the axis of a rod, or the centre of a ball, passes
    `2 sqrt(r^2 - d^2)`; of each pixel the mean of 25 rays is taken.

    Args:
        piece: The piece.
        center: `(y, x)` in pixels.
        angle: Of the axis of a rod, in radians from the x axis towards the y axis.
        pixel_pitch: Size of a pixel in mm.
        image_size: `(height, width)` in pixels.

    Returns:
        Rows and columns, and the thickness in cm there, `(h, w)`, float32.

    Examples:
        The volume of a ball of 1 mm is 0.5236 mm3:

        >>> ball = Piece("steel", "ball", 1.0, 1.0)
        >>> _, way = trace_piece(ball, (20.0, 20.0), 0.0, 0.1, (40, 40))
        >>> round(float(way.sum()) * 10 * 0.1**2, 3)
        0.523
    """
    radius = piece.diameter / 2
    reach = float(np.hypot(piece.length, piece.diameter)) / 2 / pixel_pitch + 1
    window = make_window([(value - reach, value + reach) for value in center], image_size)
    if window is None:
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.float32)
    y, x = (
        _list_rays(part, value) * pixel_pitch for part, value in zip(window, center, strict=True)
    )
    along = x[None] * np.cos(angle) + y[:, None] * np.sin(angle)
    across = y[:, None] * np.cos(angle) - x[None] * np.sin(angle)
    squared = across**2 + (along**2 if piece.shape == "ball" else 0)
    chord = 2 * np.sqrt(np.maximum(radius**2 - squared, 0))
    if piece.shape == "rod":
        chord *= np.abs(along) <= piece.length / 2
    height, width = (part.stop - part.start for part in window)
    rays = chord.reshape(height, _SAMPLES, width, _SAMPLES)
    return window, (rays.mean(axis=(1, 3)) / 10).astype(np.float32)


def _list_rays(part: slice, center: float) -> np.ndarray:
    """Return where the rays of each pixel are, from the centre; pixels have their centre at 0."""
    start = part.start - 0.5 + 0.5 / _SAMPLES
    return start + np.arange((part.stop - part.start) * _SAMPLES) / _SAMPLES - center
