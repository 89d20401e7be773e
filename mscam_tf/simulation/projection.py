"""Project a bone onto the detector: the way of each ray through it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mscam_tf.simulation.bones import Bone

_ENDS = 4  # A rod tapers as sqrt(1 - |2 u / length|^4).
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Projection:
    """Where a bone falls on the detector.

    Attributes:
        window: Rows and columns of the image that it covers.
        path: Length of each ray in the bone, `(h, w)`, float32, scaled to a peak of 1.
        outline: Its shadow, `(h, w)`, bool.
    """

    window: Window
    path: np.ndarray
    outline: np.ndarray

    def cut(self, keep: np.ndarray) -> "Projection":
        """Return the part of it where `keep`, `(h, w)`, is true."""
        return Projection(self.window, self.path * keep, self.outline & keep)


def project_bone(bone: Bone, image_size: tuple[int, int]) -> Projection | None:
    r"""Return where a bone falls on the detector, and how much of it each ray meets.

    A ray at distance `d` from the axis of a round rod of radius `r` passes a chord
    `c_r(d) = 2 sqrt(r^2 - d^2)`, here averaged over the width of a pixel. With a core of radius
    `q r` that attenuates `k` times as much as the cortex the path is `c_r - (1 - k) c_qr`,
    scaled to a peak of 1.

    Args:
        bone: The bone.
        image_size: `(height, width)` in pixels.

    Returns:
        The `Projection`, or `None` if the bone lies outside.
    """
    window = _find_window(bone, image_size)
    if window is None:
        return None
    rows = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None]
    columns = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None]
    y, x = rows - np.float32(bone.center[0]), columns - np.float32(bone.center[1])
    sine, cosine = np.float32(np.sin(bone.angle)), np.float32(np.cos(bone.angle))
    u, v = x * cosine + y * sine, y * cosine - x * sine
    trace = _trace_vertebra if bone.kind == "vertebra" else _trace_rod
    path, outline = trace(bone, u, v)
    if not outline.any():
        return None
    return Projection(window, path, outline)


def make_window(spans: Sequence[tuple[float, float]], image_size: tuple[int, int]) -> Window | None:
    """Return the rows and columns that cover two spans, within the image; `None` if none do."""
    window = []
    for (low, high), side in zip(spans, image_size, strict=True):
        start, stop = max(0, int(np.floor(low))), min(side, int(np.ceil(high)) + 1)
        if start >= stop:
            return None
        window.append(slice(start, stop))
    return window[0], window[1]


def _find_window(bone: Bone, image_size: tuple[int, int]) -> Window | None:
    u = np.linspace(-bone.length / 2, bone.length / 2, 33)
    v = bone.bend * u**2
    sine, cosine = np.sin(bone.angle), np.cos(bone.angle)
    y = bone.center[0] + u * sine + v * cosine
    x = bone.center[1] + u * cosine - v * sine
    reach = bone.diameter / 2 + 1
    return make_window([(a.min() - reach, a.max() + reach) for a in (y, x)], image_size)


def _trace_rod(bone: Bone, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    bend = np.float32(bone.bend)
    distance = np.abs(v - bend * u * u) / np.sqrt(1 + np.square(2 * bend * u))
    near = (distance < bone.diameter / 2 + 1) & (np.abs(u) < bone.length / 2)
    ends = 1 - (2 * u[near] / np.float32(bone.length)) ** _ENDS
    radius = np.float32(bone.diameter / 2) * np.sqrt(np.maximum(ends, 0))
    near_distance = distance[near]
    way = _mean_chord(near_distance, radius)
    way -= np.float32(1 - bone.core) * _mean_chord(near_distance, np.float32(bone.cortex) * radius)
    path = np.zeros(distance.shape, np.float32)
    path[near] = way / np.float32(bone.diameter * _peak(bone))
    outline = np.zeros(distance.shape, bool)
    outline[near] = near_distance <= np.maximum(radius, 0.5)
    return path, outline


def _mean_chord(distance: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Average `2 sqrt(r^2 - d^2)` over a pixel: a thin bone must not fall between two samples."""
    radius = np.maximum(radius, np.float32(1e-3))
    return _integrate(distance + 0.5, radius) - _integrate(distance - 0.5, radius)


def _integrate(distance: np.ndarray, radius: np.ndarray) -> np.ndarray:
    ratio = np.clip(distance / radius, -1, 1)
    return radius**2 * (ratio * np.sqrt(1 - ratio * ratio) + np.arcsin(ratio))


def _peak(bone: Bone) -> float:
    """The longest way through a rod of diameter 1: through its middle, or beside its core."""
    return max(1 - (1 - bone.core) * bone.cortex, np.sqrt(1 - bone.cortex**2))


def _trace_vertebra(bone: Bone, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A centrum: an hourglass of compact bone, two hollow cones that meet, in a lighter drum."""
    along = np.clip(2 * u / np.float32(bone.length), -1, 1)
    drum = np.float32(bone.diameter / 2) * (0.8 + 0.2 * along * along)
    cone = drum * np.maximum(np.abs(along), 0.12) * 0.95
    across = np.abs(v)
    shell = _chord(across, cone) - _chord(across, 0.8 * cone)
    light = np.float32(0.3 + 0.3 * bone.core)
    plates = np.exp(-(((np.abs(along) - 0.93) / 0.05) ** 2))
    path = shell + light * (_chord(across, drum) - _chord(across, cone))
    path += np.float32(0.35) * plates * _chord(across, drum)
    outline = (across <= drum) & (np.abs(u) <= bone.length / 2)
    return np.where(outline, path / np.float32(bone.diameter), 0).astype(np.float32), outline


def _chord(distance: np.ndarray, radius: np.ndarray) -> np.ndarray:
    return 2 * np.sqrt(np.maximum(radius * radius - distance * distance, 0))
