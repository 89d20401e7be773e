"""How the cells along one axis of a feature map lie in the image, layer after layer."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from keras import ops

from mscam_tf.models.windows import Window

_NO_MARGINS = (0, 0)


class LostError(Exception):
    """Places cannot be followed through a layer, which the message names."""


def as_real(number: Any) -> Any:
    """Return a number as a float, or a scalar tensor in float32."""
    return float(number) if _is_number(number) else ops.cast(number, "float32")


def take_larger(a: Any, b: Any) -> Any:
    """Return the larger of two numbers or scalar tensors."""
    return max(a, b) if _is_number(a) and _is_number(b) else ops.maximum(a, b)


def take_smaller(a: Any, b: Any) -> Any:
    """Return the smaller of two numbers or scalar tensors."""
    return min(a, b) if _is_number(a) and _is_number(b) else ops.minimum(a, b)


def _is_number(number: Any) -> bool:
    return isinstance(number, int | float)


@dataclass(frozen=True)
class Axis:
    """The cells along one axis of a tensor, in pixels of an axis of the image.

    Pixel `i` has its centre at `i`. Cell `j`, counted in the order of the image, has its centre at
    `start + j step`. Where the sides of images are open, numbers are scalar tensors.

    Attributes:
        source: The axis of the image: of `(batch, height, width, channels)` 1 or 2.
        side: How many cells there are.
        start: Centre of the first cell, in the order of the image.
        step: From one cell to the next.
        mirrored: Whether the tensor holds its cells in the other order.
        low: Where what is not cut off begins: the edge of a pixel.
        high: Where it ends.
        margins: Cells padded before and after, or cut off if negative, that no window has taken up.
        carried: Whether the cells do not lie evenly over the whole image any more.
        doubt: By how many pixels layers that were tried out, or branches that were joined, may
            have moved places.
        suspect: The last of these layers.
    """

    source: int
    side: Any
    start: Any = 0.0
    step: Any = 1.0
    mirrored: bool = False
    low: Any = -math.inf
    high: Any = math.inf
    margins: tuple[int, int] = _NO_MARGINS
    carried: bool = False
    doubt: Any = 0.0
    suspect: str = ""

    @property
    def shift(self) -> Any:
        """How many cells a place lies from where cells spread over the image show it, at most."""
        return (abs(self.start - (self.step - 1) / 2) + self.doubt) / self.step

    @property
    def is_spread(self) -> bool:
        """Whether the cells lie evenly over the whole image, as far as is known."""
        return not self.carried and self.margins == _NO_MARGINS

    def list_centers(self) -> Any:
        """Return where the cells lie, `(side,)`, float32, in pixels."""
        return ops.arange(self.side, dtype="float32") * self.step + self.start

    def pad(self, before: int, after: int) -> "Axis":
        """Add cells at both ends, or cut off so many if negative; a window may take that up."""
        moved = self.extend(before, after)
        margins = (self.margins[0] + before, self.margins[1] + after)
        return replace(moved, margins=margins, carried=self.carried)

    def extend(self, before: Any, after: Any) -> "Axis":
        """Add cells at both ends, or cut off so many if negative, for good."""
        if _is_number(before) and _is_number(after) and before == after == 0:
            return self
        first, last = (after, before) if self.mirrored else (before, after)
        side = self.side + before + after
        start = self.start - as_real(first) * self.step
        low, high = start - self.step / 2, start + self.step * (as_real(side) - 0.5)
        return replace(
            self,
            side=side,
            start=start,
            low=self.low if _is_padding(first) else take_larger(self.low, low),
            high=self.high if _is_padding(last) else take_smaller(self.high, high),
            carried=True,
        )

    def slide(self, window: Window) -> "Axis":
        """Slide a window over the cells."""
        side = window.count(self.side)
        middle = (window.extent - 1) / 2 - as_real(window.pad(self.side))
        if self.mirrored:
            middle = as_real(self.side - 1 - window.stride * (side - 1)) - middle
        return replace(
            self,
            side=side,
            start=self.start + self.step * middle,
            step=self.step * window.stride,
            margins=_NO_MARGINS,
            carried=self.carried or not window.covers(self.margins),
        )

    def resize(self, side: Any) -> "Axis":
        """Lay another number of cells over the same part of the image."""
        ratio = as_real(self.side) / as_real(side)
        return replace(
            self.settle(),
            side=side,
            start=self.start + self.step * (ratio - 1) / 2,
            step=self.step * ratio,
        )

    def settle(self) -> "Axis":
        """Give up that a window takes the margins up."""
        return replace(self, margins=_NO_MARGINS, carried=not self.is_spread)

    def mirror(self) -> "Axis":
        """Turn the cells round."""
        return replace(self.settle(), mirrored=not self.mirrored, carried=True)

    def question(self, pixels: Any, suspect: str) -> "Axis":
        """Say that a layer may have moved places by so many pixels."""
        return replace(self, doubt=self.doubt + pixels, suspect=suspect)


def _is_padding(cells: Any) -> bool:
    return _is_number(cells) and cells >= 0


def spread_axis(source: int, side: Any, pixels: Any) -> Axis:
    """Spread cells evenly over all pixels of an axis of the image."""
    step = as_real(pixels) / as_real(side)
    return Axis(source, side, (step - 1) / 2, step)


def join_axes(axes: Sequence[Axis], layer: str) -> Axis:
    """Return where cells lie that a layer makes of several tensors.

    Raises:
        LostError: If the tensors lie unlike each other.
    """
    first = axes[0]
    if len(axes) == 1:
        return first
    start = sum(axis.start for axis in axes) / len(axes)
    apart, doubt, low, high = 0.0, first.doubt, first.low, first.high
    for axis in axes:
        apart = take_larger(apart, abs(axis.start - start))
        doubt, low = take_larger(doubt, axis.doubt), take_smaller(low, axis.low)
        high = take_larger(high, axis.high)
    alike = all((x.source, x.mirrored) == (first.source, first.mirrored) for x in axes)
    steps = [axis.step for axis in axes]
    if not alike or (_is_number(apart) and (apart > min(steps) or max(steps) > 1.01 * min(steps))):
        raise LostError(
            f"{layer} joins tensors that are cropped, padded or moved unlike each other"
        )
    margins = {axis.margins for axis in axes}
    joined = replace(
        first,
        start=start,
        low=low,
        high=high,
        margins=first.margins if len(margins) == 1 else _NO_MARGINS,
        carried=len(margins) > 1 or any(axis.carried for axis in axes),
        doubt=doubt,
    )
    return joined.question(apart, layer) if _is_number(apart) and apart else joined


Places = tuple[Axis, Axis]  # Along the two axes of a tensor that become rows and columns of maps.
Carry = Callable[[Places], Places]
