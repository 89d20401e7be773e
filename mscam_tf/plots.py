"""Pictures: maps over images, relevance, confusion, training curves. The only matplotlib here."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mscam_tf.data.labels import format_size
from mscam_tf.files import write_whole

COLOR_MAP = "turbo"  # The paper's scheme: red is strong, blue is weak.
_ALPHA = 0.4
_SIDE = 2.6  # Inches of one panel.
_UNIT = "evidence (logits)"
_DEVIATIONS = 2.5  # Half the range of grey levels of a contact sheet.


def plot_maps(
    image: np.ndarray,
    maps: np.ndarray,
    class_names: Sequence[str],
    value_range: tuple[float, float] | None = None,
    probabilities: np.ndarray | None = None,
) -> Figure:
    """Show the map of each class over the grey image, on one colour scale.

    Args:
        image: `(H, W)` or `(H, W, 1)`, values in `[0, 1]`.
        maps: `(H, W, C)`, logits, as the explainer returns them.
        class_names: Name of each class.
        value_range: Lowest and highest value of the colour scale, in logits; by default those of
            `maps`. Give the same to all pictures that are to be compared.
        probabilities: `(C,)`, to show in the titles.

    Returns:
        A matplotlib `Figure`.

    Examples:
        >>> import numpy as np
        >>> figure = plot_maps(np.zeros((8, 8)), np.zeros((8, 8, 2)), ["none", "bone"])
        >>> len(figure.axes)  # The image, two maps, the colour bar.
        4
    """
    norm = _normalize(value_range or (float(np.min(maps)), float(np.max(maps))))
    figure, axes = _make_row(1 + len(class_names))
    _show_image(axes[0], image, "image")
    for index, (axis, name) in enumerate(zip(axes[1:], class_names, strict=True)):
        title = name if probabilities is None else f"{name}: {probabilities[index]:.3f}"
        _show_overlay(axis, image, maps[..., index], norm, title)
    _add_color_bar(figure, axes, norm)
    return figure


def plot_overlay(
    image: np.ndarray, class_map: np.ndarray, title: str, value_range: tuple[float, float]
) -> Figure:
    """Show one class's map `(H, W)` over the grey image, with a colour bar in logits."""
    norm = _normalize(value_range)
    figure, axes = _make_row(1)
    _show_overlay(axes[0], image, class_map, norm, title)
    _add_color_bar(figure, axes, norm)
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
        value_range: Lowest and highest value of the colour scale, in logits.

    Returns:
        A matplotlib `Figure`.
    """
    norm = _normalize(value_range)
    figure, axes = _make_row(2 + len(scale_maps))
    _show_image(axes[0], image, "image")
    _show_overlay(axes[1], image, class_map, norm, "all scales")
    rows = zip(axes[2:], scale_maps, relevance, contributions, strict=True)
    for scale, (axis, scale_map, h, contribution) in enumerate(rows, start=1):
        label = f"scale {scale}: h = {h:.2f}, {contribution:+.2f}"
        _show_overlay(axis, image, scale_map, norm, label)
    _add_color_bar(figure, axes, norm)
    figure.suptitle(title, fontsize=10)
    return figure


def plot_sheet(
    images: Sequence[np.ndarray],
    class_maps: Sequence[np.ndarray],
    titles: Sequence[str],
    value_range: tuple[float, float],
    columns: int = 6,
) -> Figure:
    """Show many images, each beside its overlay, on one colour scale."""
    norm = _normalize(value_range)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    size = (_SIDE * 0.75 * 2 * columns + 1, _SIDE * 0.85 * rows)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, 2 * columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    pairs = axes.reshape(-1, 2)
    for pair, image, class_map, title in zip(pairs, images, class_maps, titles, strict=False):
        _show_image(pair[0], image, "")
        _show_overlay(pair[1], image, class_map, norm, title)
    _add_color_bar(figure, axes, norm)
    return figure


def plot_relevance(relevance: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Show the relevance `(B, C)` of each scale, a group of bars per class."""
    num_scales = len(relevance)
    figure = Figure(figsize=(2 + 1.1 * len(class_names), 3), layout="constrained")
    axis = figure.subplots()
    positions = np.arange(len(class_names))
    for scale, row in enumerate(relevance):
        offset = (scale - (num_scales - 1) / 2) * 0.8 / num_scales
        bars = axis.bar(positions + offset, row, 0.8 / num_scales, label=f"scale {scale + 1}")
        axis.bar_label(bars, fmt="%.2f", fontsize=7)
    axis.axhline(1 / num_scales, color="grey", linewidth=0.8, linestyle=":")
    axis.set_xticks(positions, class_names)
    axis.set_ylabel("relevance h")
    axis.set_ylim(0, max(1.0, float(relevance.max()) * 1.1))
    figure.legend(loc="outside right upper", fontsize=8)
    return figure


