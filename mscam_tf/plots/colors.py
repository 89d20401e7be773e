"""The one scale of colours of all maps, without matplotlib."""

import numpy as np

# Red, green, blue and how much of the image it covers. Clear at zero: there shows the image.
STOPS = (
    (0.0, (0.05, 0.1, 0.75, 0.75)),
    (0.25, (0.1, 0.55, 0.95, 0.5)),
    (0.5, (0.55, 0.6, 0.6, 0.0)),
    (0.75, (1.0, 0.65, 0.1, 0.5)),
    (1.0, (0.85, 0.0, 0.1, 0.75)),
)
_STEPS = 257  # Odd: zero has one of its own.


def find_limit(value_range: tuple[float, float]) -> float:
    """Return the value at the ends of the scale, whose middle is zero."""
    return max(abs(value) for value in value_range) or 1e-6


def stretch_grey(image: np.ndarray) -> tuple[float, float]:
    """Return the grey levels that are shown black and white, for the display only."""
    low, high = np.percentile(image, [0.5, 99.5])  # Radiographs are often flat.
    return float(low), max(float(high), float(low) + 1e-6)


def color_map(values: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Return the colours of a map, `(H, W, 4)`, float32 in `[0, 1]`: red, green, blue, opacity.

    Examples:
        >>> color_map(np.array([[0.0, 2.0]]), (-1, 2))[0, 1].round(2).tolist()
        [0.85..., 0.0, 0.1..., 0.75]
    """
    places = np.clip(values / find_limit(value_range), -1, 1)
    steps = ((places + 1) / 2 * (_STEPS - 1)).round().astype(np.intp)
    at, colors = [place for place, _ in STOPS], np.array([color for _, color in STOPS])
    scale = np.linspace(0, 1, _STEPS)
    table = np.stack([np.interp(scale, at, channel) for channel in colors.T], axis=-1)
    found: np.ndarray = table.astype(np.float32)[steps]
    return found
