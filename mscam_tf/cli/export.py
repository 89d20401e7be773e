"""The command `mscam export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import CONSOLE, OUT, OVERWRITE, RUN, explain_errors, make_table, say

if TYPE_CHECKING:
    from mscam_tf.deployment import Export

_FORMATS = "savedmodel|onnx|openvino|litert"


def export(
    run: RUN,
    out: OUT,
    format: Annotated[
        str, typer.Option("--format", metavar=_FORMATS, help="What runs the file.")
    ] = "onnx",
    int8: Annotated[
        bool,
        typer.Option(
            "--int8",
            help="Compute the convolutions in int8, for OpenVINO: quicker and less exact.",
        ),
    ] = False,
    free_size: Annotated[
        bool,
        typer.Option(
            "--free-size", help="Take images of any height and width, not of the run's size alone."
        ),
    ] = False,
    scale_maps: Annotated[
        bool,
        typer.Option(
            "--scale-maps", help="Return the maps of each scale too, and what its cells add."
        ),
    ] = False,
    images: Annotated[
        list[Path] | None,
        typer.Option(
            "--images",
            metavar="IMAGE",
            help="Real images, a folder of them or a CSV manifest, to compare the export with the "
            "run on, and to calibrate int8 with; give the option once for each. By default the "
            "run's validation images.",
        ),
    ] = None,
    overwrite: OVERWRITE = False,
) -> None:
    """Export a run for the line: logits, probabilities, contributions and maps in one file.

    The file takes images as the training read them and needs no code of this library. Beside it,
    `export.json` says what a program must know: names and layouts, classes, window, operating
    point, hashes.

    The export is compared with the run on real images. If logits or maps differ by more than 1e-4,
    or a verdict does, nothing is written. With `--int8` this is done before the convolutions are
    quantized; how far they are off then is said.

    Example: `mscam export RUN --format onnx --out DIR`
    """
    with explain_errors():
        from mscam_tf.data.manifests import list_images
        from mscam_tf.deployment import export_run
        from mscam_tf.runs import open_run

        with CONSOLE.status("exporting"):
            written = export_run(
                open_run(run),
                out,
                format,
                int8=int8,
                free_size=free_size,
                scale_maps=scale_maps,
                images=list_images(images) if images else None,
                overwrite=overwrite,
            )
        _print_comparisons(written)


def _print_comparisons(export: "Export") -> None:
    rows = [
        (
            precision,
            f"{one.logits_error:.2g}",
            f"{one.maps_error:.2g}",
            f"{one.same_verdicts} of {one.images}",
        )
        for precision, one in export.comparisons.items()
    ]
    columns = ("precision", "logits differ by", "maps differ by", "same verdicts")
    CONSOLE.print(make_table("Against the run, largest differences in logits", *columns, rows=rows))
    say(f"Wrote {export.file}")
