"""The command `mscam tile`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import (
    BOXES,
    OUT,
    OVERWRITE,
    explain_errors,
    make_progress,
    say,
)
from mscam_tf.cli.options import add_options, make_settings
from mscam_tf.cli.tables import print_counts
from mscam_tf.data.reading import ReadOptions
from mscam_tf.data.tiling import Tiling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mscam_tf.data.manifests import Box, Manifest


def _parse_empty(text: Any) -> Any:
    """Read `keep` (`None`), `skip` or a number; what is no text stays as it is."""
    if not isinstance(text, str) or text == "keep":
        return None if text == "keep" else text
    try:
        return 0.0 if text == "skip" else float(text)
    except ValueError:
        raise typer.BadParameter(f"it is keep, skip or a number. Received: {text!r}") from None


@add_options(
    Tiling,
    empty={
        "metavar": "keep|skip|RATIO",
        "parser": _parse_empty,
        "show_default": "keep",
        "help": "Which patches without an object to keep: all (`keep`), none (`skip`), or this "
        "number of them for each patch with an object, drawn at random.",
    },
)
@add_options(ReadOptions)
def tile(
    frames: Annotated[
        Path, typer.Argument(metavar="FRAMES", help="An image, a folder of images, or a manifest.")
    ],
    out: OUT,
    boxes: BOXES = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of masks, each with the name of its frame; by default the masks of a "
            "manifest.",
        ),
    ] = None,
    overwrite: OVERWRITE = False,
    **settings: Any,
) -> None:
    """Cut films and frames into patches, with their masks and boxes.

    It writes PNG patches, manifest.csv (the label is object or none, and the frame is the group)
    and boxes.csv. A patch that shows only parts of objects, each smaller than --min-visible, is
    ambiguous, and is left out.

    Patches of 8-bit frames keep their values. Those of other frames, and all patches with --window,
    are stretched to 16 bits: 4095 in a 12-bit film becomes 65535. Without --window, a DICOM film is
    clipped to the window that the file holds, if it holds one.

    Example: `mscam tile films --boxes boxes.csv --overlap 0.25 --empty 1 --out patches`
    """
    with explain_errors(tensorflow=False):
        tiling = make_settings(Tiling, settings, read=make_settings(ReadOptions, settings))
        manifest = _tile(frames, out, tiling, boxes, masks, overwrite)
        print_counts(manifest)
        say(f"Wrote {out / 'manifest.csv'}")


def _tile(
    frames: Path,
    out: Path,
    tiling: Tiling,
    boxes: Path | None,
    masks: Path | None,
    overwrite: bool,
) -> "Manifest":
    from mscam_tf.data.manifests import is_manifest
    from mscam_tf.data.tiling import (
        PATCH_FOLDER,
        cut_patches,
        list_frames,
        list_inputs,
        plan_patches,
    )
    from mscam_tf.outputs import claim

    listed = list_frames(frames, masks)
    inputs = [frames, *([boxes] if boxes else []), *list_inputs(listed)]
    claim(out, PATCH_FOLDER, overwrite=overwrite, inputs=inputs)
    several = frames.is_dir() or is_manifest(frames)
    found = _find_boxes(listed, boxes, beside=masks is None and several)
    total = len(listed.samples)
    if found is None and not any(sample.mask for sample in listed.samples):
        say("There are neither boxes nor masks: every patch is labelled none.")
    if found is not None and not any(found.values()):
        say("The file of boxes is empty: every patch is labelled none.")
    with make_progress() as progress:
        task = progress.add_task("finding objects", total=total)
        patches, counts = plan_patches(
            listed,
            tiling,
            boxes=found,
            on_progress=lambda count: progress.advance(task, count),
        )
        task = progress.add_task("cutting patches", total=len(patches))
        manifest = cut_patches(
            patches,
            listed,
            out,
            tiling,
            overwrite=overwrite,
            on_progress=lambda count: progress.advance(task, count),
        )
    say(
        f"{total} frames: {counts['object']} patches with an object, {counts['none']} without "
        f"({counts['left out']} of these left out), {counts['ambiguous']} ambiguous (left out)."
    )
    return manifest


def _find_boxes(
    frames: "Manifest", boxes: Path | None, *, beside: bool
) -> "Mapping[str, Sequence[Box]] | None":
    """Read the boxes; none are passed over, which would label their patches `none`."""
    from mscam_tf.data.manifests import BOXES_FILE, match_boxes, read_boxes

    if boxes is None and beside and (frames.root / BOXES_FILE).is_file():
        boxes = frames.root / BOXES_FILE
    if boxes is None:
        return None
    found = read_boxes(boxes, frames.paths)
    return match_boxes(found, [sample.path for sample in frames.samples], frames.root)
