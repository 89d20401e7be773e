"""Regions as rows of a table, in the pixels of the image's file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from math import sqrt
from operator import attrgetter
from typing import Any

from mscam_tf.data.manifests import Box
from mscam_tf.localization.regions import Region
from mscam_tf.runs import Explanation

REGION_COLUMNS = (
    *("path", "label", "number", "score", "share", "scale"),
    *("x_min", "y_min", "x_max", "y_max", "center_x", "center_y", "peak_x", "peak_y"),
    *("area", "size"),
)
_DIGITS = {"score": 4, "share": 6}


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
    for row in tabulate_regions(regions, _find_ratios(explanation)):
        texts = {name: _write(name, value) for name, value in row.items()}
        yield {"path": str(explanation.path), **texts}


def tabulate_regions(
    regions: Sequence[Region], ratios: tuple[float, float] = (1.0, 1.0)
) -> Iterator[dict[str, Any]]:
    """Make a row of numbers of each region.

    Args:
        regions: Those of each class in turn.
        ratios: How much larger the image is in its file than the map, across and down.

    Returns:
        Rows with `REGION_COLUMNS` but the path, in the pixels of the file.
    """
    across, down = ratios
    for _, of_class in groupby(regions, attrgetter("label")):
        for number, region in enumerate(of_class, start=1):
            box = _enlarge(region, ratios)
            places = {"center": region.center, "peak": region.peak}
            yield {
                "label": region.label,
                "number": number,
                "score": region.score,
                "share": region.share,
                "scale": region.scale,
                **{name: getattr(box, name) for name in ("x_min", "y_min", "x_max", "y_max")},
                **{f"{name}_x": x * across for name, (x, _) in places.items()},
                **{f"{name}_y": y * down for name, (_, y) in places.items()},
                "area": region.area * across * down,
                "size": region.size * sqrt(across * down),
            }


def _write(name: str, value: Any) -> Any:
    """Return a value of a row as it stands in a CSV file."""
    if value is None:
        return ""
    if name in _DIGITS:
        return f"{value:.{_DIGITS[name]}f}"
    return value if name in ("label", "number", "scale") else _trim(value)


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
    return _enlarge(region, _find_ratios(explanation))


def _enlarge(region: Region, ratios: tuple[float, float]) -> Box:
    (across, down), box = ratios, region.box
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
