"""Probability of detection of a run: how small an object it finds, and how often it cries wolf."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mscam_tf.data.manifests import Manifest
from mscam_tf.errors import MscamError, RunError
from mscam_tf.evaluation.curves import (
    LINKS,
    Detection,
    DetectionReport,
    describe_curve,
    make_report,
)
from mscam_tf.evaluation.hits import Hits, find_hits
from mscam_tf.evaluation.marked_images import choose_findings
from mscam_tf.evaluation.objects import TrueObject, read_objects
from mscam_tf.files import write_json, write_table
from mscam_tf.folders import write_whole_folder
from mscam_tf.names import show_place
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
from mscam_tf.settings import Choice, check_value, is_finite

HITS = ("image", "mark")
_FOLDER = Kind(
    "a probability of detection",
    "pod.json",
    keys=("hit", "size", "curves"),
    entries=("pod.json", "pod.png", "hits.csv"),
)


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
        ManifestError: If a label denies what is marked.
        ImageError: If images cannot be read: all of them are named at once.
        OutputError: If the folder holds something else.
    """
    check_value("hit", hit, Choice(HITS))
    check_value("link", link, Choice(LINKS))
    if pixel_pitch is not None and not (is_finite(pixel_pitch) and pixel_pitch > 0):
        raise MscamError(
            f"`pixel_pitch` must be a number above 0. Received: pixel_pitch={pixel_pitch}"
        )
    folder = Path(folder)
    claim(folder, _FOLDER, overwrite=overwrite, inputs=manifest.paths)
    point = _read_point(find_run(run))
    findings = choose_findings(find_run(run).task, manifest)
    truth = read_objects(
        manifest, objects, findings=findings, good=point.good, read=find_run(run).config.read
    )
    size = size or _choose_size(truth)
    _check_columns(truth, size, by)
    with write_whole_folder(folder, _FOLDER.entries) as partial:
        session = open_session(run, scale_maps=point.needs_scale_maps)
        found = find_hits(
            session, manifest, truth, point, skip_bad=skip_bad, on_progress=on_progress
        )
        report = make_report(found, size, hit, by, pixel_pitch, link, log)
        _write(report, found, point, partial)
    return report


def _read_point(run: Run) -> OperatingPoint:
    point = read_operating_point(run)
    if point is None or not has_verdict(run.task, point):
        raise RunError(
            "Probability of detection is one at an operating point: choose one with `mscam "
            "calibrate`, and the class of good images with --good. "
            f"Received: {show_place(run.folder)}"
        )
    return point


def _choose_size(truth: dict[str, list[TrueObject]]) -> str:
    first = next(one for several in truth.values() for one in several)
    return "diameter" if "diameter" in first.cells else "width"


def _check_columns(truth: dict[str, list[TrueObject]], size: str, by: str | None) -> None:
    """Refuse columns that objects lack before images are looked at."""
    for one in (one for several in truth.values() for one in several):
        one.measure(size)
        if by is not None:
            one.name(by)


def _write(report: DetectionReport, found: Hits, point: OperatingPoint, folder: Path) -> None:
    from mscam_tf.plots import plot_detection, save_figure

    hits = [
        {
            "path": one.path,
            "size": one.object.measure(report.size),
            "rejected": int(one.rejected),
            "marked": int(one.marked),
            "label": one.object.label,
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
            "unmarked": report.unmarked,
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
