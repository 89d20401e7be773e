"""What to do about confused classes, in words and pictures: which images would help most."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import false_discovery_control

from mscam_tf.analysis import (
    MEASURES,
    Confusion,
    ImageOverlap,
    find_confusions,
    measure_range,
    rank_unlabelled,
)
from mscam_tf.data.images import check_images, write_problems
from mscam_tf.data.manifest import Manifest
from mscam_tf.files import write_table, write_whole_folder
from mscam_tf.plots import plot_confused_images, plot_overlaps, save_figure
from mscam_tf.runs import Run
from mscam_tf.training import drop_images

_LISTED = 20  # Unlabelled images that the advice names; the table has all.
_LEVEL = 0.05
FILES = (
    "advice.md",
    "confusions.csv",
    "images.csv",
    "label_next.csv",
    "overlaps.png",
    "confusions",
    "skipped.csv",
)


def write_analysis(
    run: Run,
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
    pair `confusions/TRUE_as_PREDICTED.png`: where both classes lay claim to the same place, on
    average and on the most certain errors. With unlabelled images also `label_next.csv`: which to
    label next. An earlier analysis in the folder is replaced.

    Args:
        run: A finished run.
        manifest: Labelled images that it was not trained on.
        folder: Where to write; created if missing. Other files in it stay.
        unlabelled: More images, without labels.
        threshold: As for `mscam_tf.measure_overlaps`.
        on_progress: Called with 1 after each image.
        skip_bad: Leave out images that cannot be read, and list them in `skipped.csv`.

    Returns:
        The confusions, the class that is confused most often first.

    Raises:
        ImageError: If images cannot be read.
        RunError: If the run tells several findings in one image.
    """
    unlabelled = list(unlabelled)
    problems: list[tuple[Path, str]] = []
    if skip_bad:
        paths = [*manifest.paths, *unlabelled]
        readable, problems = check_images(paths, run.config.read, skip_bad=True)
        manifest = drop_images(manifest, problems)
        unlabelled = [path for path in unlabelled if path in readable]
    value_range = measure_range(run, manifest.paths)
    confusions, every = find_confusions(
        run,
        manifest,
        unlabelled=unlabelled,
        threshold=value_range[1] / 2 if threshold is None else threshold,
        on_progress=on_progress,
    )
    count = len(manifest.samples)
    ranked = rank_unlabelled(every[count:])
    with write_whole_folder(folder, FILES) as partial:
        if problems:
            write_problems(problems, partial / "skipped.csv")
        _write_tables(confusions, every[:count], ranked, partial)
        _draw_confusions(confusions, value_range, partial)
        advice = write_advice(count, confusions, ranked)
        (partial / "advice.md").write_text(advice, encoding="utf-8")
    return confusions


def write_advice(
    count: int, confusions: Sequence[Confusion], ranked: Sequence[ImageOverlap] = ()
) -> str:
    """Say in words what is confused, whether the maps tell why, and which images would help.

    Args:
        count: How many labelled images were analysed.
        confusions: Those that occur, in order.
        ranked: Unlabelled images, the most useful first.

    Returns:
        Markdown.
    """
    wrong = sum(len(found.images) for found in confusions)
    parts = [f"# What is confused, and where\n\n{wrong} of {count} images are wrong."]
    chances = _adjust([confusion.p_value for confusion in confusions])
    parts += [_advise(*pair) for pair in zip(confusions, chances, strict=True)]
    if ranked:
        names = "\n".join(
            f"1. {one.path}: {one.first} or {one.second} (margin {one.margin:.2f})"
            for one in ranked[:_LISTED]
        )
        parts.append(
            "## Label these next\n\nOf the images without a label, those whose two most probable "
            f"classes are closest and claim the same places:\n\n{names}"
        )
    return "\n\n".join(parts) + "\n"


def _adjust(chances: Sequence[float]) -> np.ndarray:
    """Adjust p values for their number (Benjamini and Hochberg, 1995); what is no number stays."""
    adjusted = np.array(chances, float)
    known = np.isfinite(adjusted)
    if known.any():
        adjusted[known] = false_discovery_control(adjusted[known])
    return adjusted


def _advise(confusion: Confusion, chance: float) -> str:
    title = f"## {confusion.true} taken for {confusion.predicted}"
    count = f"{len(confusion.images)} of {confusion.total} ({confusion.rate:.0%})."
    most = ", ".join(str(image.path) for image in confusion.images[: len(confusion.stacks)])
    errors = f"The most certain errors: {most}"
    return f"{title}\n\n{count} {_describe_overlap(confusion, chance)}\n\n{errors}"