def plot_confusion_matrix(confusion: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Show counts `(C, C)`, coloured by the share of each true class."""
    side = 2 + 0.7 * len(class_names)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axis = figure.subplots()
    shares = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    picture = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(confusion):
        color = "white" if shares[row, column] > 0.5 else "black"
        text = f"{count}\n{shares[row, column]:.0%}"
        axis.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    axis.set_xticks(range(len(class_names)), class_names, rotation=45, ha="right")
    axis.set_yticks(range(len(class_names)), class_names)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    figure.colorbar(picture, ax=axis, label="share of the true class", shrink=0.8)
    return figure


def plot_history(history_file: str | Path) -> Figure:
    """Show the training curves of a run's `history.csv`: loss, accuracy, relevance."""
    history = _read_history(Path(history_file))
    relevance = [name for name in history if name.startswith("relevance_scale")]
    figure = Figure(figsize=(5.0 * (3 if relevance else 2), 3.2), layout="constrained")
    axes = figure.subplots(1, 3 if relevance else 2)
    for axis, names in zip(
        axes, (["loss", "val_loss"], ["accuracy", "val_accuracy"]), strict=False
    ):
        _plot_curves(axis, history, names)
        axis.set_ylabel(names[0])
    best = int(np.argmin(history["val_loss"]))
    axes[0].axvline(history["epoch"][best] + 1, color="grey", linestyle=":", linewidth=0.8)
    axes[0].set_yscale("log")
    axes[1].set_ylim(0, 1.02)
    if relevance:
        _plot_curves(axes[2], history, relevance, prefix="relevance_")
        axes[2].set_ylabel("relevance h")
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
        axes[0].set_title(title, fontsize=8, loc="left")
        for axis in axes:
            axis.axis("off")
        for axis, image in zip(axes, images, strict=False):
            deviations = (image - image.mean()) / (image.std() + 1e-6)
            axis.imshow(deviations, cmap="gray", vmin=-_DEVIATIONS, vmax=_DEVIATIONS)
    return figure


def plot_sizes(sizes: np.ndarray, thresholds: Sequence[float] = ()) -> Figure:
    """Show a histogram of the images' sizes, and the thresholds that cut it into classes.

    Args:
        sizes: `(n,)`; 0 where an image has no object, which is counted in the title only.
        thresholds: Rising. The title counts the images between them.

    Returns:
        A matplotlib `Figure`. The axis of sizes is logarithmic where they span more than 1:10.
    """
    found = np.asarray(sizes)[np.asarray(sizes) > 0]
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axis = figure.subplots()
    low, high = (found.min(), found.max()) if len(found) else (1.0, 1.0)
    wide = high > 10 * low
    space = np.geomspace if wide else np.linspace
    axis.hist(found, bins=space(low, max(high, low * 1.001), 41).tolist(), color="tab:blue")
    if wide:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter("{x:g}")
    for threshold in thresholds:
        axis.axvline(threshold, color="tab:red", linestyle="--", linewidth=1)
    counts = np.bincount(
        np.searchsorted(thresholds, found, side="right"), minlength=len(thresholds) + 1
    )
    parts = [f"scale{scale}: {count}" for scale, count in enumerate(counts.tolist(), start=1)]
    axis.set_title(", ".join([f"none: {len(sizes) - len(found)}", *parts]), fontsize=9)
    cuts = ", ".join(format_size(threshold, 5) for threshold in thresholds)
    axis.set_xlabel(f"size (cut at {cuts})" if cuts else "size")
    axis.set_ylabel("images")
    return figure


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with write_whole(path) as partial:
        figure.savefig(partial, format="png", dpi=110)


def _plot_curves(
    axis: Axes, history: dict[str, np.ndarray], names: Sequence[str], prefix: str = ""
) -> None:
    for name in names:
        label = name.removeprefix(prefix).replace("_", " ")
        axis.plot(history["epoch"] + 1, history[name], marker=".", markersize=3, label=label)
    axis.set_xlabel("epoch")
    axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))


def _read_history(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def _make_row(panels: int) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(_SIDE * panels + 0.9, _SIDE + 0.5), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for axis in axes:
        axis.set_axis_off()
    return figure, axes


def _normalize(value_range: tuple[float, float]) -> Normalize:
    low, high = value_range
    return Normalize(low, high if high > low else low + 1e-6, clip=True)


def _show_image(axis: Axes, image: np.ndarray, title: str) -> None:
    grey = np.asarray(image).reshape(image.shape[:2])
    low, high = np.percentile(grey, [0.5, 99.5])  # Display only: radiographs are often flat.
    axis.imshow(grey, cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
    axis.set_title(title, fontsize=8)


def _show_overlay(
    axis: Axes, image: np.ndarray, class_map: np.ndarray, norm: Normalize, title: str
) -> None:
    _show_image(axis, image, title)
    axis.imshow(
        class_map,
        cmap=COLOR_MAP,
        norm=norm,
        alpha=_ALPHA,
        extent=(-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5),
    )


def _add_color_bar(figure: Figure, axes: Any, norm: Normalize) -> None:
    mappable = ScalarMappable(norm=norm, cmap=COLOR_MAP)
    figure.colorbar(mappable, ax=axes, label=_UNIT, fraction=0.05, extend="both", shrink=0.85)
