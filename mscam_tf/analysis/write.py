"""An analysis as files: tables, pictures, and advice in words."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

from mscam_tf.analysis.advice import write_advice
from mscam_tf.analysis.collect import collect_confusions
from mscam_tf.analysis.confusions import OVERLAP_MEASURES, Confusion, ImageOverlap
from mscam_tf.analysis.ranking import rank_unlabelled
from mscam_tf.data.manifests import Manifest
from mscam_tf.data.reading import write_problems
from mscam_tf.files import name_files, write_table, write_text
from mscam_tf.folders import write_whole_folder
from mscam_tf.outputs import Kind, claim
from mscam_tf.plots import plot_confused_images, plot_overlaps, save_figure
from mscam_tf.runs import Run, Session

ANALYSIS_FOLDER = Kind(
    "an analysis",
    "confusions.csv",
    keys=("true", "predicted", "wrong", "of", "rate"),
    entries=(
        *("advice.md", "confusions.csv", "images.csv", "label_next.csv", "overlaps.png"),
        *("confusions", "confusions/*_as_*.png", "skipped.csv"),
    ),
)


def write_analysis(
    run: Run | Session,
    manifest: Manifest,
    folder: str | Path,
    *,
    unlabelled: Sequence[Path] = (),
    threshold: float | None = None,
    on_progress: Callable[[int], None] | None = None,
    skip_bad: bool = False,
) -> list[Confusion]:
    """Analyse which classes a run confuses, and write tables, pictures and advice.

    Writes `advice.md` (in words), `confusions.csv` (each pair: how often, and how much the two maps
    overlap on wrong and on right images), `images.csv` (each image), `overlaps.png`, and for each
    pair `confusions/TRUE_as_PREDICTED.png`: where both classes have evidence, on
    average and on the most certain errors. With unlabelled images also `label_next.csv`: which to
    label next. An earlier analysis in the folder is replaced.

    Args:
        run: A finished run, or a session of it.
        manifest: Labelled images that it was not trained on.
        folder: Where to write: a new folder, or that of an earlier analysis, in which other files
            stay.
        unlabelled: More images, without labels.
        threshold: As for `mscam_tf.measure_overlaps`.
        on_progress: Called with 1 after each image.
        skip_bad: Leave out images that cannot be read, and list them in `skipped.csv`.

    Returns:
        The confusions, the class that is confused most often first.

    Raises:
        ImageError: If images cannot be read.
        RunError: If the folder holds other files and no analysis, or the run tells several
            findings in one image.
    """
    folder = Path(folder)
    claim(folder, ANALYSIS_FOLDER, overwrite=True, inputs=[*manifest.paths, *unlabelled])
    with write_whole_folder(folder, ANALYSIS_FOLDER.entries) as partial:
        found = collect_confusions(
            run,
            manifest,
            unlabelled=unlabelled,
            threshold=threshold,
            on_progress=on_progress,
            skip_bad=skip_bad,
        )
        ranked = rank_unlabelled(found.unlabelled)
        if found.problems:
            write_problems(found.problems, partial / "skipped.csv")
        _write_tables(found.confusions, found.images, ranked, partial)
        _draw_confusions(found.confusions, found.sample.value_range, partial)
        advice = write_advice(len(found.images), found.confusions, ranked)
        write_text(partial / "advice.md", advice)
    return found.confusions


def _write_tables(
    confusions: Sequence[Confusion],
    images: Sequence[ImageOverlap],
    ranked: Sequence[ImageOverlap],
    folder: Path,
) -> None:
    write_table(folder / "images.csv", [_describe_image(image) for image in images])
    rows = [_describe_confusion(found) for found in confusions]
    write_table(folder / "confusions.csv", rows + _list_absent(confusions, images))
    if ranked:
        write_table(folder / "label_next.csv", [_describe_image(image) for image in ranked])


def _draw_confusions(
    confusions: Sequence[Confusion], value_range: tuple[float, float], folder: Path
) -> None:
    # Classes may be named with a slash, and two of them alike but for such signs.
    plain = [Path(re.sub(r"[^\w.-]+", "_", _name(found)) + ".png") for found in confusions]
    for confusion, name in zip(confusions, name_files(plain, 200), strict=True):
        _draw_confusion(confusion, value_range, folder / "confusions" / f"{name}.png")
    if confusions:
        rows = [(_name(found), found.measure("place_overlap")) for found in confusions]
        save_figure(plot_overlaps(rows), folder / "overlaps.png")


def _name(confusion: Confusion) -> str:
    return f"{confusion.true} as {confusion.predicted}"


def _draw_confusion(confusion: Confusion, value_range: tuple[float, float], path: Path) -> None:
    """Show what both classes claim, on average and on the most certain errors."""
    titles = [f"{one.path.name}: margin {one.margin:.2f}" for one in confusion.images]
    figure = plot_confused_images(
        [confusion.mean, *confusion.stacks],
        [f"mean of {len(confusion.images)} images", *titles[: len(confusion.stacks)]],
        (confusion.true, confusion.predicted),
        value_range,
    )
    save_figure(figure, path)


def _describe_image(image: ImageOverlap) -> dict[str, object]:
    pair = image.first, image.second
    row: dict[str, object] = {"path": image.path, "label": image.label}
    row |= {"predicted": image.first, "second": image.second, "margin": f"{image.margin:.4f}"}
    return row | {name: f"{image.measure(name, *pair):.4f}" for name in OVERLAP_MEASURES}


def _describe_confusion(confusion: Confusion) -> dict[str, object]:
    wrong, total = len(confusion.images), confusion.total
    row = _count(confusion.true, confusion.predicted, wrong, total)
    for name in OVERLAP_MEASURES:
        for part, mean in confusion.average(name).items():
            row[f"{name}_{part}"] = f"{mean:.4f}"
    low, high = confusion.interval
    row |= {"difference": f"{confusion.difference:.4f}", "low": f"{low:.4f}", "high": f"{high:.4f}"}
    return row | {"p_value": f"{confusion.p_value:.4g}"}


def _list_absent(
    confusions: Sequence[Confusion], images: Sequence[ImageOverlap]
) -> list[dict[str, object]]:
    """Make the rows of the pairs of classes that are never confused."""
    known = {(found.true, found.predicted) for found in confusions}
    totals = Counter(image.label for image in images)
    pairs = [pair for pair in permutations(images[0].class_names, 2) if pair not in known]
    return [_count(*pair, 0, totals[pair[0]]) for pair in pairs if totals[pair[0]]]


def _count(true: str, predicted: str, wrong: int, total: int) -> dict[str, object]:
    rate = f"{wrong / total:.4f}"
    return {"true": true, "predicted": predicted, "wrong": wrong, "of": total, "rate": rate}
