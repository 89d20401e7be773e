"""The command `mscam check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import (
    DATA,
    OVERWRITE,
    explain_errors,
    make_progress,
    read_data,
    say,
)
from mscam_tf.cli.options import add_options, make_settings
from mscam_tf.cli.outputs import check_outputs, check_table, write_manifests
from mscam_tf.cli.tables import print_counts, print_report
from mscam_tf.data.reading import ReadOptions
from mscam_tf.names import show_place

if TYPE_CHECKING:
    from mscam_tf.data.manifests import Manifest

_READ = ("window", "page", "max_pixels")  # Copies are found in negatives too.


@add_options(ReadOptions, _READ)
def check(
    data: DATA,
    split_file: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="File to take the splits from, such as RUN/split.csv."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="CSV", help="File for all copies, each with one it is like."),
    ] = None,
    write_groups: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="File for a manifest in which copies have the same group."
        ),
    ] = None,
    min_similarity: Annotated[
        float, typer.Option(help="Correlation above which two images are copies.")
    ] = 0.45,
    overwrite: OVERWRITE = False,
    **settings: Any,
) -> None:
    """Check a data set: broken files, torn groups, and copies that leak between splits.

    It also finds copies that are flipped, turned by 90 degrees, compressed again, resized,
    brighter, or negatives. The exit status is 1 if an image or mask is broken, a mask has another
    size than its image, a group or copies are in several splits, copies have different labels, or a
    label denies what a box or mask marks in its image.

    Example: `mscam check DATA --out duplicates.csv --write-groups grouped.csv`
    """
    with explain_errors(tensorflow=False):
        from mscam_tf.data.checking import (
            DUPLICATES,
            check_manifest,
            group_duplicates,
            write_duplicates,
        )
        from mscam_tf.data.manifests import copy_splits, read_manifest

        if out is not None:
            check_table(out, "The list of copies")
        manifests, others = [write_groups] if write_groups else [], [out] if out else []
        inputs = (data, *([split_file] if split_file else []))
        check_outputs(manifests, others, overwrite, inputs, DUPLICATES)
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
                make_settings(ReadOptions, settings),
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
            grouped = group_duplicates(report)
            _check_splits(manifest, grouped, write_groups, inputs)
            write_manifests({write_groups: grouped}, overwrite)
    if report.failed:
        raise typer.Exit(1)


def _check_splits(
    before: "Manifest", after: "Manifest", path: Path, inputs: tuple[Path, ...]
) -> None:
    """Refuse to put a manifest that has lost its splits in the place of one that was read."""
    from mscam_tf.errors import OutputError

    lost = any(sample.split for sample in before.samples)
    lost &= not any(sample.split for sample in after.samples)
    if lost and path.resolve() in {known.resolve() for known in inputs}:
        raise OutputError(
            f"{show_place(path)} is left alone: its splits would be lost, because copies are in "
            "several of them. Choose another place."
        )
