"""The command `mscam export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import CONSOLE, OUT, OVERWRITE, explain_errors, make_table, say
from mscam_tf.cli.options import add_options
from mscam_tf.cli.pretrained import RUN_OR_XRAY, open_xray, refuse_settings
from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError
from mscam_tf.runs import TrainConfig

if TYPE_CHECKING:
    from mscam_tf.deployment import Export
    from mscam_tf.runs import Run

_FORMATS = "savedmodel|onnx|openvino|litert"


@add_options(TrainConfig, only=["image_size"])
@add_options(ReadOptions)
def export(
    run: RUN_OR_XRAY,
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
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            metavar="NAME",
            help="Put the file where a model server looks for it, in `models/NAME/1`, and write "
            "the server's settings: for openvino those of OpenVINO Model Server, for onnx those "
            "of Triton.",
        ),
    ] = None,
    overwrite: OVERWRITE = False,
    **settings: Any,
) -> None:
    """Export a run for the line: logits, probabilities, contributions and maps in one file.

    The file takes images as the training read them and needs no code of this library. Beside it,
    `export.json` says what a program must know: names and layouts, classes, window, operating
    point, hashes.

    The export is compared with the run on real images. If logits or maps differ by more than 1e-4,
    nothing is written. With `--int8` this is done before the convolutions are
    quantized; how far they are off then is said.

    Without a run, `xray` exports the classifier that comes with the package, and that has seen
    simulated radiographs alone. It needs `--images`; the options of sizes and intensities are for
    it. A run folder called `xray` comes first.

    Example: `mscam export RUN --format onnx --out DIR`, or `mscam export xray --format openvino
    --images folder/ --out DIR`
    """
    with explain_errors():
        from mscam_tf.data.manifests import list_images
        from mscam_tf.deployment import export_run

        paths = list_images(images) if images else None
        opened = _open(run, paths, settings)
        with CONSOLE.status("exporting"):
            written = export_run(
                opened,
                out,
                format,
                int8=int8,
                free_size=free_size,
                scale_maps=scale_maps,
                images=paths,
                server=server,
                overwrite=overwrite,
            )
        _print_comparisons(written)


def _open(run: Path, paths: list[Path] | None, settings: dict[str, Any]) -> "Run":
    from mscam_tf.runs import names_pretrained, open_run

    if not names_pretrained(run):
        refuse_settings(settings, "export")
        return open_run(run)
    if not paths:
        raise MscamError(
            "The pretrained classifier has no images of its own to compare its export with: give "
            "some of yours (--images). Received: none"
        )
    return open_xray(paths, settings)


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
