"""The command `mscam inspect`."""

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import OVERWRITE, explain_errors, make_progress, say
from mscam_tf.cli.inspected import Display, print_summary
from mscam_tf.cli.sizes import SIZE, parse_size
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from mscam_tf.inspection import Framing, Source, Summary


def inspect(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|EXPORT",
            help="Run folder of `mscam train`, or folder of `mscam export` in the format onnx or "
            "openvino, which is quicker and starts at once.",
            show_default=False,
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="Folders of images, images, or CSV manifests."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")],
    frames: Annotated[
        bool,
        typer.Option(
            "--frames",
            help="Inspect each image as overlapping tiles of the size of the run, without "
            "resizing it; its maps are blended, and its regions are those of the whole image.",
        ),
    ] = False,
    tile: Annotated[
        Any,
        typer.Option(
            "--tile",
            metavar=SIZE,
            parser=parse_size,
            help="Size of the tiles in pixels, of an export with `--free-size`; with --frames.",
            show_default=False,
        ),
    ] = None,
    overlap: Annotated[
        float,
        typer.Option(
            "--overlap", metavar="SHARE", help="Share of a tile that the next one repeats."
        ),
    ] = 0.25,
    pictures: Annotated[
        str,
        typer.Option(
            "--pictures", metavar="rejects|all|none", help="Of which images to paint pictures."
        ),
    ] = "rejects",
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Wait for images that come into the folders, until Ctrl-C."),
    ] = False,
    idle: Annotated[
        float | None,
        typer.Option(
            "--idle",
            metavar="SECONDS",
            min=0,
            help="With --watch: end when no image has come for so many seconds.",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print a line of JSON for each image, and nothing else on this stream."
        ),
    ] = False,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast",
            help="Of an export for OpenVINO: compute in the precision in which the processor is "
            "quickest.",
        ),
    ] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="COUNT",
            min=1,
            help="Threads of the runtime of an export, in each worker; by default as many as "
            "there are cores for it.",
            show_default=False,
        ),
    ] = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(
            "--max-pixels",
            metavar="COUNT",
            min=1,
            help="Refuse images with more pixels than this; by default the limit of the run.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            metavar="COUNT",
            min=1,
            help="Processes that share the work, each with a model of its own and its share of "
            "the cores.",
        ),
    ] = 1,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="local|ray",
            help="Where the workers are: on this machine, or on those of a Ray cluster, which all "
            "see the folders under the same paths.",
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="ADDRESS",
            help="Of the cluster, with --engine ray; by default Ray is started on this machine.",
            show_default=False,
        ),
    ] = None,
    overwrite: OVERWRITE = False,
) -> None:
    """Inspect long folders, or a folder that a scanner fills: reject or accept each image.

    It writes a row of each image and of each region into the Parquet files of DIR/images and
    DIR/regions (with --frames also DIR/tiles), pictures into DIR/pictures, and DIR/summary.json. A
    file that cannot be read has a row that says why. When it is stopped, the same command goes on
    with the images that have no row.

    It ends with the status 0 if all images are accepted, 3 if one is rejected, and 4 if a file
    cannot be read; with 1 after an error, 2 if the command is wrong, and 130 after Ctrl-C. These
    are about all images that have a row in DIR. Where a run does not know which images are good,
    none is rejected.

    Images are compared with those that the run was calibrated by (`mscam calibrate`): which of them
    are unlike these, and since when intensity, noise, sharpness or scores have moved. This changes
    neither verdicts nor the status.

    Each image is resized to the size of the run, as its training did. Add --frames for images that
    are larger than those of the training.

    Example: `mscam inspect EXPORT scans/ --out inspected`, or `mscam inspect EXPORT scans/ --watch
    --json --out inspected`
    """
    from mscam_tf.inspection import is_export

    with explain_errors(tensorflow=workers == 1 and engine == "local" and not is_export(source)):
        from mscam_tf.inspection import Source

        if idle is not None and not watch:
            raise MscamError(f"--idle needs --watch. Received: {idle=}")
        opener = Source(source, fast=fast, threads=threads, max_pixels=max_pixels)
        framing = _make_framing(frames, tile, overlap)
        options: dict[str, Any] = {"framing": framing, "pictures": pictures}
        options |= {"overwrite": overwrite, "workers": workers}
        options |= _choose_engine(watch, engine, address)
        summary = _run(opener, images, out, as_json=as_json, watch=watch, idle=idle, **options)
        print_summary(summary, out, frames=frames, error=as_json)
        raise typer.Exit(summary.status)


def _choose_engine(watch: bool, engine: str, address: str | None) -> dict[str, Any]:
    if not watch:
        return {"engine": engine, "address": address}
    if engine != "local" or address is not None:
        raise MscamError(f"--watch is for this machine alone. Received: {engine=}, {address=}")
    return {}


def _make_framing(frames: bool, tile: Any, overlap: float) -> "Framing | None":
    from mscam_tf.inspection import Framing

    if not frames:
        if tile is not None or overlap != Framing.overlap:
            raise MscamError(f"Only frames are cut: add --frames. Received: {tile=}, {overlap=}")
        return None
    return Framing(tile, overlap)


def _run(
    source: "Source",
    images: list[Path],
    out: Path,
    *,
    as_json: bool,
    watch: bool,
    idle: float | None,
    **options: Any,
) -> "Summary":
    """Inspect images or watch folders, and show what becomes of each; say how to go on."""
    from mscam_tf.data.manifests import list_images
    from mscam_tf.inspection import inspect_images, watch_folders

    progress = make_progress()
    progress.disable = as_json
    shown = Display(progress, source.read_run().image_size, sys.stdout if as_json else None)
    # Whatever a library prints, lines of JSON stand alone.
    with redirect_stdout(sys.stderr) if as_json else nullcontext(), progress:
        try:
            if watch:
                say(f"Watching {', '.join(map(str, images))}; Ctrl-C ends it.", error=as_json)
                shown.begin(None)
                return watch_folders(source, images, out, idle=idle, on_entry=shown.show, **options)
            paths = list_images(images)
            return inspect_images(
                source, paths, out, on_start=shown.begin, on_entry=shown.show, **options
            )
        except (KeyboardInterrupt, MscamError):
            if shown.count:
                text = "images were inspected. The same command goes on with the others."
                say(f"{shown.count} {text}", error=True)
            raise
        finally:
            shown.finish()
