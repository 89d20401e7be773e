"""Pictures of confused classes: how much their maps overlap, and where."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mscam_tf.plots.canvas import (
    SIDE,
    add_color_bar,
    normalize,
    show_image,
    show_overlay,
)


def plot_overlaps(rows: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> Figure:
    """Show for each pair of classes the overlap on wrong and on right images, a dot an image.

    Args:
        rows: Title, overlaps on wrong images `(n,)`, and on right ones `(m,)`, in `[0, 1]` or not a
            number.

    Returns:
        A matplotlib `Figure`. A bar marks each mean.

    Examples:
        >>> import numpy as np
        >>> figure = plot_overlaps([("scale1 as none", np.array([0.6]), np.array([0.1, 0.2]))])
        >>> figure.axes[0].get_xlabel()
        'overlap of the two maps in place'
    """
    figure = Figure(figsize=(7, 1.4 + 0.55 * len(rows)), layout="constrained")
    axis = figure.subplots()
    for number, (_, wrong, right) in enumerate(rows):
        for values, color, shift in ((right, "tab:blue", 0.15), (wrong, "tab:red", -0.15)):
            values = values[np.isfinite(values)]
            height = np.full(len(values), number + shift)
            axis.scatter(values, height, s=12, color=color, alpha=0.5, linewidths=0)
            if len(values):
                axis.plot(
                    [values.mean()] * 2, [number + shift - 0.12, number + shift + 0.12], color
                )
    axis.set_yticks(range(len(rows)), [title for title, _, _ in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlim(-0.02, 1.02)
    axis.set_xlabel("overlap of the two maps in place")
    axis.scatter([], [], s=12, color="tab:red", label="taken for the other")
    axis.scatter([], [], s=12, color="tab:blue", label="right")
    figure.legend(loc="outside upper right", ncols=2, fontsize=8)
    return figure


def plot_confused_images(
    stacks: Sequence[np.ndarray],
    titles: Sequence[str],
    class_names: tuple[str, str],
    value_range: tuple[float, float],
) -> Figure:
    """Show confused images, the maps of the two classes, and the evidence that both share.

    Args:
        stacks: For each image a stack `(H, W, 4)`: the image, the maps of its true and of the
            predicted class, and the evidence that both share, in logits.
        titles: One an image.
        class_names: The true and the predicted class.
        value_range: As for `mscam_tf.plot_maps`.

    Returns:
        A matplotlib `Figure`, a row an image.
    """
    norm = normalize(value_range)
    size = (4 * SIDE + 0.9, SIDE * len(stacks) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(stacks), 4, squeeze=False)
    names = [f"{class_names[0]} (true)", f"{class_names[1]} (predicted)", "claimed by both"]
    for row, stack, title in zip(axes, stacks, titles, strict=True):
        show_image(row[0], stack[..., 0], title)
        for number, name in enumerate(names, start=1):
            show_overlay(row[number], stack[..., 0], stack[..., number], norm, name)
        for axis in row:
            axis.set_axis_off()
    add_color_bar(figure, axes, norm)
    return figure
