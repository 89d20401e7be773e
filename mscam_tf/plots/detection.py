"""Pictures of the probability of detection: curves with bounds, and the hits they come from."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mscam_tf.metrics import DetectionCurve
from mscam_tf.plots.canvas import fit_label

_COLUMNS = 3
_PLACES = 60  # At which bounds are drawn.
_SPREAD = 0.03  # Of the hits, so that those of one size are seen apart.


def plot_detection(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, DetectionCurve | None]], label: str
) -> Figure:
    """Show the probability of detection against size, a panel for each set of objects.

    The line is the curve, the band reaches from the lower to the upper bound, each at a confidence
    of 95 %. Each object is a dot: above if it was found, below if it was missed. Grey lines mark
    `a90` (dotted) and `a90/95` (dashed) where objects of such sizes were tried; elsewhere the
    legend says that they lie beyond.

    Args:
        curves: For each name the sizes `(n,)`, the hits `(n,)` and the curve, if there is one.
        label: Of the axis of sizes.
    """
    columns = min(_COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    size = (1.0 + 4.0 * columns, 3.4 * rows)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, (name, (sizes, hits, curve)) in zip(axes, curves.items(), strict=False):
        _draw_hits(axis, sizes, hits)
        if curve is not None:
            _draw_curve(axis, curve)
        axis.set_title(f"{fit_label(name)}: {int(hits.sum())} of {len(hits)} found", fontsize=9)
        axis.set_xlabel(fit_label(label))
        axis.set_ylabel("probability of detection")
        axis.set_ylim(-0.08, 1.08)
    for axis in axes[len(curves) :]:
        axis.set_axis_off()
    return figure


def _draw_hits(axis: Axes, sizes: np.ndarray, hits: np.ndarray) -> None:
    spread = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(sizes))
    heights = np.where(hits, 1.04, -0.04) + spread
    axis.scatter(sizes, heights, s=7, color="black", alpha=0.35, linewidths=0)


def _draw_curve(axis: Axes, curve: DetectionCurve) -> None:
    low, high = curve.sizes.min(), curve.sizes.max()
    space = np.geomspace if curve.log else np.linspace
    places = space(low, high, _PLACES)
    if curve.log:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
    lower, upper = (curve.bound(places, side=side) for side in ("lower", "upper"))
    axis.fill_between(places, lower, upper, color="tab:blue", alpha=0.2, linewidth=0)
    axis.plot(places, curve.estimate(places), color="tab:blue")
    axis.axhline(0.9, color="grey", linewidth=0.6)
    for figure, style in (("a90", ":"), ("a90_95", "--")):
        size, name = curve.figures[figure], figure.replace("_", "/")
        text = curve.show_size(size)
        if curve.is_tried(size):
            axis.axvline(size, color="grey", linewidth=1, linestyle=style, label=f"{name} = {text}")
        else:
            axis.plot([], [], color="none", label=f"{name} {text}")
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="center right", fontsize=8)
