"""Explanations as files: overlays, per-scale maps, a sheet of them, and a table."""

import csv
from collections.abc import Callable, Sequence
from glob import escape
from pathlib import Path

from mscam_tf.data.manifests import check_box_format, check_upright
from mscam_tf.data.reading import Problem, write_problems
from mscam_tf.errors import MscamError
from mscam_tf.explanation.boxes import MarkedImage, write_image_boxes
from mscam_tf.explanation.explanations import check_paths
from mscam_tf.explanation.pictures import draw_explanation, draw_maps, draw_sheet
from mscam_tf.files import name_files, read_table, write_table
from mscam_tf.folders import write_whole_folder
from mscam_tf.localization import (
    REGION_COLUMNS,
    Region,
    choose_point,
    describe_shares,
    list_regions,
    make_rows,
)
from mscam_tf.outputs import Kind, claim
from mscam_tf.plots import plot_relevance, save_figure
from mscam_tf.runs import (
    Explanation,
    OperatingPoint,
    Run,
    Session,
    describe_verdict,
    find_run,
    keep_readable,
    open_session,
    read_operating_point,
)
from mscam_tf.settings import Number, check_value

_SHEET_IMAGES = 24
_PICTURES = "pictures"  # The column with what the names of an image's pictures begin with.
_TABLE = "explanations.csv"
_REGIONS = "regions.csv"
_BOXES = "boxes"
_MARKED = (".txt", ".xml")  # What labelling tools have an image's boxes in.
_KINDS = ("overlay", "scales", "maps")
_ENTRIES = (
    *(_TABLE, _REGIONS, "sheet.png", "relevance.png", "skipped.csv"),
    *(_BOXES, f"{_BOXES}.json", f"{_BOXES}/classes.txt"),
    *(f"{_BOXES}/*{suffix}" for suffix in _MARKED),
    *(f"*_{kind}.png" for kind in _KINDS),
)


def _find_entries(folder: Path) -> Sequence[str]:
    """Pictures and boxes are ours if the table names them; tables before 0.4 name none."""
    try:
        names = [row[_PICTURES] for row in read_table(folder / _TABLE)]
    except (OSError, KeyError, ValueError, csv.Error):
        return _ENTRIES
    plain = [entry for entry in _ENTRIES if "*" not in entry]
    pictures = [f"{escape(name)}_{kind}.png" for name in names for kind in _KINDS]
    boxes = [f"{_BOXES}/{escape(name)}{suffix}" for name in names for suffix in _MARKED]
    return (*plain, *pictures, *boxes)


EXPLANATION_FOLDER = Kind(
    "explanations",
    _TABLE,
    keys=("path", "predicted", "logit"),
    entries=_ENTRIES,
    find=_find_entries,
)


def write_explanations(
    run: Run | Session,
    paths: Sequence[Path],
    folder: str | Path,
    on_progress: Callable[[Explanation], None] | None = None,
    *,
    skip_bad: bool = False,
    overwrite: bool = False,
    flips: bool = False,
    threshold: float | None = None,
    box_format: str | None = None,
    on_regions: Callable[[Explanation, list[Region]], None] | None = None,
) -> None:
    """Explain images and write the pictures and the tables.

    For each image `NAME_overlay.png` (the predicted class's map, its regions outlined) and
    `NAME_scales.png` (its scales side by side), and of a run that knows several findings in one
    image `NAME_maps.png` (the map of each); for the first of them together `sheet.png`;
    `relevance.png`, `explanations.csv`, and `regions.csv` with the regions of all classes. All maps
    are on the run's one colour scale. The table says whether an image is rejected, if the run has
    an operating point and knows which images are good.

    Args:
        run: A finished run, or a session of it.
        paths: Image files.
        folder: Where to write, whole or not at all; created if missing.
        on_progress: Called with each explanation once its pictures are written.
        skip_bad: Leave out images that cannot be read, and list them in `skipped.csv`.
        overwrite: Replace the explanations that the folder holds, so that none of other images or
            of another run stay among the new ones. Other files stay.
        flips: Whether to average over each image's four mirror images.
        threshold: Where regions begin, in logits; by default at the run's operating point, or where
            it keeps none at even odds (`mscam_tf.localization.assume_point`).
        box_format: Write the boxes of the regions for labelling tools too: `"coco"` (`boxes.json`),
            or `"yolo"` or `"voc"` (a folder `boxes`).
        on_regions: Called with each explanation and its regions, as `on_progress` is.

    Raises:
        ImageError: If images cannot be read: all of them are named at once, and nothing is written.
        ManifestError: If boxes are to be written of an image that EXIF says is shown turned.
        MscamError: If the session was opened without the maps of each scale.
        RunError: If the folder holds something; with `overwrite`, if it is not known as one of
            explanations, or holds the images.
    """
    check_paths(paths)
    if threshold is not None:
        check_value("threshold", threshold, Number())
    if box_format is not None:
        check_box_format(box_format, paths)
        check_upright(paths)
    folder = Path(folder)
    claim(folder, EXPLANATION_FOLDER, overwrite=overwrite, inputs=paths)
    value_range = find_run(run).read_value_range()
    skipped: list[Problem] = []
    with write_whole_folder(folder, _find_entries) as partial:
        session = open_session(run, flips=flips)
        named = zip(name_files(paths), session.explain(paths), strict=True)
        readable = keep_readable(named, skipped, skip_bad=skip_bad)
        writer = _Writer(session, partial, value_range, threshold)
        for name, explanation in readable:
            regions = writer.add(name, explanation)
            if on_progress is not None:
                on_progress(explanation)
            if on_regions is not None:
                on_regions(explanation, regions)
        writer.finish()
        if box_format is not None:
            name = f"{_BOXES}.json" if box_format == "coco" else _BOXES
            write_image_boxes(writer.marked_images, partial / name, box_format)
        if skip_bad:
            write_problems(skipped, partial / "skipped.csv")


