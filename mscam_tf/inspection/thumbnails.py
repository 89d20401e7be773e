"""Small pictures of frames that pass in strips."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

import numpy as np

_SIDE = 2048  # Pixels of the longer side, at most.


@dataclass
class Thumbnail:
    """Keeps every n-th row and column of what passes in strips.

    Attributes:
        step: Which ones: all of a frame of up to 2,048 pixels, every second up to twice that.
        constant: Whether all pixels that were watched are alike, also those that are not kept.

    Examples:
        >>> thumbnail = Thumbnail.of((2, 4096))
        >>> thumbnail.add(np.arange(4096)[None])
        >>> thumbnail.collect()[0, :3]
        array([0, 2, 4])
    """

    step: int
    constant: bool = True
    _top: int = 0
    _parts: list[np.ndarray] = field(default_factory=list)

    @classmethod
    def of(cls, size: tuple[int, int]) -> "Thumbnail":
        """Return one for a frame of `(height, width)`."""
        return cls(ceil(max(size) / _SIDE))

    def add(self, rows: np.ndarray) -> None:
        """Keep what is to be kept of the next strip, `(h, W, ...)`."""
        self._parts.append(rows[-self._top % self.step :: self.step, :: self.step].copy())
        self._top += len(rows)

    def watch(self, strips: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Pass strips on, and keep what is to be kept of them."""
        for rows in strips:
            self.add(rows)
            self.constant = self.constant and bool((rows == self._parts[0].flat[0]).all())
            yield rows

    def collect(self) -> np.ndarray:
        """Return the small picture."""
        return np.concatenate(self._parts)
