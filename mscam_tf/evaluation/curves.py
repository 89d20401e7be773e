"""What a probability of detection says: counts, curves, and the rate of false rejects."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.evaluation.hits import Hit, Hits
from mscam_tf.evaluation.objects import PIXELS
from mscam_tf.evaluation.rates import Rate
from mscam_tf.metrics import DetectionCurve, clopper_pearson, fit_detection

ALL = "all objects"
LINKS = ("logit", "probit")
_FEW_SIZES, _BINS = 12, 8


@dataclass(frozen=True)
class Detection:
    """How often objects are found.

    Attributes:
        name: Which objects.
        sizes: Of each, `(n,)`.
        hits: Whether each was found, `(n,)`.
        curve: Probability of detection against size, or `None` where none can be fitted.
        reason: Why there is none.
    """

    name: str
    sizes: np.ndarray
    hits: np.ndarray
    curve: DetectionCurve | None
    reason: str = ""

    def count_by_size(self) -> list[dict[str, float]]:
        """Count hits by size: at each size where there are few, else in eight equal parts.

        Each row has the lowest and highest size, the objects `n`, how many were `found`, and
        `proven`: the rate that is proven at a confidence of 95 %, by Clopper and Pearson.
        """
        distinct = np.unique(self.sizes)
        if len(distinct) <= _FEW_SIZES:
            parts = [np.flatnonzero(self.sizes == size) for size in distinct]
        else:
            parts = np.array_split(np.argsort(self.sizes, kind="stable"), _BINS)
        return [self._count(part) for part in parts if len(part)]

    def _count(self, part: np.ndarray) -> dict[str, float]:
        sizes, found = self.sizes[part], int(self.hits[part].sum())
        proven = clopper_pearson(found, len(part), side="lower")[0]
        ends = {"from": round(float(sizes.min()), 6), "to": round(float(sizes.max()), 6)}
        return ends | {"n": len(part), "found": found, "proven": round(proven, 6)}


@dataclass(frozen=True)
class DetectionReport:
    """What `measure_detection` found.

    Attributes:
        detections: Of all objects, and of each group of them.
        models: The curves of all objects by link and scale of size: how much hangs on that choice.
        false_rejects: Of groups of good images at the same operating point; `None` without any.
        false_marks: Of the same groups, those with a mark.
        size: The column of sizes.
        unit: `px`, `mm` or empty.
        hit: What counts as found: `image` or `mark`.
        unmarked: How many objects are found by the verdict on their image, without a mark on them.
    """

    detections: tuple[Detection, ...]
    models: tuple[DetectionCurve, ...]
    false_rejects: Rate | None
    false_marks: Rate | None
    size: str
    unit: str
    hit: str
    unmarked: int

    @property
    def label(self) -> str:
        """The size with its unit."""
        return f"{self.size.removesuffix('_mm')} ({self.unit})" if self.unit else self.size


def make_report(
    found: Hits,
    size: str,
    hit: str,
    by: str | None,
    pixel_pitch: float | None,
    link: str,
    log: bool,
) -> DetectionReport:
    """Fit curves to hits: of all objects, and by a column; see `measure_detection`."""
    in_pixels = size in PIXELS
    factor = pixel_pitch if pixel_pitch is not None and in_pixels else 1.0
    is_mm = size.endswith("_mm") or (in_pixels and pixel_pitch is not None)
    rows = choose_rows(found.objects, size, hit)
    sizes = np.array([row.object.measure(size) * factor for row in rows])
    hits = np.array([row.rejected if hit == "image" else row.marked for row in rows], bool)
    names = np.array([row.object.name(by) for row in rows]) if by else np.array([])
    parts = [(ALL, np.ones(len(rows), bool))]
    parts += [(str(name), names == name) for name in np.unique(names)]
    every = [_fit(name, sizes[part], hits[part], link, log) for name, part in parts]
    kinds = ((other, scale) for other in LINKS for scale in (True, False))
    models = [_fit("", sizes, hits, other, scale).curve for other, scale in kinds]
    return DetectionReport(
        tuple(every),
        tuple(model for model in models if model is not None),
        found.false_rejects,
        found.false_marks,
        size,
        "mm" if is_mm else "px" if in_pixels else "",
        hit,
        sum(row.rejected and not row.marked for row in rows) if hit == "image" else 0,
    )


def choose_rows(objects: Sequence[Hit], size: str, hit: str) -> list[Hit]:
    """Return the objects that count: all for marks, and of each image the largest for images.

    The verdict on an image is one on all its objects, and most likely owed to the largest.
    """
    if hit == "mark":
        return list(objects)
    largest: dict[str, Hit] = {}
    for one in objects:
        other = largest.get(one.path)
        if other is None or one.object.measure(size) > other.object.measure(size):
            largest[one.path] = one
    return list(largest.values())


def _fit(name: str, sizes: np.ndarray, hits: np.ndarray, link: str, log: bool) -> Detection:
    try:
        return Detection(name, sizes, hits, fit_detection(sizes, hits, link, log=log))
    except MscamError as error:
        return Detection(name, sizes, hits, None, str(error))


def describe_curve(curve: DetectionCurve) -> dict[str, Any]:
    """Return the figures of a curve: what it is, `a50`, `a90`, `a90_95`, and how well it fits.

    `extrapolated` names those beyond the largest object that was tried, or below the smallest.
    """
    numbers = curve.figures | {"misfit": curve.misfit, "log_likelihood": curve.log_likelihood}
    return {
        "link": curve.link,
        "log": curve.log,
        "penalized": curve.penalized,
        "intercept": curve.intercept,
        "slope": curve.slope,
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
        "tried": [float(curve.sizes.min()), float(curve.sizes.max())],
        "extrapolated": [name for name, size in curve.figures.items() if not curve.is_tried(size)],
    }
