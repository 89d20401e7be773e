"""The command `mscam explain`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import (
    FLIPS,
    OUT,
    OVERWRITE,
    SKIP_BAD,
    explain_errors,
    make_progress,
    read_data,
    say,
)
from mscam_tf.cli.options import add_options
from mscam_tf.cli.pretrained import RUN_OR_XRAY, open_xray, refuse_settings
from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError
from mscam_tf.runs import TrainConfig

if TYPE_CHECKING:
    from mscam_tf.runs import Run

_LISTED = 5  # Regions of an image that are listed on the screen.


@add_options(TrainConfig, only=["image_size"])
@add_options(ReadOptions)
def explain(
    run: RUN_OR_XRAY,
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...",
            help="Images, folders of images, or CSV manifests.",
            readable=False,  # One that is not is a bad image, and no reason to do nothing.
        ),
    ],
    out: OUT,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Take IMAGE... as DATA, and only its images in this split of the run: train, "
            "validation, test or all.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="LOGITS",
            help="Outline regions of the maps from this value on; by default from the run's own "
            "thresholds on, or from even odds where a run has none.",
        ),
    ] = None,
    box_format: Annotated[
        str | None,
        typer.Option(
            "--box-format",
            metavar="coco|yolo|voc",
            help="Write the boxes of the regions in this format too, for labelling tools: as "
            "boxes.json (COCO), or as a folder boxes (YOLO, Pascal VOC).",
        ),
    ] = None,
    flips: FLIPS = False,
    skip_bad: SKIP_BAD = False,
    overwrite: OVERWRITE = False,
    **settings: Any,
) -> None:
    """Show where the model looked, at which scale, and how each score comes about.

    It writes two pictures for each image, the map over the image and the scales side by side, and
    for all images a sheet, the relevance of each scale, `explanations.csv`, and `regions.csv`: the
    outlined places of each class, in pixels, with what each adds to the logit. Red places are
    evidence for the predicted class, blue places are evidence against it, and elsewhere the image
    shows through. One colour means the same number of logits in all images. A place that is red in
    the maps of all classes is evidence for none of them, because only differences between the
    classes count.

    Without a run, `xray` explains with the classifier that comes with the package, and that has
    seen simulated radiographs alone: it looks for bones, dense bodies, wires, voids and cracks. The
    options of sizes and intensities are for it; a run reads all images as its training did. A run
    folder called `xray` comes first.

    Example: `mscam explain RUN image.png folder/ --out maps`, or `mscam explain RUN DATA --split
    test --out maps`, or `mscam explain xray folder/ --out maps`
    """
    with explain_errors():
        from mscam_tf.data.manifests import list_images
        from mscam_tf.runs import names_pretrained, open_run

        if names_pretrained(run):
            if split is not None:
                raise MscamError(f"The pretrained classifier has no splits. Received: {split=}")
            paths = list_images(images)
            opened = open_xray(paths, settings)
        else:
            refuse_settings(settings, "explain")
            opened = open_run(run)
            paths = list_images(images) if split is None else _list_split(opened, images, split)
        explain_with_progress(
            opened,
            paths,
            out,
            echo=True,
            skip_bad=skip_bad,
            overwrite=overwrite,
            flips=flips,
            threshold=threshold,
            box_format=box_format,
        )


def _list_split(run: "Run", images: list[Path], split: str) -> list[Path]:
    from mscam_tf.runs import select_samples

    parts = [select_samples(run, read_data(data), split) for data in images]
    return [path for part in parts for path in part.paths]


def explain_with_progress(
    run: "Run", paths: list[Path], out: Path, *, echo: bool = False, **options: Any
) -> None:
    """Explain images with a bar, and say each and its regions in words on request."""
    from mscam_tf.explanation import write_explanations
    from mscam_tf.localization import Region, describe_regions
    from mscam_tf.runs import Explanation

    with make_progress() as progress:
        task = progress.add_task("explaining", total=len(paths))

        def show(explanation: Explanation, regions: list[Region]) -> None:
            progress.advance(task)
            if echo:
                say(f"{explanation.path.name}: {explanation.describe()}")
                for line in describe_regions(explanation, regions, most=_LISTED):
                    say(f"  {line}")

        write_explanations(run, paths, out, on_regions=show, **options)
    say(f"Wrote {out / 'sheet.png'} and more")
