"""What maps are worth on objects of each range of sizes, with intervals, and as a curve."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from mscam_tf.data.reading import Problem
from mscam_tf.errors import MscamError
from mscam_tf.evaluation.map_scores import MapScores, Marked
from mscam_tf.metrics import bootstrap_intervals

THRESHOLDS = (12.5, 22.0)  # Pixels.
MARKED = "operating point"
Curve = tuple[np.ndarray, np.ndarray]
_Measure = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class LocatedRow:
    """What one kind of map is worth on objects of one range of sizes.

    Attributes:
        map: `sum`, `sharp`, `scale 1`, ..., `middle`, `dark spots`, `bright spots`, or
            `operating point`.
        size: The range, such as `< 12.5`; `all` are all sizes.
        images: Images whose largest object is of that size.
        objects: Objects of that size.
        scores: For each measure its value and the ends of its 95 % interval.
    """

    map: str
    size: str
    images: int
    objects: int
    scores: dict[str, tuple[float, float, float]]


@dataclass(frozen=True)
class Localization:
    """What the maps of a run are worth against masks and boxes.

    Attributes:
        rows: Of each kind of map and range of sizes.
        curves: For each range of sizes and kind of map, rates of false marks an image and the
            shares of objects found at them.
        num_images: How many images were scored.
        num_groups: How many groups they form, which the intervals count.
        prevalence: Share of the pixels of images with objects that are in objects: what `pxap` is
            by chance.
        skipped: Images that could not be read.
    """

    rows: list[LocatedRow]
    curves: dict[str, dict[str, Curve]]
    num_images: int
    num_groups: int
    prevalence: float
    skipped: list[Problem] = field(default_factory=list)


def name_sizes(thresholds: Sequence[float]) -> dict[str, tuple[float, float]]:
    """Name the ranges of sizes between thresholds, each with its limits, and all of them first.

    Raises:
        MscamError: If the thresholds do not rise, or are not above 0.

    Examples:
        >>> name_sizes([12.5, 22])
        {'all': (0.0, inf), '< 12.5': (0.0, 12.5), '12.5 to 22': (12.5, 22), '>= 22': (22, inf)}
    """
    edges = [0.0, *thresholds, np.inf]
    if not all(low < high for low, high in pairwise(edges)):
        raise MscamError(
            f"`thresholds` must be above 0 and rise. Received: thresholds={list(thresholds)}"
        )
    named: dict[str, tuple[float, float]] = {"all": (0.0, np.inf)}
    for low, high in pairwise(edges) if thresholds else ():
        name = f"< {high:g}" if low == 0 else f">= {low:g}" if high == np.inf else None
        named[name or f"{low:g} to {high:g}"] = (low, high)
    return named


def summarize(
    tables: Mapping[str, MapScores | Marked],
    sizes: Mapping[str, tuple[float, float]],
    groups: np.ndarray,
    resamples: int = 1000,
    on_resample: Callable[[int], None] | None = None,
) -> list[LocatedRow]:
    """Measure all maps on objects of all ranges of sizes, over the same resamples of groups."""
    measures = {
        (name, size, measure): partial(table.measure, measure, limits)
        for size, limits in sizes.items()
        for name, table in tables.items()
        for measure in table.measures
    }
    images = np.arange(len(groups))
    metrics = {"/".join(key): _take_rows(measure) for key, measure in measures.items()}
    intervals = bootstrap_intervals(
        metrics, images, images, groups, resamples, on_progress=on_resample
    )
    scores: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}
    for (name, size, measure), function in measures.items():
        value = (function(images), *intervals["/".join((name, size, measure))])
        scores.setdefault((name, size), {})[measure] = value
    return [
        LocatedRow(name, size, *tables[name].count(sizes[size]), found)
        for (name, size), found in scores.items()
    ]


def _take_rows(measure: _Measure) -> Callable[[np.ndarray, np.ndarray], float]:
    """Make a metric of a measure of chosen images."""
    return lambda rows, _: measure(rows)


def trace_curves(
    tables: Mapping[str, MapScores], sizes: Mapping[str, tuple[float, float]]
) -> dict[str, dict[str, Curve]]:
    """Return the free response of each map, for each range of sizes."""
    return {
        size: {name: table.response.trace(table.choose(limits)) for name, table in tables.items()}
        for size, limits in sizes.items()
    }
