"""Pictures of numbers: relevance, confusion, training curves, sizes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mscam_tf.data.labelling import format_size
from mscam_tf.files import read_table
from mscam_tf.plots.canvas import fit_label

_LINES, _COLUMNS = 20, 3  # Of a legend beside a picture.
_COLUMN = 2.6  # Inches.


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
    axis.set_xticks(positions, [fit_label(name) for name in class_names])
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
    names = [fit_label(name) for name in class_names]
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    figure.colorbar(picture, ax=axis, label="share of the true class", shrink=0.8)
    return figure


def plot_history(history_file: str | Path) -> Figure:
    """Show the training curves of a run's `history.csv`: loss, accuracy, relevance.

    A dotted line marks the epoch whose weights are kept. Values that are no numbers are left out.
    The legend names the first 60 curves.
    """
    history = _read_history(Path(history_file))
    relevance = [name for name in history if name.startswith("relevance_scale")]
    width = 5.0 * (3 if relevance else 2) + _COLUMN * (_count_columns(relevance) - 1)
    figure = Figure(figsize=(width, 3.2), layout="constrained")
    axes = figure.subplots(1, 3 if relevance else 2)
    for axis, names in zip(
        axes, (["loss", "val_loss"], ["accuracy", "val_accuracy"]), strict=False
    ):
        _plot_curves(axis, history, names)
        axis.set_ylabel(names[0])
    losses = history["val_loss"]
    if np.isfinite(losses).any():
        best = int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))
        axes[0].axvline(history["epoch"][best] + 1, color="grey", linestyle=":", linewidth=0.8)
    axes[0].set_yscale("log")
    axes[1].set_ylim(0, 1.02)
    if relevance:
        _plot_curves(axes[2], history, relevance, prefix="relevance_")
        axes[2].set_ylabel("relevance h")
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
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
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


def _plot_curves(
    axis: Axes, history: dict[str, np.ndarray], names: Sequence[str], prefix: str = ""
) -> None:
    for number, name in enumerate(names):
        # The first alone: others are of the name of a class.
        text = fit_label(name.removeprefix(prefix).replace("_", " ", 1))
        label = text if number < _LINES * _COLUMNS else None
        axis.plot(history["epoch"] + 1, history[name], marker=".", markersize=3, label=label)
    axis.set_xlabel("epoch")
    axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1), ncols=_count_columns(names))


def _count_columns(names: Sequence[str]) -> int:
    """Return how many columns a legend has: one that is longer than the picture is cut off."""
    return int(np.clip(-(-len(names) // _LINES), 1, _COLUMNS))


def _read_history(path: Path) -> dict[str, np.ndarray]:
    rows = read_table(path)
    return {name: np.array([_read_number(row[name]) for row in rows]) for name in rows[0]}


def _read_number(text: str | None) -> float:
    """Read a number; Keras writes `NA` where there is none."""
    try:
        value = float(text or "nan")
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan
