"""The command `mscam explain`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import (
    OVERWRITE,
    RUN,
    SKIP_BAD,
    explain_errors,
    make_progress,
    read_data,
    say,
)

if TYPE_CHECKING:
    from mscam_tf.runs import Run


def explain(
    run: RUN,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Images, folders of images, or CSV manifests."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")],
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Take IMAGE... as DATA, and only its images in this split of the run: train, "
            "validation, test or all.",
        ),
    ] = None,
    flips: Annotated[
        bool,
        typer.Option(
            "--flips",
            help="Average the maps over the four mirror images of each image. They point at faint "
            "objects more often, and take four times as long.",
        ),
    ] = False,
    skip_bad: SKIP_BAD = False,
    overwrite: OVERWRITE = False,
) -> None:
    """Show where the model looked, at which scale, and how each score comes about.

    It writes two pictures for each image, the map over the image and the scales side by side, and
    for all images a sheet, the relevance of each scale, and `explanations.csv`. Red places are
    evidence for the predicted class, blue places are evidence against it, and elsewhere the image
    shows through. One colour means the same number of logits in all images. A place that is red in
    the maps of all classes is evidence for none of them, because only differences between the
    classes count.

    Example: `mscam explain RUN image.png folder/ --out maps`, or `mscam explain RUN DATA --split
    test --out maps`
    """
    with explain_errors():
        from mscam_tf.data.manifests import list_images
        from mscam_tf.runs import open_run, select_samples

        opened = open_run(run)
        if split is None:
            paths = list_images(images)
        else:
            parts = [select_samples(opened, read_data(data), split) for data in images]
            paths = [path for part in parts for path in part.paths]
        options = {"skip_bad": skip_bad, "overwrite": overwrite, "flips": flips}
        explain_with_progress(opened, paths, out, echo=True, **options)


def explain_with_progress(
    run: "Run", paths: list[Path], out: Path, *, echo: bool = False, **options: bool
) -> None:
    """Explain images with a bar, and say each in words on request."""
    from mscam_tf.explanation import write_explanations
    from mscam_tf.runs import Explanation

    with make_progress() as progress:
        task = progress.add_task("explaining", total=len(paths))

        def show(explanation: Explanation) -> None:
            progress.advance(task)
            if echo:
                line = f"{explanation.path.name}: {explanation.describe()}"
                say(line)

        write_explanations(run, paths, out, show, **options)
    say(f"Wrote {out / 'sheet.png'} and more")
