"""The pretrained classifier as the RUN of a command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.options import make_settings
from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from mscam_tf.runs import Run

RUN_OR_XRAY = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="Run folder of `mscam train`, or `xray` for the pretrained classifier, which "
        "needs no training.",
        show_default=False,
    ),
]
_MEASURED = 64  # Images whose sizes say what size they are resized to.


def refuse_settings(settings: dict[str, Any], command: str) -> None:
    """Refuse options of the pretrained classifier for a run."""
    usual = {**vars(ReadOptions()), "image_size": None}
    given = {name: value for name, value in settings.items() if value != usual[name]}
    if given:
        raise MscamError(
            "A run reads all images as its training did; sizes and intensities can be chosen for "
            f"`mscam {command} xray` alone. Received: {given}"
        )


def open_xray(paths: list[Path], settings: dict[str, Any]) -> "Run":
    """Open the pretrained classifier for images of the size that a training would choose."""
    from mscam_tf.data.reading import check_images
    from mscam_tf.runs import open_pretrained
    from mscam_tf.training import choose_image_size, note_sizes

    read = make_settings(ReadOptions, settings)
    image_size = settings["image_size"]
    if image_size is None:
        measured, _ = check_images(paths, read, skip_bad=True, most=_MEASURED)
        sizes = list(measured.values())
        image_size = choose_image_size(sizes)
        note_sizes(sizes, image_size)
    return open_pretrained(image_size, read)
