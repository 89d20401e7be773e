"""Pictures of confused classes: how much their maps overlap, and where."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from mscam_tf.plots.canvas import (
    SIDE,
    add_color_bar,
    cut_label,
    fit_label,
    normalize,
    show_image,
    show_overlay,
)

_SHIFTS = (-0.22, 0.0, 0.22)
_PARTS = {  # Color and words of each part of the overlaps.
    "wrong": ("tab:red", "taken for the other"),
    "right": ("tab:blue", "right"),
    "like": ("tab:gray", "the other class, right"),
}


def plot_overlaps(rows: Sequence[tuple[str, Mapping[str, np.ndarray]]]) -> Figure:
    """Show for each pair of classes how the maps overlap on wrong and right images, a dot each.

    Args:
        rows: Title, and the overlaps `(n,)`, in `[0, 1]` or NaN: of `wrong` images, of
            those of the same class that are `right`, and of `like`, those that are right of the
            class that the wrong ones were taken for.

    Returns:
        A matplotlib `Figure`. A bar marks each mean.

    Examples:
        >>> import numpy as np
        >>> overlaps = {"wrong": [0.6], "right": [0.1, 0.2], "like": [0.7]}
        >>> overlaps = {part: np.array(values) for part, values in overlaps.items()}
        >>> figure = plot_overlaps([("scale1 as none", overlaps)])
        >>> figure.axes[0].get_xlabel()
        'overlap of the two maps in place'
    """
    figure = Figure(figsize=(7, 1.4 + 0.55 * len(rows)), layout="constrained")
    axis = figure.subplots()
    for number, (_, parts) in enumerate(rows):
        for shift, (part, (color, _)) in zip(_SHIFTS, _PARTS.items(), strict=True):
            values = parts[part][np.isfinite(parts[part])]
            height = np.full(len(values), number + shift)
            axis.scatter(values, height, s=12, color=color, alpha=0.5, linewidths=0)
            if len(values):
                axis.plot([values.mean()] * 2, [number + shift - 0.1, number + shift + 0.1], color)
    axis.set_yticks(range(len(rows)), [fit_label(title) for title, _ in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlim(-0.02, 1.02)
    axis.set_xlabel("overlap of the two maps in place")
    for color, label in _PARTS.values():
        axis.scatter([], [], s=12, color=color, label=label)
    figure.legend(loc="outside upper right", ncols=3, fontsize=8)
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
        titles: One for each image.
        class_names: The true and the predicted class.
        value_range: As for `mscam_tf.plot_maps`.

    Returns:
        A matplotlib `Figure` with a row for each image.
    """
    norm = normalize(value_range)
    size = (4 * SIDE + 0.9, SIDE * len(stacks) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(stacks), 4, squeeze=False)
    true, predicted = map(cut_label, class_names)
    names = [f"{true} (true)", f"{predicted} (predicted)", "claimed by both"]
    for row, stack, title in zip(axes, stacks, titles, strict=True):
        show_image(row[0], stack[..., 0], cut_label(title))
        for number, name in enumerate(names, start=1):
            show_overlay(row[number], stack[..., 0], stack[..., number], norm, name)
        for axis in row:
            axis.set_axis_off()
    add_color_bar(figure, axes, norm)
    return figure
