"""Regions as rows of a table, in the pixels of the image's file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from math import sqrt
from operator import attrgetter

from mscam_tf.data.manifests import Box
from mscam_tf.localization.regions import Region
from mscam_tf.runs import Explanation

REGION_COLUMNS = (
    *("path", "label", "number", "score", "share", "scale"),
    *("x_min", "y_min", "x_max", "y_max", "center_x", "center_y", "peak_x", "peak_y"),
    *("area", "size"),
)


def make_rows(explanation: Explanation, regions: Sequence[Region]) -> Iterator[dict[str, object]]:
    """Make a row of each region, in the pixels of the image's file.

    The model sees images of one size: places and sizes are enlarged to that of the file. The table
    has the columns of a `boxes.csv`, so that `mscam_tf.read_boxes` reads it.

    Args:
        explanation: What the regions are of.
        regions: From `list_regions`: those of each class in turn.

    Returns:
        Rows with `REGION_COLUMNS`; `number` counts the regions of a class from 1.
    """
    across, down = _find_ratios(explanation)
    for _, of_class in groupby(regions, attrgetter("label")):
        for number, region in enumerate(of_class, start=1):
            box = place_box(explanation, region)
            places = {"center": region.center, "peak": region.peak}
            yield {
                "path": str(explanation.path),
                "label": region.label,
                "number": number,
                "score": f"{region.score:.4f}",
                "share": "" if region.share is None else f"{region.share:.6f}",
                "scale": "" if region.scale is None else region.scale,
                **{
                    name: _trim(getattr(box, name)) for name in ("x_min", "y_min", "x_max", "y_max")
                },
                **{f"{name}_x": _trim(x * across) for name, (x, _) in places.items()},
                **{f"{name}_y": _trim(y * down) for name, (_, y) in places.items()},
                "area": _trim(region.area * across * down),
                "size": _trim(region.size * sqrt(across * down)),
            }


def describe_regions(
    explanation: Explanation, regions: Sequence[Region], most: int | None = None
) -> list[str]:
    """Say in a line each what the regions of the predicted class are.

    Args:
        explanation: What the regions are of.
        regions: From `list_regions`.
        most: How many regions have a line; by default all.
    """
    name = explanation.class_names[explanation.predicted]
    rows = [row for row in make_rows(explanation, regions) if row["label"] == name]
    lines = [_describe_row(row) for row in rows[:most]]
    left_out = len(rows) - len(lines)
    if left_out:
        lines.append(f"and {left_out} more region{'s' if left_out > 1 else ''}")
    return lines or [f"no region of {name}"]


def _describe_row(row: dict[str, object]) -> str:
    x, y, size = (float(str(row[name])) for name in ("center_x", "center_y", "size"))
    score = float(str(row["score"]))
    line = f"region {row['number']} at ({x:.1f}, {y:.1f}), {size:.1f} px: score {score:.2f}"
    if row["share"] == "":
        return line
    return f"{line}, adds {float(str(row['share'])):.2f}, most of it from scale {row['scale']}"


def place_box(explanation: Explanation, region: Region) -> Box:
    """Return a region's box in the pixels of the image's file, with the region's label."""
    across, down = _find_ratios(explanation)
    box = region.box
    return replace(
        box,
        x_min=box.x_min * across,
        x_max=box.x_max * across,
        y_min=box.y_min * down,
        y_max=box.y_max * down,
        label=region.label,
    )


def _find_ratios(explanation: Explanation) -> tuple[float, float]:
    """Return how much larger the image is in its file, across and down."""
    height, width = explanation.image.shape[:2]
    rows, columns = explanation.source_size or (height, width)
    return columns / width, rows / height


def _trim(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
