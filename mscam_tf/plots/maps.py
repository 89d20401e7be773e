"""Pictures of maps over images, all on one scale of colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from mscam_tf.plots.canvas import (
    SIDE,
    add_color_bar,
    cut_label,
    escape,
    make_row,
    normalize,
    outline_regions,
    show_image,
    show_overlay,
)

if TYPE_CHECKING:
    from mscam_tf.localization import Region

_DEVIATIONS = 2.5  # Half the range of grey levels of a contact sheet.


def plot_maps(
    image: np.ndarray,
    maps: np.ndarray,
    class_names: Sequence[str],
    value_range: tuple[float, float] | None = None,
    probabilities: np.ndarray | None = None,
    regions: "Sequence[Region]" = (),
) -> Figure:
    """Show the map of each class over the grey image, on one colour scale.

    Args:
        image: `(H, W)` or `(H, W, 1)`, values in `[0, 1]`.
        maps: `(H, W, C)`, logits, as the explainer returns them.
        class_names: Name of each class.
        value_range: Lowest and highest value to tell apart, in logits; by default those of `maps`.
            The colour scale is as wide on either side of zero, where it is clear: red is evidence
            for the class, blue against it. Give the same to all pictures that are to be compared.
        probabilities: `(C,)`, to show in the titles.
        regions: To outline in the map of the class that their label names, and to number.

    Returns:
        A matplotlib `Figure`.

    Examples:
        >>> import numpy as np
        >>> figure = plot_maps(np.zeros((8, 8)), np.zeros((8, 8, 2)), ["none", "bone"])
        >>> len(figure.axes)  # The image, two maps, the colour bar.
        4
    """
    norm = normalize(value_range or (float(np.min(maps)), float(np.max(maps))))
    figure, axes = make_row(1 + len(class_names))
    show_image(axes[0], image, "image")
    for index, (axis, name) in enumerate(zip(axes[1:], class_names, strict=True)):
        title = cut_label(name)
        title = title if probabilities is None else f"{title}: {probabilities[index]:.3f}"
        show_overlay(axis, image, maps[..., index], norm, title)
        outline_regions(axis, [region for region in regions if region.label == name])
    add_color_bar(figure, axes, norm)
    return figure


def plot_overlay(
    image: np.ndarray,
    class_map: np.ndarray,
    title: str,
    value_range: tuple[float, float],
    regions: "Sequence[Region]" = (),
) -> Figure:
    """Show one class's map `(H, W)` over the grey image, with a colour bar in logits.

    The regions are outlined and numbered in their order: the first twenty.
    """
    norm = normalize(value_range)
    figure, axes = make_row(1)
    show_overlay(axes[0], image, class_map, norm, title)
    outline_regions(axes[0], regions)
    add_color_bar(figure, axes, norm)
    return figure


def plot_scales(
    image: np.ndarray,
    class_map: np.ndarray,
    scale_maps: np.ndarray,
    relevance: np.ndarray,
    contributions: np.ndarray,
    title: str,
    value_range: tuple[float, float],
) -> Figure:
    """Show how one class's map is the sum of its scales.

    Args:
        image: `(H, W)`.
        class_map: `S`, `(H, W)`, logits.
        scale_maps: `h_b M_b`, `(B, H, W)`, logits: they add up to `class_map`.
        relevance: `h_b`, `(B,)`.
        contributions: `h_b mean(M_b)`, `(B,)`, logits.
        title: Title of the whole.
        value_range: As for `mscam_tf.plot_maps`.

    Returns:
        A matplotlib `Figure`.
    """
    norm = normalize(value_range)
    figure, axes = make_row(2 + len(scale_maps))
    show_image(axes[0], image, "image")
    show_overlay(axes[1], image, class_map, norm, "all scales")
    rows = zip(axes[2:], scale_maps, relevance, contributions, strict=True)
    for scale, (axis, scale_map, h, contribution) in enumerate(rows, start=1):
        label = f"scale {scale}: h = {h:.2f}, {contribution:+.2f}"
        show_overlay(axis, image, scale_map, norm, label)
    add_color_bar(figure, axes, norm)
    figure.suptitle(escape(title), fontsize=10)
    return figure


def plot_sheet(
    images: Sequence[np.ndarray],
    class_maps: Sequence[np.ndarray],
    titles: Sequence[str],
    value_range: tuple[float, float],
    columns: int = 6,
) -> Figure:
    """Show many images, each beside its overlay, on one colour scale."""
    norm = normalize(value_range)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    size = (SIDE * 0.75 * 2 * columns + 1, SIDE * 0.85 * rows)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, 2 * columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    pairs = axes.reshape(-1, 2)
    for pair, image, class_map, title in zip(pairs, images, class_maps, titles, strict=False):
        show_image(pair[0], image, "")
        show_overlay(pair[1], image, class_map, norm, cut_label(title))
    add_color_bar(figure, axes, norm)
    return figure


def plot_contact_sheet(rows: Sequence[tuple[str, Sequence[np.ndarray]]]) -> Figure:
    """Draw rows of images, each standardised by its own mean and deviation, as models see them.

    Args:
        rows: For each row its title and its images, `(H, W)`, values in `[0, 1]`.

    Returns:
        The figure.
    """
    count = max(len(images) for _, images in rows)
    figure = Figure(figsize=(1.1 * count, 1.25 * len(rows)), layout="constrained")
    for axes, (title, images) in zip(
        figure.subplots(len(rows), count, squeeze=False), rows, strict=True
    ):
        axes[0].set_title(escape(title), fontsize=8, loc="left")
        for axis in axes:
            axis.axis("off")
        for axis, image in zip(axes, images, strict=False):
            deviations = (image - image.mean()) / (image.std() + 1e-6)
            axis.imshow(deviations, cmap="gray", vmin=-_DEVIATIONS, vmax=_DEVIATIONS)
    return figure
