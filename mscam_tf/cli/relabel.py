"""The command `mscam relabel`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import (
    BOXES,
    DATA,
    OVERWRITE,
    explain_errors,
    read_data,
    say,
)
from mscam_tf.cli.options import add_options, make_settings
from mscam_tf.cli.outputs import check_outputs, write_manifests
from mscam_tf.cli.sizes import read_numbers
from mscam_tf.cli.tables import print_counts
from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    import numpy as np

    from mscam_tf.data.manifests import Manifest

_SOURCES = ("masks", "boxes", "column")
_NAMES, _VISIBLE = ("none", "object"), 0.5
_OF_SOURCES = {  # Options that say something of some sources alone.
    "--boxes": ("boxes",),
    "--column": ("column",),
    "--measure": ("masks", "boxes"),
    "--smallest": ("masks", "boxes"),
    "--min-visible": ("boxes",),
}


@add_options(ReadOptions, ["max_pixels"])
def relabel(
    data: DATA,
    out: Annotated[Path, typer.Option("--out", metavar="CSV", help="Manifest to write.")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="masks|boxes|column", help="What the sizes are measured from."
        ),
    ] = None,
    boxes: BOXES = None,
    column: Annotated[str | None, typer.Option(help="Name of the column of sizes.")] = None,
    measure: Annotated[
        str | None,
        typer.Option(
            metavar="side|width|length|area",
            help="Which size of an object to take; by default the side (the root of the area) of "
            "a box, and the width (of the largest disc inside) in a mask.",
        ),
    ] = None,
    thresholds: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Sizes at which one class ends and the next begins."),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(
            help="Number of classes of equal counts; their limits are fitted on the training split."
        ),
    ] = None,
    binary: Annotated[
        bool, typer.Option("--binary", help="Make two classes, without and with an object.")
    ] = False,
    names: Annotated[
        tuple[str, str], typer.Option(metavar="NONE OBJECT", help="Names of the two classes.")
    ] = _NAMES,
    smallest: Annotated[
        bool,
        typer.Option("--smallest", help="Take the smallest object of each image, not the largest."),
    ] = False,
    min_visible: Annotated[
        float,
        typer.Option(help="Share of an object that must be in the image; others are left out."),
    ] = _VISIBLE,
    overwrite: OVERWRITE = False,
    **settings: Any,
) -> None:
    """Label images by the size of their objects: none, scale1 (smallest), scale2 ...

    The size of an image is that of its largest object. The manifest has the old label in the
    column original_label and the size in the column object_size. A histogram is written beside it,
    as NAME.sizes.png. --binary makes two classes, from the labels, or with --from from the sizes.

    Example: `mscam relabel DATA --from boxes --thresholds 12.5,22 --out labels.csv`

    Example: `mscam relabel split.csv --from masks --classes 3 --out labels.csv`

    Example: `mscam relabel labels.csv --binary --names none bone --out binary.csv`
    """
    with explain_errors(tensorflow=False):
        from mscam_tf.data.labelling import (
            fit_thresholds,
            label_binary,
            label_by_size,
            measure_images,
        )
        from mscam_tf.data.manifests import BOXES_FILE, match_boxes, read_boxes
        from mscam_tf.files import write_whole

        _check_choice(source, thresholds, classes, binary)
        given: dict[str, object] = {"--boxes": boxes, "--column": column, "--measure": measure}
        given |= {"--smallest": smallest, "--min-visible": min_visible != _VISIBLE}
        _check_effect(source, given | {"--names": names != _NAMES and not binary})
        histogram = out.with_suffix(".sizes.png")
        check_outputs([out], [histogram] if source else [], overwrite)
        cuts = _check_classes(thresholds, classes, names)
        manifest = read_data(data)
        if source is None:
            _finish(label_binary(manifest, names), out, overwrite)
            return
        found = None
        if source == "boxes":
            paths = [sample.path for sample in manifest.samples]
            found = match_boxes(
                read_boxes(boxes or manifest.root / BOXES_FILE, manifest.paths),
                paths,
                manifest.root,
            )
            if not any(found.values()):
                say("The file of boxes is empty: no image has an object.")
        sizes = measure_images(
            manifest,
            source,
            boxes=found,
            column=column,
            measure=measure,
            smallest=smallest,
            min_visible=min_visible,
            read=make_settings(ReadOptions, settings),
        )
        if classes:
            cuts = fit_thresholds(manifest, sizes, classes)
        if binary:
            labelled = label_binary(manifest, names, sizes)
        else:
            labelled = label_by_size(manifest, sizes, cuts)
        with write_whole(histogram) as partial:  # It appears once the manifest is there.
            _draw_sizes(sizes, cuts, partial)
            _finish(labelled, out, overwrite)
        say(f"Wrote {histogram}")


def _check_choice(
    source: str | None, thresholds: str | None, classes: int | None, binary: bool
) -> None:
    if bool(thresholds) + bool(classes) + binary != 1:
        raise MscamError(
            "Give exactly one of --thresholds, --classes and --binary. Received: "
            f"--thresholds {thresholds}, --classes {classes}, --binary {binary}"
        )
    if source not in _SOURCES and not (source is None and binary):
        raise MscamError(
            f"Sizes need a source: `--from` must be one of {', '.join(_SOURCES)}. "
            f"Received: --from {source}"
        )


def _check_effect(source: str | None, given: dict[str, object]) -> None:
    """Refuse options that would do nothing: the labels would not be what was asked for."""
    for name in (name for name, value in given.items() if value):
        fitting = _OF_SOURCES.get(name, ())
        if source not in fitting:
            needed = f"--from {' or '.join(fitting)}" if fitting else "--binary"
            raise MscamError(f"{name} needs {needed}. Received: {name} with --from {source}")


def _check_classes(
    thresholds: str | None, classes: int | None, names: tuple[str, str]
) -> list[float]:
    """Check how images are labelled before any is measured; return the thresholds."""
    from mscam_tf.data.labelling import check_classes, check_thresholds, check_two

    cuts = read_numbers(thresholds) if thresholds else []
    check_thresholds(cuts)
    check_two(names)
    if classes:
        check_classes(classes)
    return cuts


def _finish(manifest: "Manifest", path: Path, overwrite: bool) -> None:
    write_manifests({path: manifest}, overwrite)
    print_counts(manifest)


def _draw_sizes(sizes: "np.ndarray", thresholds: list[float], path: Path) -> None:
    from mscam_tf.data.labelling import format_size
    from mscam_tf.plots import plot_sizes, save_figure

    save_figure(plot_sizes(sizes, thresholds), path)
    if thresholds:
        cuts = ", ".join(map(format_size, thresholds))
        say(f"Thresholds: {cuts}")
