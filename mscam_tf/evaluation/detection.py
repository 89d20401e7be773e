"""Probability of detection of a run: how small an object it finds, and how often it cries wolf."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mscam_tf.data.manifests import Manifest
from mscam_tf.errors import MscamError, RunError
from mscam_tf.evaluation.hits import Hit, Hits, find_hits
from mscam_tf.evaluation.objects import PIXELS, TrueObject, read_objects
from mscam_tf.evaluation.rates import Rate
from mscam_tf.files import write_json, write_table
from mscam_tf.folders import write_whole_folder
from mscam_tf.metrics import DetectionCurve, clopper_pearson, fit_detection
from mscam_tf.outputs import Kind, claim
from mscam_tf.runs import (
    OperatingPoint,
    Run,
    Session,
    find_run,
    has_verdict,
    open_session,
    read_operating_point,
)
from mscam_tf.settings import Choice

HITS = ("image", "mark")
ALL = "all objects"
_FEW_SIZES, _BINS = 12, 8
_FOLDER = Kind(
    "a probability of detection",
    "pod.json",
    keys=("hit", "size", "curves"),
    entries=("pod.json", "pod.png", "hits.csv"),
)


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
    """

    detections: tuple[Detection, ...]
    models: tuple[DetectionCurve, ...]
    false_rejects: Rate | None
    false_marks: Rate | None
    size: str
    unit: str
    hit: str

    @property
    def label(self) -> str:
        """The size with its unit."""
        return f"{self.size.removesuffix('_mm')} ({self.unit})" if self.unit else self.size


def measure_detection(
    run: Run | Session,
    manifest: Manifest,
    folder: str | Path,
    *,
    objects: str | Path | None = None,
    size: str | None = None,
    hit: str = "image",
    by: str | None = None,
    pixel_pitch: float | None = None,
    link: str = "logit",
    log: bool = True,
    skip_bad: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> DetectionReport:
    """Measure how small an object a run finds at its operating point; write curves and hits.

    It writes `pod.json`, `hits.csv` with a row an object, and `pod.png`.

    Args:
        run: A finished run, or a session of it.
        manifest: Images with objects, and good ones, none of them trained on.
        folder: Where to write.
        objects: A table of the objects, see `read_objects`.
        size: The column of sizes, or `side`, `width`, `length` or `area` of an object's box; by
            default `diameter` where the table has it, else `width`.
        hit: What counts as found: an object whose `image` is rejected, of several in it the
            largest; or one with a `mark` on it.
        by: A column by which curves are fitted too, such as `label` or `material`.
        pixel_pitch: Size of a pixel in mm, for sizes in pixels.
        link: `logit` or `probit`.
        log: Whether the curve is one of the logarithm of the size.
        skip_bad: Leave out images that cannot be read.
        overwrite: Replace what an earlier call wrote in the folder.
        on_progress: Called with 1 after each image.

    Returns:
        The `DetectionReport`.

    Raises:
        MscamError: If an argument is none of its choices, or there are no objects.
        RunError: If the run has no operating point, or does not know which images are good.
        ImageError: If images cannot be read: all of them are named at once.
        OutputError: If the folder holds something else.
    """
    choice = Choice(HITS)
    if not choice.accepts(hit):
        raise MscamError(f"`hit` must be {choice}. Received: hit={hit!r}")
    if pixel_pitch is not None and not pixel_pitch > 0:
        raise MscamError(f"`pixel_pitch` must be above 0. Received: pixel_pitch={pixel_pitch}")
    folder = Path(folder)
    claim(folder, _FOLDER, overwrite=overwrite, inputs=manifest.paths)
    point = _read_point(find_run(run))
    truth = read_objects(manifest, objects)
    size, by = size or _choose_size(truth), by
    session = open_session(run, scale_maps=point.scale != "sum")
    found = find_hits(session, manifest, truth, point, skip_bad=skip_bad, on_progress=on_progress)
    report = _report(found, size, hit, by, pixel_pitch, link, log)
    with write_whole_folder(folder, _FOLDER.entries) as partial:
        _write(report, found, point, partial)
    return report


def _read_point(run: Run) -> OperatingPoint:
    point = read_operating_point(run)
    if point is None or not has_verdict(run.task, point):
        raise RunError(
            "Probability of detection is one at an operating point: choose one with `mscam "
            f"calibrate`, and the class of good images with --good. Received: {run.folder}"
        )
    return point


def _choose_size(truth: dict[str, list[TrueObject]]) -> str:
    first = next(one for several in truth.values() for one in several)
    return "diameter" if "diameter" in first.cells else "width"


def _report(
    found: Hits,
    size: str,
    hit: str,
    by: str | None,
    pixel_pitch: float | None,
    link: str,
    log: bool,
) -> DetectionReport:
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
    kinds = ((other, scale) for other in ("logit", "probit") for scale in (True, False))
    models = [_fit("", sizes, hits, other, scale).curve for other, scale in kinds]
    return DetectionReport(
        tuple(every),
        tuple(model for model in models if model is not None),
        found.false_rejects,
        found.false_marks,
        size,
        "mm" if is_mm else "px" if in_pixels else "",
        hit,
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


def _write(report: DetectionReport, found: Hits, point: OperatingPoint, folder: Path) -> None:
    from mscam_tf.plots import plot_detection, save_figure

    hits = [
        {
            "path": one.path,
            "size": one.object.measure(report.size),
            "rejected": int(one.rejected),
            "marked": int(one.marked),
            "label": one.object.box.label,
        }
        for one in found.objects
    ]
    write_table(folder / "hits.csv", hits)
    rates = {"false_rejects": report.false_rejects, "false_marks": report.false_marks}
    write_json(
        folder / "pod.json",
        {
            "hit": report.hit,
            "size": report.size,
            "unit": report.unit,
            "decision_threshold": point.decision_threshold,
            "map_thresholds": point.map_thresholds,
            **{name: rate and rate.to_json() for name, rate in rates.items()},
            "curves": [_describe(one) for one in report.detections],
            "models": [describe_curve(curve) for curve in report.models],
        },
    )
    curves = {one.name: (one.sizes, one.hits, one.curve) for one in report.detections}
    save_figure(plot_detection(curves, report.label), folder / "pod.png")


def _describe(one: Detection) -> dict[str, Any]:
    counts = {"name": one.name, "n": len(one.hits), "found": int(one.hits.sum())}
    curve = {"reason": one.reason} if one.curve is None else describe_curve(one.curve)
    return counts | curve | {"by_size": one.count_by_size()}


def describe_curve(curve: DetectionCurve) -> dict[str, Any]:
    """Return the figures of a curve: what it is, `a50`, `a90`, `a90_95`, and how well it fits."""
    sizes = {"a50": curve.find_size(0.5), "a90": curve.find_size(), "a90_95": curve.bound_size()}
    numbers = sizes | {"misfit": curve.misfit, "log_likelihood": curve.log_likelihood}
    return {
        "link": curve.link,
        "log": curve.log,
        "penalized": curve.penalized,
        "intercept": curve.intercept,
        "slope": curve.slope,
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
    }
