"""Windows that slide over a feature map: which layers have them, and how far they reach."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

WINDOWS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
)


@dataclass(frozen=True)
class Window:
    """A window along one axis: how many cells it spans, its stride, whether it pads for itself."""

    extent: int
    stride: int
    pads: bool

    def count(self, side: Any) -> Any:
        """Return in how many places it stands on so many cells."""
        reach = 0 if self.pads else self.extent - 1
        return (side - reach - 1) // self.stride + 1

    def pad(self, side: Any) -> Any:
        """Return how many cells it pads before the first: half of what it needs, rounded down."""
        if not self.pads:
            return 0
        missing = (self.count(side) - 1) * self.stride + self.extent - side
        return (max(missing, 0) if isinstance(missing, int) else ops.maximum(missing, 0)) // 2

    def covers(self, margins: tuple[int, int]) -> bool:
        """Whether it takes up padding and cropping at both ends, so that cells spread evenly.

        It covers as much beside the image as is padded there. Padding on one side that is cut off
        on the other shifts by less than a stride, which is within a cell of the feature map:
        NASNet does so.
        """
        before, after = margins
        reach = 0 if self.pads else self.extent - 1
        padded = min(margins) >= 0 and sum(margins) <= reach
        return padded or (before == -after and abs(before) < self.stride)


def list_windows(layer: Any) -> list[Window]:
    """Return the windows of a layer for rows and columns."""
    sizes = layer.kernel_size if hasattr(layer, "kernel_size") else layer.pool_size
    rates = getattr(layer, "dilation_rate", 1)
    rates = (rates, rates) if isinstance(rates, int) else rates
    triples = zip(sizes, rates, layer.strides, strict=True)
    pads = layer.padding != "valid"
    return [Window((size - 1) * rate + 1, stride, pads) for size, rate, stride in triples]
