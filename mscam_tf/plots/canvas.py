"""What all pictures of maps share: panels, grey images, overlays on one scale of colours."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from mscam_tf.files import write_whole

COLOR_MAP = LinearSegmentedColormap.from_list(  # Clear at zero: what shows there is the image.
    "evidence",
    [
        (0.0, (0.05, 0.1, 0.75, 0.75)),
        (0.25, (0.1, 0.55, 0.95, 0.5)),
        (0.5, (0.55, 0.6, 0.6, 0.0)),
        (0.75, (1.0, 0.65, 0.1, 0.5)),
        (1.0, (0.85, 0.0, 0.1, 0.75)),
    ],
)
SIDE = 2.6  # Inches of one panel.
_UNIT = "evidence (logits)"


def make_row(panels: int) -> tuple[Figure, np.ndarray]:
    """Make a figure with panels side by side, which show no axes."""
    figure = Figure(figsize=(SIDE * panels + 0.9, SIDE + 0.5), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for axis in axes:
        axis.set_axis_off()
    return figure, axes


def normalize(value_range: tuple[float, float]) -> Normalize:
    """Make the colour scale of a range of values: zero is in its middle."""
    limit = max(abs(value) for value in value_range) or 1e-6
    return Normalize(-limit, limit, clip=True)


def show_image(axis: Axes, image: np.ndarray, title: str) -> None:
    """Show an image in grey; its contrast is stretched for the display only."""
    grey = np.asarray(image).reshape(image.shape[:2])
    low, high = np.percentile(grey, [0.5, 99.5])  # Display only: radiographs are often flat.
    axis.imshow(grey, cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
    axis.set_title(title, fontsize=8)


def show_overlay(
    axis: Axes, image: np.ndarray, class_map: np.ndarray, norm: Normalize, title: str
) -> None:
    """Show a map over its image."""
    show_image(axis, image, title)
    axis.imshow(
        class_map,
        cmap=COLOR_MAP,
        norm=norm,
        extent=(-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5),
    )


def add_color_bar(figure: Figure, axes: Any, norm: Normalize) -> None:
    """Add the bar that says how many logits a colour is."""
    mappable = ScalarMappable(norm=norm, cmap=COLOR_MAP)
    figure.colorbar(mappable, ax=axes, label=_UNIT, fraction=0.05, extend="both", shrink=0.85)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as a PNG file; an error leaves no half-written file."""
    with write_whole(path) as partial:
        figure.savefig(partial, format="png", dpi=110)
