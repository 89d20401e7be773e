"""Windows that slide over a feature map: which layers have them, and how far they reach."""

from typing import Any

import keras

WINDOWS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
)


def list_windows(layer: Any) -> list[tuple[int, int]]:
    """Return for rows and columns how far windows reach beyond a pixel, and their stride."""
    sizes = layer.kernel_size if hasattr(layer, "kernel_size") else layer.pool_size
    rates = getattr(layer, "dilation_rate", 1)
    rates = (rates, rates) if isinstance(rates, int) else rates
    free = layer.padding == "valid"  # Others pad for themselves what they need.
    triples = zip(sizes, rates, layer.strides, strict=True)
    return [((size - 1) * rate if free else 0, stride) for size, rate, stride in triples]


def covers(margin: tuple[int, int], reach: int, stride: int) -> bool:
    """Whether a window takes up the padding or cropping at both ends of a side."""
    before, after = margin
    padded = min(margin) >= 0 and sum(margin) <= reach
    return padded or (before == -after and abs(before) < stride)
