"""The command `mscam split`."""

from pathlib import Path
from typing import Annotated

import typer

from mscam_tf.cli.console import (
    DATA,
    OVERWRITE,
    explain_errors,
    read_data,
    say,
    say_next,
)
from mscam_tf.cli.outputs import check_outputs, write_manifests
from mscam_tf.cli.tables import print_counts


def split(
    data: DATA,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="CSV", help="Manifest to write; with --folds, a folder."),
    ],
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=10_000,
            help="Number of folds; writes fold1.csv, fold2.csv and so on, not one split.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same split.")] = 0,
    overwrite: OVERWRITE = False,
) -> None:
    """Split images 7:1:2 into train, validation and test, or into folds.

    Each class is split alike, and the images of a group stay together. A split that DATA already
    has is replaced. `mscam train` takes the manifests that are written. A file of boxes beside DATA
    is written with them, as boxes.csv, so give each data set a folder of its own.

    Example: `mscam split DATA --out split.csv`, or `mscam split DATA --out folds --folds 5`
    """
    with explain_errors(tensorflow=False):
        from mscam_tf.data.manifests import set_splits, split_folds, split_manifest

        paths = [out / f"fold{i}.csv" for i in range(1, folds + 1)] if folds else [out]
        check_outputs(paths, [], overwrite)
        manifest = read_data(data)
        if any(sample.split for sample in manifest.samples):
            say("The splits of DATA are replaced; `mscam train DATA` takes them as they are.")
        if folds is None:
            fresh = set_splits(manifest, [""] * len(manifest.samples))
            parts = [split_manifest(fresh, seed)]
        else:
            parts = split_folds(manifest, folds, seed)
        write_manifests(dict(zip(paths, parts, strict=True)), overwrite)
        others = sorted(set(out.glob("fold*.csv")) - set(paths)) if folds else []
        if others:
            say(f"Folds of another split are there too: {', '.join(map(str, others))}")
        for part in parts:
            print_counts(part)
        say_next("check", paths[0])
