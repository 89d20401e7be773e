"""The command `mscam locate`."""

import math
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import (
    CONSOLE,
    DATA,
    FLIPS,
    GOOD,
    SKIP_BAD,
    SPLIT_OR_ALL,
    explain_errors,
    make_progress,
    make_table,
    read_data,
    say,
)
from mscam_tf.cli.options import add_options
from mscam_tf.cli.pretrained import RUN_OR_XRAY, open_xray, refuse_settings
from mscam_tf.cli.sizes import read_numbers
from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError
from mscam_tf.runs import TrainConfig

if TYPE_CHECKING:
    from mscam_tf.data.manifests import Manifest
    from mscam_tf.evaluation import Localization, LocatedRow
    from mscam_tf.runs import Run

RESAMPLES = 1000
_SHOWN = {"pointing": "pointing", "pxap": "PxAP", "max_box_acc_v2": "MaxBoxAccV2", "found": "found"}


@add_options(TrainConfig, only=["image_size"])
@add_options(ReadOptions)
def locate(
    run: RUN_OR_XRAY,
    data: DATA,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder to write; by default `localization` in RUN."
        ),
    ] = None,
    split: SPLIT_OR_ALL = None,
    thresholds: Annotated[
        str,
        typer.Option(
            metavar="A,B,...",
            help="Sides of objects in pixels of the image files, between ranges of sizes.",
        ),
    ] = "12.5,22",
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="NAME",
            help="A class whose map counts; can be repeated. By default all but that of good "
            "images.",
        ),
    ] = None,
    good: GOOD = None,
    flips: FLIPS = False,
    skip_bad: SKIP_BAD = False,
    **settings: Any,
) -> None:
    """Score where the maps show objects, against masks or boxes, by the size of the objects.

    DATA must have a column `mask`, or a `boxes.csv` beside the images. In the table are the
    multi-scale map (sum), the same sharpened by the spots of the image (sharp; `mscam calibrate
    --scale sharp` marks by it), each scale alone, and three maps that nobody learned: the middle of
    the image, and a filter for dark and for bright spots. A map that does not beat them has found
    nothing.

    `pointing`: the brightest pixel lies on an object. `PxAP`: average precision of the pixels.
    `MaxBoxAccV2`: boxes around regions fit. `found`: share of the objects with a mark at one false
    mark an image. Intervals are 95 %, over groups. Good images among the data show how many false
    marks there are.

    It writes `localization.csv`, `localization.json` and `free_response.png`.

    Example: `mscam locate RUN DATA`, or `mscam locate xray DATA --out scores`
    """
    with explain_errors():
        from mscam_tf.evaluation import LOCALIZATION_FOLDER
        from mscam_tf.outputs import claim

        sides = read_numbers(thresholds)
        opened, samples, split = _open(run, data, split, settings)
        if out is None and not opened.folder.is_dir():
            raise MscamError("Say where to write the scores of `xray`: --out DIR. Received: none")
        out = out or opened.folder / "localization"
        claim(out, LOCALIZATION_FOLDER, overwrite=True, inputs=samples.paths)
        options = {"classes": classes or [], "good": good, "flips": flips, "skip_bad": skip_bad}
        kept = {"run": str(run), "data": str(data), "split": split, "flips": flips}
        _locate_with_progress(opened, samples, out, sides, kept, options)


def _open(
    run: Path, data: Path, split: str | None, settings: dict[str, Any]
) -> "tuple[Run, Manifest, str]":
    from mscam_tf.runs import names_pretrained, open_run, select_samples

    if names_pretrained(run):
        if split not in (None, "all"):
            raise MscamError(f"The pretrained classifier has no splits. Received: {split=}")
        manifest = read_data(data)
        return open_xray(manifest.paths, settings), manifest, "all"
    refuse_settings(settings, "locate")
    opened, split = open_run(run), split or "test"
    return opened, select_samples(opened, read_data(data), split), split


def _locate_with_progress(
    run: "Run",
    samples: "Manifest",
    out: Path,
    thresholds: list[float],
    kept: dict[str, Any],
    options: dict[str, Any],
) -> None:
    from mscam_tf.evaluation import LOCALIZATION_FOLDER, fill_localization
    from mscam_tf.evaluation import locate as locate_objects
    from mscam_tf.folders import write_whole_folder

    with (
        write_whole_folder(out, LOCALIZATION_FOLDER.entries) as folder,
        make_progress() as progress,
    ):
        total = len(samples.samples)
        bars = [progress.add_task(name, total=total) for name in ("reading objects", "scoring")]
        bars.append(progress.add_task("intervals", total=RESAMPLES))
        found = locate_objects(
            run,
            samples,
            thresholds=thresholds,
            resamples=RESAMPLES,
            on_check=lambda count: progress.advance(bars[0], count),
            on_progress=lambda count: progress.advance(bars[1], count),
            on_resample=lambda count: progress.advance(bars[2], count),
            **options,
        )
        fill_localization(found, folder, kept | {"thresholds": thresholds})
    _print_scores(found, kept["split"])
    say(f"Wrote {out / 'localization.csv'}, {out / 'free_response.png'} and more")


def _print_scores(found: "Localization", split: str) -> None:
    title = f"{found.num_images} images ({split}) of {found.num_groups} groups, in %"
    table = make_table(title, "size (objects), map", *_SHOWN.values())
    for size, rows in groupby(found.rows, lambda row: row.size):
        table.add_section()
        for number, row in enumerate(rows):
            if number == 0:
                name = "all sizes" if size == "all" else f"{size} px"
                table.add_row(f"{name} ({row.objects})", style="bold")
            table.add_row(f"  {row.map}", *map(partial(_show, row), _SHOWN))
    CONSOLE.print(table)
    say(f"PxAP is {found.prevalence:.1%} by chance. In brackets: 95 % intervals over groups.")
    rates = [row.scores["false_marks"][0] for row in found.rows if "false_marks" in row.scores]
    if rates:
        say(f"At the operating point there are {rates[0]:.2f} false marks an image.")


def _show(row: "LocatedRow", name: str) -> str:
    value, low, high = (100 * part for part in row.scores.get(name, (math.nan,) * 3))
    if math.isnan(value):
        return ""
    return f"{value:.0f}" + ("" if math.isnan(low) else f" ({low:.0f}-{high:.0f})")
