"""Free-response curves: which share of the objects is found, at how many false marks an image."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mscam_tf.plots.canvas import fit_label

_MOST = 5.0  # False marks an image: with more of them nobody looks at marks.
_BASELINES = {"middle": ":", "dark spots": "--", "bright spots": "-."}


def plot_free_response(
    curves: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
) -> Figure:
    """Show free-response curves, a panel for each range of sizes.

    Args:
        curves: For each range and each kind of map the rates of false marks an image, rising, and
            the shares of objects found at them, as from `FreeResponse.trace`. Maps that nobody
            learned (`middle`, `dark spots`, `bright spots`) are grey.

    Returns:
        A matplotlib `Figure`. The dotted line is at one false mark an image.
    """
    figure = Figure(figsize=(3.1 * len(curves) + 1.6, 3.3), layout="constrained")
    axes = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axis, (size, lines) in zip(axes, curves.items(), strict=True):
        _plot_lines(axis, lines)
        axis.set_title("all sizes" if size == "all" else f"{size} px", fontsize=9)
        axis.set_xlabel("false marks an image")
        axis.axvline(1, color="grey", linewidth=0.6, linestyle=":")
        axis.set_xlim(0, _MOST)
        axis.set_ylim(0, 1.02)
    axes[0].set_ylabel("share of objects found")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    return figure


def _plot_lines(axis: Axes, lines: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    for number, (name, (rates, shares)) in enumerate(lines.items()):
        style: dict[str, Any] = {"color": f"C{number}", "linewidth": 2.2 if number == 0 else 1.2}
        if name in _BASELINES:
            style = {
                "color": "grey",
                "linewidth": 1.2,
                "linestyle": _BASELINES[name],
            }
        # Beyond its last mark a map finds nothing more.
        x, y = np.append(rates, max(_MOST, rates[-1])), np.append(shares, shares[-1])
        axis.step(x, y, where="post", label=fit_label(name), **style)