def _describe_overlap(confusion: Confusion, chance: float) -> str:
    if len(confusion.images[0].class_names) == 2:
        return "With two classes one map is the other's negative: no place speaks for both."
    if np.isnan(chance):
        return "These are too few images to judge where their maps overlap."
    low, high = confusion.interval
    return (
        f"The evidence for the two overlaps in place by {_mean(confusion, 0):.2f}, and by "
        f"{_mean(confusion, 1):.2f} on images of {confusion.true} that are right: "
        f"{confusion.difference:+.2f} [{low:+.2f}, {high:+.2f}], p = {chance:.2g} (for all pairs "
        f"together). {_judge(confusion, chance)}"
    )


def _mean(confusion: Confusion, index: int) -> float:
    return float(np.nanmean(confusion.measure("place_overlap")[index]))


def _judge(confusion: Confusion, chance: float) -> str:
    low, high = confusion.interval
    pair = f"{confusion.true} and {confusion.predicted}"
    if chance < _LEVEL and low > 0:
        return (
            f"Where it errs, {pair} claim the same region, which they should not share: add images "
            "like those below, of both classes, that differ there and are alike elsewhere."
        )
    if chance < _LEVEL and high < 0:
        return (
            f"Where it errs, the maps of {pair} are further apart than usual: it looks at another "
            "place, or sees nothing at the right one. Look at the pictures: is the object visible "
            "at all? If so, add images with objects as small, as faint, or in such places."
        )
    return (
        "That is no clear difference: the place is not what confuses them. Add images like those "
        "below of either class, and check their labels."
    )


def _write_tables(
    confusions: Sequence[Confusion],
    images: Sequence[ImageOverlap],
    ranked: Sequence[ImageOverlap],
    folder: Path,
) -> None:
    write_table(folder / "images.csv", [_describe_image(image) for image in images])
    write_table(folder / "confusions.csv", [_describe_confusion(found) for found in confusions])
    if ranked:
        write_table(folder / "label_next.csv", [_describe_image(image) for image in ranked])


def _draw_confusions(
    confusions: Sequence[Confusion], value_range: tuple[float, float], folder: Path
) -> None:
    for confusion in confusions:
        _draw_confusion(confusion, value_range, folder / "confusions")
    if confusions:
        rows = [(_name(found), *found.measure("place_overlap")) for found in confusions]
        save_figure(plot_overlaps(rows), folder / "overlaps.png")


def _name(confusion: Confusion) -> str:
    return f"{confusion.true} as {confusion.predicted}"


def _draw_confusion(confusion: Confusion, value_range: tuple[float, float], folder: Path) -> None:
    """Show what both classes claim, on average and on the most certain errors."""
    titles = [f"{one.path.name}: margin {one.margin:.2f}" for one in confusion.images]
    figure = plot_confused_images(
        [confusion.mean, *confusion.stacks],
        [f"mean of {len(confusion.images)} images", *titles[: len(confusion.stacks)]],
        (confusion.true, confusion.predicted),
        value_range,
    )
    name = re.sub(r"[^\w.-]+", "_", _name(confusion))  # Classes may be named with a slash.
    save_figure(figure, folder / f"{name}.png")


def _describe_image(image: ImageOverlap) -> dict[str, object]:
    pair = image.first, image.second
    row: dict[str, object] = {"path": image.path, "label": image.label}
    row |= {"predicted": image.first, "second": image.second, "margin": f"{image.margin:.4f}"}
    return row | {name: f"{image.measure(name, *pair):.4f}" for name in MEASURES}


def _describe_confusion(confusion: Confusion) -> dict[str, object]:
    row: dict[str, object] = {"true": confusion.true, "predicted": confusion.predicted}
    row |= {"wrong": len(confusion.images), "of": confusion.total, "rate": f"{confusion.rate:.4f}"}
    for name in MEASURES:
        wrong, right = confusion.measure(name)
        for part, values in (("wrong", wrong), ("right", right)):
            there = values[np.isfinite(values)]
            row[f"{name}_{part}"] = f"{there.mean():.4f}" if len(there) else ""
    low, high = confusion.interval
    row |= {"difference": f"{confusion.difference:.4f}", "low": f"{low:.4f}", "high": f"{high:.4f}"}
    return row | {"p_value": f"{confusion.p_value:.4g}"}
