"""Explanations as files: overlays, per-scale maps, a sheet of them, and a table."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mscam_tf.data.reading import Problem, write_problems
from mscam_tf.errors import MscamError
from mscam_tf.explanation.explanations import check_paths
from mscam_tf.files import name_files, write_table
from mscam_tf.folders import write_whole_folder
from mscam_tf.outputs import Kind, claim
from mscam_tf.plots import (
    plot_maps,
    plot_overlay,
    plot_relevance,
    plot_scales,
    plot_sheet,
    save_figure,
)
from mscam_tf.runs import (
    Explanation,
    Run,
    Session,
    describe_verdict,
    find_run,
    keep_readable,
    open_session,
    read_operating_point,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHEET_IMAGES = 24
_TABLE = "explanations.csv"
EXPLANATION_FOLDER = Kind(
    "explanations",
    _TABLE,
    keys=("path", "predicted", "logit"),
    entries=(
        *(_TABLE, "sheet.png", "relevance.png", "skipped.csv"),
        *("*_overlay.png", "*_scales.png", "*_maps.png"),
    ),
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
) -> None:
    """Explain images and write the pictures and the table.

    For each image `NAME_overlay.png` (the predicted class's map) and `NAME_scales.png` (its
    scales side by side), and of a run that knows several findings in one image `NAME_maps.png`
    (the map of each); for the first of them together `sheet.png`; `relevance.png` and
    `explanations.csv`. All maps are on the run's one colour scale. The table says whether an image
    is rejected, if the run has an operating point and knows which images are good.

    Args:
        run: A finished run, or a session of it.
        paths: Image files.
        folder: Where to write, whole or not at all; created if missing.
        on_progress: Called with each explanation once its pictures are written.
        skip_bad: Leave out images that cannot be read, and list them in `skipped.csv`.
        overwrite: Replace the explanations that the folder holds, so that none of other images or
            of another run stay among the new ones. Other files stay.
        flips: Whether to average over each image's four mirror images.

    Raises:
        ImageError: If images cannot be read: all of them are named at once, and nothing is written.
        MscamError: If the session was opened without the maps of each scale.
        RunError: If the folder holds something; with `overwrite`, if it is not known as one of
            explanations, or holds the images.
    """
    check_paths(paths)
    folder = Path(folder)
    claim(folder, EXPLANATION_FOLDER, overwrite=overwrite, inputs=paths)
    value_range = find_run(run).read_value_range()
    session = open_session(run, flips=flips)
    skipped: list[Problem] = []
    with write_whole_folder(folder, EXPLANATION_FOLDER.entries) as partial:
        named = zip(name_files(paths), session.explain(paths), strict=True)
        readable = keep_readable(named, skipped, skip_bad=skip_bad)
        _write_all(session, readable, partial, value_range, on_progress)
        if skip_bad:
            write_problems(skipped, partial / "skipped.csv")


def _write_all(
    session: Session,
    named: Iterable[tuple[str, Explanation]],
    folder: Path,
    value_range: tuple[float, float],
    on_progress: Callable[[Explanation], None] | None,
) -> None:
    sheet: list[Explanation] = []
    rows = []
    point = read_operating_point(session.run)
    for name, explanation in named:
        _check_scales(explanation)
        _write_pictures(explanation, folder, name, value_range)
        if not session.task.exclusive:
            save_figure(_plot_all(explanation, value_range), folder / f"{name}_maps.png")
        verdict = describe_verdict(session.task, explanation.logits, point)
        rows.append(_make_row(explanation, verdict))
        sheet += [explanation] if len(sheet) < _SHEET_IMAGES else []
        if on_progress is not None:
            on_progress(explanation)
    save_figure(_make_sheet(sheet, value_range), folder / "sheet.png")
    save_figure(
        plot_relevance(session.engine.relevance, session.task.class_names), folder / "relevance.png"
    )
    write_table(folder / _TABLE, rows)


def _check_scales(explanation: Explanation) -> None:
    if not len(explanation.scale_maps):
        raise MscamError(
            "write_explanations draws each scale: open the session with scale_maps=True. "
            "Received: a session without them"
        )


def _write_pictures(
    explanation: Explanation, folder: Path, name: str, value_range: tuple[float, float]
) -> None:
    index = explanation.predicted
    class_map = explanation.maps[..., index]
    overlay = plot_overlay(explanation.image, class_map, _title(explanation), value_range)
    save_figure(overlay, folder / f"{name}_overlay.png")
    scales = plot_scales(
        explanation.image,
        class_map,
        explanation.scale_maps[..., index],
        explanation.relevance[:, index],
        explanation.contributions[:, index],
        f"{explanation.path.name}: {explanation.describe()}",
        value_range,
    )
    save_figure(scales, folder / f"{name}_scales.png")


def _plot_all(explanation: Explanation, value_range: tuple[float, float]) -> "Figure":
    return plot_maps(
        explanation.image,
        explanation.maps,
        explanation.class_names,
        value_range,
        explanation.probabilities,
    )


def _make_sheet(explanations: Sequence[Explanation], value_range: tuple[float, float]) -> "Figure":
    return plot_sheet(
        [e.image for e in explanations],
        [e.maps[..., e.predicted] for e in explanations],
        [_title(e) for e in explanations],
        value_range,
    )


def _title(explanation: Explanation) -> str:
    index = explanation.predicted
    return f"{explanation.class_names[index]}: {explanation.probabilities[index]:.3f}"


def _make_row(explanation: Explanation, verdict: dict[str, str]) -> dict[str, str]:
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
    return row | {"in_words": explanation.describe()}
