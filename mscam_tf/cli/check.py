"""The command `mscam check`."""

from pathlib import Path
from typing import Annotated

import typer

from mscam_tf.cli.console import (
    DATA,
    MAX_PIXELS,
    OVERWRITE,
    PAGE,
    WINDOW,
    explain_errors,
    make_progress,
    read_data,
    say,
)
from mscam_tf.cli.outputs import check_outputs, write_manifests
from mscam_tf.cli.tables import print_counts, print_report


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
        from mscam_tf.data.checking import check_manifest, group_duplicates, write_duplicates
        from mscam_tf.data.manifests import copy_splits, read_manifest
        from mscam_tf.data.reading import ReadOptions

        check_outputs([write_groups] if write_groups else [], [out] if out else [], overwrite)
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
            say(f"Wrote {out}")
        if write_groups is not None:
            write_manifests({write_groups: group_duplicates(report)})
    if report.failed:
        raise typer.Exit(1)
