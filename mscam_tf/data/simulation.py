"""A small simulator of fish-fillet radiographs: transmission through muscle and bones."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

CLASS_NAMES = ("none", "thick", "thin")
_DIAMETERS = {"thin": (1.2, 2.4), "thick": (4.0, 7.0)}  # Pixels.
_MUSCLE = 0.25  # Attenuation per centimetre, of water at about 50 keV.
_BONE = 0.9  # Attenuation per centimetre beyond the muscle that the bone displaces.
_PIXELS_PER_CENTIMETRE = 25.0
_PHOTONS = 40_000  # A pixel, without a fillet in the way.


def simulate_radiograph(
    label: str, image_size: tuple[int, int], generator: np.random.Generator
) -> np.ndarray:
    r"""Simulate one patch: Beer-Lambert transmission, blur and photon noise.

    The attenuation is `A = mu_muscle t + mu_bone c`, with the fillet's thickness `t(x, y)` and
    the chord `c(x, y) = 2 sqrt(r^2 - d^2)` of the rays through round bones of radius `r`, in
    centimetres. Photons `N ~ Poisson(N_0 exp(-A))`; the image is `-log(N / N_0)`, scaled to the
    16-bit range: what attenuates more is brighter.

    Args:
        label: `"none"`, `"thin"` (bones of 1.2 to 2.4 pixels) or `"thick"` (4 to 7 pixels).
        image_size: `(height, width)` in pixels.
        generator: Source of chance.

    Returns:
        Array `(height, width)`, uint16.

    Raises:
        ValueError: If the label is not one of these.

    Examples:
        >>> import numpy as np
        >>> image = simulate_radiograph("thin", (64, 64), np.random.default_rng(0))
        >>> image.shape, str(image.dtype)
        ((64, 64), 'uint16')
    """
    if label not in CLASS_NAMES:
        raise ValueError(f"`label` must be one of {CLASS_NAMES}. Received: label={label!r}")
    attenuation = _MUSCLE * _draw_fillet(image_size, generator)
    if label != "none":
        attenuation += _BONE * _draw_bones(image_size, _DIAMETERS[label], generator)
    expected = _PHOTONS * gaussian_filter(np.exp(-attenuation), generator.uniform(0.5, 0.9))
    counts = np.maximum(generator.poisson(expected), 1)
    measured = -np.log(counts / _PHOTONS)
    return np.round(np.clip(measured / 2.0, 0, 1) * 65535).astype(np.uint16)


def write_radiographs(
    folder: str | Path, num_images: int, image_size: tuple[int, int] = (128, 128), seed: int = 0
) -> Path:
    """Write 16-bit PNG patches into one folder per class, in turn; the same seed, the same files.

    Args:
        folder: Where to write; created if missing.
        num_images: How many in all.
        image_size: `(height, width)` in pixels.
        seed: Seed of the first image; each has a stream of its own.

    Returns:
        The folder.
    """
    folder = Path(folder)
    for index in range(num_images):
        label = CLASS_NAMES[index % len(CLASS_NAMES)]
        image = simulate_radiograph(label, image_size, np.random.default_rng([seed, index]))
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / label / f"{index:05d}.png")
    return folder


def _draw_fillet(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Draw the thickness in centimetres: a slope, soft relief, and muscle segments."""
    y, x = _make_grid(size)
    angle = generator.uniform(0, 2 * np.pi)
    slope = generator.uniform(0, 1) * (x * np.cos(angle) + y * np.sin(angle)) / max(size)
    relief = 0.15 * _make_relief(size, max(size) / 6, generator)
    period = generator.uniform(10, 30)
    bend = 0.4 * _make_relief(size, max(size) / 8, generator)
    angle += generator.normal(0, 0.3)
    phase = (x * np.cos(angle) + y * np.sin(angle)) / period + bend
    segments = generator.uniform(0, 0.05) * np.abs(np.sin(np.pi * phase)) ** 0.5
    return np.maximum(generator.uniform(1.5, 2.5) + slope + relief + segments, 0.2)


def _draw_bones(
    size: tuple[int, int], diameters: tuple[float, float], generator: np.random.Generator
) -> np.ndarray:
    """Draw the chords, in centimetres, of one to four bent, roughly parallel, tapered bones."""
    y, x = _make_grid(size)
    angle = generator.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    chords = np.zeros(size)
    spacing = generator.uniform(0.18, 0.3) * min(size)
    count = generator.integers(1, 5)
    for number in range(count):
        middle = (number - (count - 1) / 2 + generator.normal(0, 0.1)) * spacing
        bend = generator.uniform(-0.15, 0.15) * along**2 / max(size)
        start = along + generator.normal(0, 0.1) * max(size)
        length = generator.uniform(0.5, 1.2) * max(size)
        taper = np.clip(1.1 - np.abs(start) / length, 0, 1)
        radius = generator.uniform(*diameters) / 2 * taper
        distance = np.abs(across - middle - bend)
        chord = 2 * np.sqrt(np.maximum(radius**2 - distance**2, 0))
        chords = np.maximum(chords, chord)
    return chords / _PIXELS_PER_CENTIMETRE


def _make_grid(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(float)
    return y - height / 2, x - width / 2


def _make_relief(
    size: tuple[int, int], smoothness: float, generator: np.random.Generator
) -> np.ndarray:
    relief = gaussian_filter(generator.standard_normal(size), smoothness, mode="wrap")
    return (relief - relief.mean()) / (relief.std() + 1e-12)
