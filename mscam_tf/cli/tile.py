"""The command `mscam tile`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mscam_tf.cli.console import (
    INVERT,
    MAX_PIXELS,
    OVERWRITE,
    PAGE,
    WINDOW,
    explain_errors,
    make_progress,
    say,
)
from mscam_tf.cli.tables import print_counts
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mscam_tf.data.manifests import Box, Manifest
    from mscam_tf.data.tiling import Tiling


def tile(
    frames: Annotated[
        Path, typer.Argument(metavar="FRAMES", help="An image, a folder of images, or a manifest.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to create.")],
    size: Annotated[int, typer.Option(min=1, help="Side of the patches in pixels.")] = 224,
    overlap: Annotated[float, typer.Option(help="Share of a patch that the next repeats.")] = 0.0,
    boxes: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Boxes: path,x_min,y_min,x_max,y_max; by default the boxes.csv beside a manifest.",
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Masks, each named as its frame; by default those of a manifest."
        ),
    ] = None,
    min_visible: Annotated[
        float, typer.Option(help="A patch shows an object if so much of its area is inside.")
    ] = 0.5,
    empty: Annotated[
        str,
        typer.Option(
            metavar="keep|skip|RATIO",
            help="Patches without an object: all, none, or so many for each with one.",
        ),
    ] = "keep",
    border: Annotated[
        str,
        typer.Option(metavar="shift|pad|drop", help="What to do with the rest at a border."),
    ] = "shift",
    window: WINDOW = None,
    invert: INVERT = False,
    page: PAGE = None,
    max_pixels: MAX_PIXELS = 100_000_000,
    seed: Annotated[int, typer.Option(help="Of the choice among empty patches.")] = 0,
    overwrite: OVERWRITE = False,
) -> None:
    """Cut films and frames into patches, with their masks and boxes.

    Writes PNG patches, manifest.csv (label object or none; the frame is the group) and boxes.csv.
    A patch with only parts of objects, each below --min-visible, is ambiguous, and left out.

    Patches of 8-bit frames have the same values. All others, and any with --window, are stretched
    to 16 bits: 4095 of a 12-bit film becomes 65535. Without --window, a DICOM film is clipped to
    the window that it holds, if any.

    Example: `mscam tile films --boxes boxes.csv --overlap 0.25 --empty 1 --out patches`
    """
    with explain_errors(tensorflow=False):
        from mscam_tf.data.reading import ReadOptions
        from mscam_tf.data.tiling import Tiling

        read = ReadOptions(window, invert, page, max_pixels)
        tiling = Tiling(size, overlap, border, min_visible, _read_empty(empty), seed, read)
        manifest = _tile(frames, out, tiling, boxes, masks, overwrite)
        print_counts(manifest)
        say(f"Wrote {out / 'manifest.csv'}")


def _tile(
    frames: Path,
    out: Path,
    tiling: "Tiling",
    boxes: Path | None,
    masks: Path | None,
    overwrite: bool,
) -> "Manifest":
    from mscam_tf.data.tiling import (
        PATCH_FOLDER,
        cut_patches,
        is_manifest,
        list_frames,
        list_inputs,
        plan_patches,
    )
    from mscam_tf.outputs import claim

    listed = list_frames(frames, masks)
    inputs = [frames, *([boxes] if boxes else []), *list_inputs(listed)]
    claim(out, PATCH_FOLDER, overwrite=overwrite, inputs=inputs)
    found = _find_boxes(listed, boxes, beside=masks is None and is_manifest(frames))
    total = len(listed.samples)
    if found is None and not any(sample.mask for sample in listed.samples):
        say("There are neither boxes nor masks: every patch is labelled none.")
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
    from mscam_tf.data.manifests import find_boxes, match_boxes, read_boxes

    if boxes is not None:
        return match_boxes(read_boxes(boxes), [sample.path for sample in frames.samples])
    return find_boxes(frames) if beside else None


def _read_empty(text: str) -> float | None:
    if text in ("keep", "skip"):
        return None if text == "keep" else 0.0
    try:
        return float(text)
    except ValueError:
        raise MscamError(f"`--empty` is keep, skip or a number. Received: {text!r}") from None
