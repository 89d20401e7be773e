"""Draw explanations, all on one scale of colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mscam_tf.localization import Region
from mscam_tf.plots import plot_maps, plot_overlay, plot_scales, plot_sheet
from mscam_tf.runs import Explanation

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_explanation(
    explanation: Explanation, regions: Sequence[Region], value_range: tuple[float, float]
) -> "dict[str, Figure]":
    """Draw the predicted class's map with its regions, and its scales side by side."""
    index = explanation.predicted
    class_map = explanation.maps[..., index]
    shown = [region for region in regions if region.label == explanation.class_names[index]]
    overlay = plot_overlay(explanation.image, class_map, _title(explanation), value_range, shown)
    scales = plot_scales(
        explanation.image,
        class_map,
        explanation.scale_maps[..., index],
        explanation.relevance[:, index],
        explanation.contributions[:, index],
        f"{explanation.path.name}: {explanation.describe()}",
        value_range,
    )
    return {"overlay": overlay, "scales": scales}


def draw_maps(
    explanation: Explanation, regions: Sequence[Region], value_range: tuple[float, float]
) -> "Figure":
    """Draw the map of each class, with its regions."""
    return plot_maps(
        explanation.image,
        explanation.maps,
        explanation.class_names,
        value_range,
        explanation.probabilities,
        regions,
    )


def draw_sheet(explanations: Sequence[Explanation], value_range: tuple[float, float]) -> "Figure":
    """Draw many images, each beside the map of its predicted class."""
    return plot_sheet(
        [e.image for e in explanations],
        [e.maps[..., e.predicted] for e in explanations],
        [_title(e) for e in explanations],
        value_range,
    )


def _title(explanation: Explanation) -> str:
    index = explanation.predicted
    return f"{explanation.class_names[index]}: {explanation.probabilities[index]:.3f}"
