"""Score the maps of a run against masks and boxes, by the size of objects."""

from collections.abc import Callable, Sequence

import numpy as np

from mscam_tf.data.manifests import Manifest
from mscam_tf.errors import MscamError
from mscam_tf.evaluation.evidence import Evidence
from mscam_tf.evaluation.localized import (
    MARKED,
    THRESHOLDS,
    Localization,
    name_sizes,
    summarize,
    trace_curves,
)
from mscam_tf.evaluation.map_scores import MapScore, MapScores, Marked, score_map
from mscam_tf.evaluation.marked_images import MarkedImage, choose_findings, read_marked_images
from mscam_tf.localization import find_marks
from mscam_tf.metrics import hit_boxes
from mscam_tf.runs import (
    Explanation,
    OperatingPoint,
    Run,
    Session,
    keep_readable,
    open_session,
    read_operating_point,
)
from mscam_tf.settings import check_setting


def locate(
    run: Run | Session,
    manifest: Manifest,
    *,
    classes: Sequence[str] = (),
    good: str | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    resamples: int = 1000,
    flips: bool = False,
    skip_bad: bool = False,
    on_check: Callable[[int], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_resample: Callable[[int], None] | None = None,
) -> Localization:
    """Score the maps of a run against the objects that are marked in images.

    Scored are the multi-scale map, the same sharpened by the spots of the image
    (`mscam_tf.metrics.sharpen_maps`), the map of each scale, and three maps that nobody learned:
    the middle of the image, and dark and bright spots. Of each it is measured: whether the
    brightest pixel lies on an object (`pointing`, within 3 pixels), how well its values tell
    pixels of objects (`pxap`, in images with objects), how well boxes of its regions fit
    (`max_box_acc_v2`), and which share of the objects has a mark at one false mark an image, with
    one threshold for all images (`found`). If the run keeps an operating point, it is also
    measured what its marks find, and how many are false.

    Args:
        run: A finished run, or a session of it with scale maps.
        manifest: Images with masks or boxes, such as `select_samples(run, manifest, "test")`. Good
            images among them show how many false marks there are.
        classes: The classes whose maps count; by default all but the good one.
        good: The class of good images; by default `none`, if the run knows it.
        thresholds: Sides of objects in pixels of the file, between ranges of sizes.
        resamples: Bootstrap resamples for the intervals; groups are resampled whole.
        flips: Whether to average over each image's four mirror images.
        skip_bad: Leave out images that cannot be read.
        on_check: Called with 1 after the objects of each image are read.
        on_progress: Called with 1 after each image.
        on_resample: Called with 1 after each resample.

    Returns:
        A `Localization`.

    Raises:
        ImageError: If images or masks cannot be read: all of them are named at once.
        ManifestError: If nothing is marked, or a label denies what is.
        MscamError: If classes or thresholds are not of the kind, or the session has no scale maps.
    """
    check_setting("resamples", resamples)
    named = name_sizes(thresholds)
    session = open_session(run, flips=flips)
    evidence = Evidence(session.task, classes, good)
    manifest, objects, skipped = read_marked_images(
        manifest,
        session.image_size,
        session.read,
        good=evidence.good_class,
        findings=choose_findings(session.task, manifest),
        skip_bad=skip_bad,
        on_progress=on_check,
    )
    measured = _Measured(evidence, read_operating_point(session.run))
    items = zip(manifest.samples, objects, strict=True)
    pairs = zip(items, session.explain(manifest.paths), strict=True)
    groups = []
    for (sample, one), explanation in keep_readable(pairs, skipped, skip_bad=skip_bad):
        measured.add(explanation, one)
        groups.append(sample.group)
        if on_progress is not None:
            on_progress(1)
    tables = measured.tables
    return Localization(
        rows=summarize(
            {**tables, **measured.marked}, named, np.array(groups), resamples, on_resample
        ),
        curves=trace_curves(tables, named),
        num_images=len(groups),
        num_groups=len(set(groups)),
        prevalence=float(np.mean(measured.pixels)),
        skipped=skipped,
    )


class _Measured:
    """Scores the maps of one image after the other."""

    def __init__(self, evidence: Evidence, point: OperatingPoint | None) -> None:
        self.evidence, self.point = evidence, point
        self.scores: dict[str, list[MapScore]] = {}
        self.objects: list[MarkedImage] = []
        self.pixels: list[float] = []
        self.hits: list[np.ndarray] = []
        self.false: list[int] = []

    def add(self, explanation: Explanation, objects: MarkedImage) -> None:
        if not len(explanation.scale_maps):
            raise MscamError("The session must give the maps of each scale (scale_maps=True)")
        mask = objects.paint()
        for name, map_ in self.evidence.list_maps(explanation).items():
            self.scores.setdefault(name, []).append(score_map(map_, objects, mask))
        self.objects.append(objects)
        self.pixels += [float(mask.mean())] if objects.asked.any() else []
        if self.point is not None:
            hits = hit_boxes(find_marks(explanation, self.point), objects.corners)
            self.hits.append(np.any(hits, axis=0))
            self.false.append(int((~hits.any(1)).sum()))

    @property
    def tables(self) -> dict[str, MapScores]:
        """The scores of each kind of map."""
        return {name: MapScores(self.objects, scores) for name, scores in self.scores.items()}

    @property
    def marked(self) -> dict[str, Marked]:
        """What is marked at the operating point, if there is one."""
        if self.point is None:
            return {}
        return {MARKED: Marked(self.objects, np.concatenate(self.hits), np.array(self.false))}
