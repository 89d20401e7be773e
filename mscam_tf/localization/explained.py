"""The regions of an explanation: of every class, with what each adds to the logit."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from mscam_tf.errors import MscamError
from mscam_tf.localization.regions import Region, find_regions
from mscam_tf.localization.sizes import SPREAD, SPREAD_OF_SCALE, estimate_size, measure_around
from mscam_tf.runs import (
    SHARP,
    SUM,
    Explanation,
    OperatingPoint,
    Session,
    Task,
    describe_sum,
    find_good_class,
    read_operating_point,
)


def list_regions(
    explanation: Explanation, point: OperatingPoint, *, merge: float = 0.0
) -> list[Region]:
    """Find the regions of an explanation, and what each of them adds to the logit of its class.

    On the grid of its scale, a cell adds `h_b p_b M_b` to the logit, where `p_b` is one over the
    number of cells for heads that pool by the mean, or the weights of `mscam_tf.SoftPool`. A region
    has of each cell the share of its place in the image that it covers, over all scales. So the
    logit is the sum of its regions, the rest of the image and the biases: see `describe_shares`.

    Args:
        explanation: From a session with scale maps; without, the regions have no `scale` and
            `share`, and their `size` is their width at half height.
        point: Which maps are looked at, above which thresholds, and the least area: from
            `mscam_tf.runs.read_operating_point`, or `assume_point` where a run keeps none.
        merge: As for `mscam_tf.find_regions`.

    Returns:
        The regions of each class in turn, in the order of the point's thresholds, the one with the
        highest peak first.

    Raises:
        MscamError: If the point has other classes than the explanation, or a scale of which there
            are no maps.

    Examples:
        >>> from mscam_tf.runs import OperatingPoint
        >>> session = mscam_tf.open_session(mscam_tf.open_run("run"))  # doctest: +SKIP
        >>> for explanation in session.explain(paths):  # doctest: +SKIP
        ...     list_regions(explanation, OperatingPoint({"bone": 1.5}))
    """
    point.check_classes(explanation.class_names)
    maps = point.take_maps(explanation)
    options = {"minimum_area": point.minimum_area, "merge": merge}
    bases = _find_bases(explanation, point)
    found = []
    for name, threshold in point.map_thresholds.items():
        index = explanation.class_names.index(name)
        regions = find_regions(maps[..., index], threshold, **options)
        found += [
            replace(
                region,
                label=name,
                size=_estimate(explanation, maps[..., index], region, bases[index], point),
                **_explain(explanation, region, index),
            )
            for region in regions
        ]
    return found


def choose_point(
    session: Session, explanation: Explanation, threshold: float | None = None
) -> OperatingPoint:
    """Choose where regions of a run's maps begin: at its own operating point, if it keeps one.

    Args:
        session: The run.
        explanation: Any of its explanations, for a run that keeps none: see `assume_point`.
        threshold: For the maps of all classes but the good one, in logits, in the place of theirs.
    """
    point = read_operating_point(session.run) or assume_point(explanation, session.task)
    if threshold is None:
        return point
    return replace(point, map_thresholds=dict.fromkeys(point.map_thresholds, threshold))


def assume_point(explanation: Explanation, task: Task) -> OperatingPoint:
    """Make an operating point for a run that keeps none: a place is marked from even odds on.

    With several findings, that is where the place would have even odds by itself: if the map were
    everywhere as it is there, the logit would be 0. So the threshold is minus the biases of the
    heads. With one label the odds are those against the good class, if its map were 0; or, without
    one, against the mean of the classes' biases. A region has at least the area of a cell of the
    finest scale.

    Args:
        explanation: Of any image: the biases are what its logits have beside the contributions.
        task: What the logits mean.

    Examples:
        >>> point = assume_point(explanation, session.task)  # doctest: +SKIP
    """
    good = find_good_class(task)
    even = _find_even(explanation, good, exclusive=task.exclusive)
    named = zip(explanation.class_names, even.tolist(), strict=True)
    thresholds = {name: threshold for name, threshold in named if name != good}
    pixels = explanation.maps.shape[0] * explanation.maps.shape[1]
    cells = max((each[..., 0].size for each in explanation.cell_contributions), default=pixels)
    return OperatingPoint(thresholds, good=good, minimum_area=pixels / cells)


def _explain(explanation: Explanation, region: Region, class_index: int) -> dict[str, Any]:
    """Return what is known of a region by the cells of its scales: its scale and share."""
    if not explanation.cell_contributions:
        return {}
    shares = _share_logit(explanation, region, class_index)
    return {"scale": int(shares.argmax()) + 1, "share": float(shares.sum())}


def _find_bases(explanation: Explanation, point: OperatingPoint) -> list[float]:
    """Return from where on the maps of all classes are evidence, `(C,)`."""
    if point.scale != SUM:
        return [0.0] * len(explanation.class_names)
    even = _find_even(explanation, point.good, exclusive=_is_exclusive(explanation))
    return [float(value) for value in even]


def _estimate(
    explanation: Explanation, map_: np.ndarray, region: Region, base: float, point: OperatingPoint
) -> float:
    """Return the size of the object; without cells, the width of the region."""
    if not explanation.cell_contributions:
        return region.size
    stride = measure_stride(explanation, point.scale)
    if region.score <= base:
        return estimate_size(region.size, stride)
    # Where good images are as high, thresholds lie near the peaks, and regions are but tips.
    width = measure_around(map_ - base, region.box, region.peak)
    spreads = {SUM: SPREAD, SHARP: 0.0}
    return estimate_size(width, stride, spreads.get(str(point.scale), SPREAD_OF_SCALE))


def _find_even(explanation: Explanation, good: str | None, *, exclusive: bool) -> np.ndarray:
    """Return where a place of each map has even odds by itself, `(C,)`; see `assume_point`."""
    biases = explanation.logits - explanation.contributions.sum(0)
    if good is not None:
        against = biases[explanation.class_names.index(good)]
    else:
        against = biases.mean() if exclusive else 0.0
    return np.asarray(against - biases)


def _is_exclusive(explanation: Explanation) -> bool:
    """Whether the probabilities are a softmax of the logits, and not sigmoids of each."""
    odds = explanation.logits
    errors = [np.abs(explanation.probabilities - f(odds)).max() for f in (softmax, expit)]
    return bool(errors[0] < errors[1])


def measure_stride(explanation: Explanation, map_scale: int | str) -> float:
    """Return the pixels from one cell of a map to the next.

    Args:
        explanation: From a session with scale maps.
        map_scale: `scale` of an `OperatingPoint`; of the sum, its finest scale counts. Sharp maps
            have a value of their own in each pixel.
    """
    if map_scale == SHARP:
        return 1.0
    cells = explanation.cell_contributions[0 if isinstance(map_scale, str) else map_scale - 1]
    return sqrt(explanation.maps[..., 0].size / cells[..., 0].size)


def _share_logit(explanation: Explanation, region: Region, class_index: int) -> np.ndarray:
    """Return what a region adds to a logit on each scale, `(B,)`, in logits."""
    size = explanation.maps.shape[:2]
    cells = [each[..., class_index] for each in explanation.cell_contributions]
    return np.array([float(np.sum(each * _cover(region, each.shape, size))) for each in cells])


def describe_shares(explanation: Explanation, regions: Sequence[Region], class_name: str) -> str:
    """Say a class's logit as a sum over its regions, the rest of the image, and the biases.

    Args:
        explanation: What the regions are of.
        regions: From `list_regions`; those of other classes are left out.
        class_name: Whose logit.

    Raises:
        MscamError: If the regions have no shares.
    """
    index = explanation.class_names.index(class_name)
    found = [region.share for region in regions if region.label == class_name]
    shares = [share for share in found if share is not None]
    if len(shares) < len(found):
        raise MscamError(
            "`regions` must have shares, which they have from a session with scale maps. "
            f"Received: {len(found) - len(shares)} without"
        )
    logit = float(explanation.logits[index])
    whole = float(explanation.contributions[:, index].sum())
    terms = [(share, f"from region {number}") for number, share in enumerate(shares, start=1)]
    terms += [(whole - sum(shares), "from elsewhere"), (logit - whole, "bias")]
    return describe_sum(class_name, logit, terms)


def _cover(region: Region, grid: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return which share of each cell's place in the image a region covers, `(H_b, W_b)`."""
    rows, columns = region.slices
    down = _overlap(grid[0], size[0])[:, rows]
    across = _overlap(grid[1], size[1])[:, columns]
    return down @ region.mask @ across.T


def _overlap(cells: int, pixels: int) -> np.ndarray:
    """Return which share of each cell along an axis each pixel covers, `(cells, pixels)`."""
    starts, ends = np.arange(cells)[:, None] / cells, np.arange(1, cells + 1)[:, None] / cells
    first, last = np.arange(pixels) / pixels, np.arange(1, pixels + 1) / pixels
    shared = np.minimum(ends, last) - np.maximum(starts, first)
    return shared.clip(0) * cells
