"""The paper's Figure 1: examples of each class with their maps, scale by scale."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mscam_tf.plots.canvas import add_color_bar, normalize, show_image, show_overlay

_SIDE = 1.9  # Inches of one panel.


def plot_examples(
    images: Sequence[np.ndarray],
    masks: Sequence[np.ndarray | None],
    maps: Sequence[np.ndarray],
    titles: Sequence[str],
    value_range: tuple[float, float],
) -> Figure:
    """Show images in rows: with the outline of the object, with its map, and with each scale's map.

    Args:
        images: Each `(H, W)`.
        masks: Where the objects are, each `(H, W)`, or `None` where that is not known.
        maps: Each `(1 + B, H, W)`, logits: the multi-scale map, and its scales, which add up to it.
        titles: One for each image.
        value_range: As for `mscam_tf.plot_maps`.

    Returns:
        A matplotlib `Figure`.

    Examples:
        >>> import numpy as np
        >>> image = np.zeros((8, 8))
        >>> figure = plot_examples([image], [image > 0], [np.zeros((4, 8, 8))], ["none"], (0, 1))
        >>> [axis.get_title() for axis in figure.axes[:5]]
        ['none', 'all scales', 'scale 1', 'scale 2', 'scale 3']
    """
    norm = normalize(value_range)
    columns = 1 + len(maps[0])
    size = (_SIDE * columns + 0.9, _SIDE * len(images) + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(images), columns, squeeze=False)
    names = ["all scales", *(f"scale {number}" for number in range(1, columns - 1))]
    for number, row in enumerate(axes):
        show_image(row[0], images[number], titles[number])
        for axis, values, name in zip(row[1:], maps[number], names, strict=True):
            show_overlay(axis, images[number], values, norm, name if number == 0 else "")
        mask = masks[number]
        for axis in row:
            axis.set_axis_off()
            if mask is not None and mask.any():
                axis.contour(mask, [0.5], colors="white", linewidths=0.5)
    add_color_bar(figure, axes, norm)
    return figure