class _Writer:
    """Writes what is of one image at once, and keeps what is of all for the end."""

    def __init__(
        self,
        session: Session,
        folder: Path,
        value_range: tuple[float, float],
        threshold: float | None,
    ) -> None:
        self.session, self.folder, self.value_range = session, folder, value_range
        self.threshold = threshold
        self.kept = read_operating_point(session.run)
        self.marked: OperatingPoint | None = None
        self.sheet: list[Explanation] = []
        self.rows: list[dict[str, str]] = []
        self.region_rows: list[dict[str, object]] = []
        self.marked_images: list[MarkedImage] = []

    def add(self, name: str, explanation: Explanation) -> list[Region]:
        """Write the pictures of an image; return its regions."""
        _check_scales(explanation)
        task = self.session.task
        if self.marked is None:
            self.marked = choose_point(self.session, explanation, self.threshold)
        regions = list_regions(explanation, self.marked)
        figures = draw_explanation(explanation, regions, self.value_range)
        if not task.exclusive:
            figures["maps"] = draw_maps(explanation, regions, self.value_range)
        for kind, figure in figures.items():
            save_figure(figure, self.folder / f"{name}_{kind}.png")
        verdict = describe_verdict(task, explanation.logits, self.kept)
        self.rows.append(_make_row(explanation, regions, verdict) | {_PICTURES: name})
        self.region_rows += make_rows(explanation, regions)
        self.marked_images.append(MarkedImage.of(explanation, regions))
        self.sheet += [explanation] if len(self.sheet) < _SHEET_IMAGES else []
        return regions

    def finish(self) -> None:
        """Write what is of all images."""
        save_figure(draw_sheet(self.sheet, self.value_range), self.folder / "sheet.png")
        relevance = plot_relevance(self.session.engine.relevance, self.session.task.class_names)
        save_figure(relevance, self.folder / "relevance.png")
        write_table(self.folder / _REGIONS, self.region_rows, REGION_COLUMNS)
        write_table(self.folder / _TABLE, self.rows)


def _check_scales(explanation: Explanation) -> None:
    if not len(explanation.scale_maps):
        raise MscamError(
            "write_explanations draws each scale: open the session with scale_maps=True. "
            "Received: a session without them"
        )


def _make_row(
    explanation: Explanation, regions: Sequence[Region], verdict: dict[str, str]
) -> dict[str, str]:
    index = explanation.predicted
    row = {
        "path": str(explanation.path),
        "predicted": explanation.class_names[index],
        "probability": f"{explanation.probabilities[index]:.6f}",
        "logit": f"{explanation.logits[index]:.6f}",
    } | verdict
    for what in ("relevance", "contributions"):
        for scale, value in enumerate(getattr(explanation, what)[:, index], start=1):
            row[f"{what}_scale{scale}"] = f"{value:.6f}"
    name = explanation.class_names[index]
    return row | {
        "in_words": explanation.describe(),
        "in_regions": describe_shares(explanation, regions, name),
    }
