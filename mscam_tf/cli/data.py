"""Commands about data: check, split, relabel."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import (
    CONSOLE,
    DATA,
    MAX_PIXELS,
    OVERWRITE,
    PAGE,
    WINDOW,
    explain_errors,
    make_progress,
    read_data,
)
from mscam_tf.cli.tables import print_counts, print_report

if TYPE_CHECKING:
    import numpy as np

    from mscam_tf.data.manifest import Manifest

_SOURCES = ("masks", "boxes", "column")


def check(
    data: DATA,
    split_file: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Take the splits from here, such as RUN/split.csv."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="CSV", help="Write all pairs of copies here.")
    ] = None,
    write_groups: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Write a manifest in which copies share a group."),
    ] = None,
    min_similarity: Annotated[
        float, typer.Option(help="Correlation above which two images are copies.")
    ] = 0.45,
    window: WINDOW = None,
    page: PAGE = None,
    max_pixels: MAX_PIXELS = 100_000_000,
    overwrite: OVERWRITE = False,
) -> None:
    """Check a data set: broken files, torn groups, and copies that leak between splits.

    Copies are found also if they are flipped, turned by 90 degrees, compressed again, resized,
    brighter, or negatives. The exit status is 1 if an image or mask is broken, a mask has another
    size than its image, a group or copies are in several splits, or copies have different labels.

    Example: `mscam check DATA --out duplicates.csv --write-groups grouped.csv`
    """
    with explain_errors(tensorflow=False):
        from mscam_tf.data.checks import check_manifest, group_duplicates, write_duplicates
        from mscam_tf.data.images import ReadOptions
        from mscam_tf.data.manifest import read_manifest
        from mscam_tf.data.splits import copy_splits

        _check_outputs([write_groups] if write_groups else [], [out] if out else [], overwrite)
        manifest = read_data(data)
        if split_file is not None:
            manifest = copy_splits(manifest, read_manifest(split_file))
        with make_progress() as progress:
            total = len(manifest.samples)
            masks = sum(bool(sample.mask) for sample in manifest.samples)
            read = progress.add_task("reading files", total=total + masks)
            compared = progress.add_task("comparing images", total=total)
            report = check_manifest(
                manifest,
                ReadOptions(window, page=page, max_pixels=max_pixels),
                lambda count: progress.advance(read, count),
                lambda count: progress.advance(compared, count),
                min_similarity,
            )
            # Broken files, and equal ones but the first, are not compared.
            progress.update(compared, completed=total)
        print_counts(manifest)
        print_report(report)
        if out is not None:
            write_duplicates(report, out)
            CONSOLE.print(f"Wrote {out}", highlight=False)
        if write_groups is not None:
            _write({write_groups: group_duplicates(report)})
    if report.failed:
        raise typer.Exit(1)


def split(
    data: DATA,
    out: Annotated[
        Path, typer.Option("--out", metavar="CSV", help="Manifest to write; a folder for --folds.")
    ],
    folds: Annotated[
        int | None, typer.Option(min=2, help="Write fold1.csv, fold2.csv ... instead.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same split.")] = 0,
    overwrite: OVERWRITE = False,
) -> None:
    """Split 7:1:2 into train, validation and test, or k-fold; by class, groups kept together.

    Any split that DATA has is replaced. The manifests go straight to `mscam train`. Boxes beside
    DATA go with them, as boxes.csv: give each data set a folder of its own.

    Example: `mscam split DATA --out split.csv`, or `mscam split DATA --out folds --folds 5`
    """
    with explain_errors(tensorflow=False):
        from mscam_tf.data.splits import set_splits, split_folds, split_manifest

        paths = [out / f"fold{i}.csv" for i in range(1, folds + 1)] if folds else [out]
        _check_outputs(paths, [], overwrite)
        manifest = read_data(data)
        if folds is None:
            fresh = set_splits(manifest, [""] * len(manifest.samples))
            parts = [split_manifest(fresh, seed)]
        else:
            parts = split_folds(manifest, folds, seed)
        _write(dict(zip(paths, parts, strict=True)))
        for part in parts:
            print_counts(part)
        CONSOLE.print(f"Next: mscam check {paths[0]}", highlight=False)


def relabel(
    data: DATA,
    out: Annotated[Path, typer.Option("--out", metavar="CSV", help="Manifest to write.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="masks|boxes|column", help="Source of sizes.")
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option(metavar="CSV", help="By default the boxes.csv beside DATA.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Name of the column of sizes.")] = None,
    measure: Annotated[
        str | None,
        typer.Option(
            metavar="side|width|length|area",
            help="Of an object; by default the side (root of the area) of a box, and the width "
            "(largest disc inside) in a mask.",
        ),
    ] = None,
    thresholds: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Where one class ends, the next begins.")
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(help="So many scales of equal counts, fitted on the training split only."),
    ] = None,
    binary: Annotated[bool, typer.Option("--binary", help="Two classes instead.")] = False,
    names: Annotated[
        tuple[str, str], typer.Option(metavar="NONE OBJECT", help="Names of the two classes.")
    ] = ("none", "object"),
    smallest: Annotated[
        bool, typer.Option("--smallest", help="Go by the smallest object, not the largest.")
    ] = False,
    min_visible: Annotated[
        float, typer.Option(help="Leave out objects of which less is in the image.")
    ] = 0.5,
    max_pixels: MAX_PIXELS = 100_000_000,
    overwrite: OVERWRITE = False,
) -> None:
    """Label images by the size of their objects: none, scale1 (smallest), scale2 ...

    The size of an image is that of its largest object. The manifest keeps the old label in the
    column original_label and the size in the column object_size; a histogram is written beside it,
    as NAME.sizes.png. With --binary, back to two classes: from the labels, or from sizes where
    --from is given.

    Example: `mscam relabel DATA --from boxes --thresholds 12.5,22 --out labels.csv`

    Example: `mscam relabel split.csv --from masks --classes 3 --out labels.csv`

    Example: `mscam relabel labels.csv --binary --names none bone --out binary.csv`
    """
    with explain_errors(tensorflow=False):
        from mscam_tf.data.boxes import BOXES_FILE, match_boxes, read_boxes
        from mscam_tf.data.images import ReadOptions
        from mscam_tf.data.labels import fit_thresholds, label_binary, label_by_size
        from mscam_tf.data.sizes import measure_images

        _check_choice(source, thresholds, classes, binary)
        histogram = out.with_suffix(".sizes.png")
        _check_outputs([out], [histogram] if source else [], overwrite)
        cuts = _read_numbers(thresholds) if thresholds else []
        manifest = read_data(data)
        if source is None:
            _finish(label_binary(manifest, names), out)
            return
        found = None
        if source == "boxes":
            paths = [sample.path for sample in manifest.samples]
            found = match_boxes(read_boxes(boxes or manifest.root / BOXES_FILE), paths)
        sizes = measure_images(
            manifest,
            source,
            boxes=found,
            column=column,
            measure=measure,
            smallest=smallest,
            min_visible=min_visible,
            read=ReadOptions(max_pixels=max_pixels),
        )
        if classes:
            cuts = fit_thresholds(manifest, sizes, classes)
        if binary:
            labelled = label_binary(manifest, names, sizes)
        else:
            labelled = label_by_size(manifest, sizes, cuts)
        _finish(labelled, out)
        _draw_sizes(sizes, cuts, histogram)


def _check_outputs(manifests: list[Path], others: list[Path], overwrite: bool) -> None:
    """Refuse outputs that are in the way, before anything is read."""
    from mscam_tf.data.manifest import ManifestError

    for path in manifests:
        if path.suffix != ".csv":
            raise ManifestError(f"A manifest is a .csv file. Received: {path}")
    for path in (*manifests, *others):
        if path.exists() and not overwrite:
            raise ManifestError(
                "An output must not be there yet; choose another name, or add --overwrite. "
                f"Received: {path}"
            )


def _check_choice(
    source: str | None, thresholds: str | None, classes: int | None, binary: bool
) -> None:
    if bool(thresholds) + bool(classes) + binary != 1:
        raise ValueError(
            "Give exactly one of --thresholds, --classes and --binary. Received: "
            f"--thresholds {thresholds}, --classes {classes}, --binary {binary}"
        )
    if source not in _SOURCES and not (source is None and binary):
        raise ValueError(
            f"Sizes need a source: `--from` must be one of {', '.join(_SOURCES)}. "
            f"Received: --from {source}"
        )


def _read_numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise ValueError(f"Expected numbers, such as 12.5,22. Received: {text!r}") from None


def _write(manifests: dict[Path, "Manifest"]) -> None:
    """Write manifests of the same images into a folder, with their boxes."""
    from mscam_tf.data.boxes import carry_boxes
    from mscam_tf.data.manifest import relocate, write_manifest

    path, manifest = next(iter(manifests.items()))
    boxes = carry_boxes(manifest, path.parent)
    if boxes is not None:
        CONSOLE.print(f"Wrote {boxes}, the boxes of the images", highlight=False)
    for path, manifest in manifests.items():
        write_manifest(relocate(manifest, path.parent), path)
        CONSOLE.print(f"Wrote {path}", highlight=False)


def _finish(manifest: "Manifest", path: Path) -> None:
    _write({path: manifest})
    print_counts(manifest)


def _draw_sizes(sizes: "np.ndarray", thresholds: list[float], path: Path) -> None:
    from mscam_tf.data.labels import format_size
    from mscam_tf.plots import plot_sizes, save_figure

    save_figure(plot_sizes(sizes, thresholds), path)
    if thresholds:
        cuts = ", ".join(map(format_size, thresholds))
        CONSOLE.print(f"Thresholds: {cuts}", highlight=False)
    CONSOLE.print(f"Wrote {path}", highlight=False)
