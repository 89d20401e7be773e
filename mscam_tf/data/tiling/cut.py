"""Cut patches out of their frames and write them as a data set."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np

from mscam_tf.data.manifests import (
    BOXES_FILE,
    MANIFEST_FILE,
    TILING_FILE,
    Manifest,
    Sample,
    write_boxes,
    write_manifest,
)
from mscam_tf.data.reading import MASKS_FOLDER, number_objects
from mscam_tf.data.tiling.config import Tiling
from mscam_tf.data.tiling.frames import list_inputs, read_frame, read_frame_mask
from mscam_tf.data.tiling.plan import Patch, classify_patch
from mscam_tf.errors import MscamError
from mscam_tf.files import write_json, write_png
from mscam_tf.folders import write_whole_folder
from mscam_tf.outputs import Kind, claim

PATCH_FOLDER = Kind(
    "patches of `mscam tile`",
    TILING_FILE,
    keys=("frames", "size", "overlap"),
    entries=(
        *("images", MASKS_FOLDER, BOXES_FILE, TILING_FILE, MANIFEST_FILE),
        *(f"{folder}/*x[0-9]*_y[0-9]*.png" for folder in ("images", MASKS_FOLDER)),
    ),
)


def cut_patches(
    patches: Sequence[Patch],
    frames: Manifest,
    folder: str | Path,
    tiling: Tiling,
    *,
    overwrite: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Manifest:
    """Cut the patches out of their frames and write them, one frame in memory at a time.

    Writes PNG files of 8 or 16 bits (see `read_frame`) into `images/`, with masks of the same names
    in `masks/`, `manifest.csv` (path, label, group, split, mask, the frame's other columns, and the
    corner `x`, `y`), `boxes.csv`, and `tiling.json`, by which the folder is known as one of ours.
    The folder appears, or changes, when all is written.

    Args:
        patches: From `plan_patches`.
        frames: The frames, from `list_frames`.
        folder: Where to write; empty or missing, unless `overwrite`.
        tiling: How to cut.
        overwrite: Replace what an earlier call has written there. Other files stay.
        on_progress: Called with 1 after each patch.

    Returns:
        The manifest: label `object` or `none`, and the group and split of the frame; the frame
        itself is the group where no other is known.

    Raises:
        OutputError: If the folder is not empty and not ours to overwrite, or holds frames.
        ImageError: If a frame or mask cannot be read.
    """
    folder = Path(folder)
    claim(folder, PATCH_FOLDER, overwrite=overwrite, inputs=list_inputs(frames))
    samples = []
    with write_whole_folder(folder, PATCH_FOLDER.entries) as partial:
        write_json(partial / TILING_FILE, {"frames": str(frames.root), **asdict(tiling)})
        for patch, frame, image, mask in _cut(patches, frames, tiling):
            label = classify_patch(patch, tiling.min_visible)
            samples.append(_write_patch(partial, patch, frame, label, image, mask))
            if on_progress is not None:
                on_progress(1)
        write_boxes({patch.path: patch.boxes for patch in patches}, partial / BOXES_FILE)
        manifest = Manifest(folder, tuple(samples))
        write_manifest(manifest, partial / MANIFEST_FILE)
    return manifest


def _cut(
    patches: Sequence[Patch], frames: Manifest, tiling: Tiling
) -> Iterator[tuple[Patch, Sample, np.ndarray, np.ndarray | None]]:
    samples = {sample.path: sample for sample in frames.samples}
    masked = any(sample.mask for sample in frames.samples)
    for path, group in groupby(patches, key=lambda patch: patch.frame):
        frame = samples[path]
        image = read_frame(frames.root / path, tiling.read)
        mask = None
        if masked:
            mask = _fit_numbers(read_frame_mask(frames, frame, image.shape, tiling.read))
        for patch in group:
            window = None if mask is None else _take(mask, patch, tiling.size, "constant")
            yield patch, frame, _take(image, patch, tiling.size, "edge"), window


def _fit_numbers(mask: np.ndarray) -> np.ndarray:
    """Number objects anew where 16 bits cannot hold it: from 2, because 1 would mean regions."""
    if mask.max(initial=0) < 2**16:
        return mask
    objects = number_objects(mask)
    values, dense = np.unique(objects, return_inverse=True)
    if len(values) > 2**16 - 2:
        raise MscamError(f"A mask of a frame may hold 65,534 objects. Received: {len(values)}")
    return np.where(objects > 0, dense.reshape(mask.shape) + 1 + (values[0] > 0), 0)


def _take(
    pixels: np.ndarray, patch: Patch, side: int, mode: Literal["constant", "edge"]
) -> np.ndarray:
    window = pixels[patch.y : patch.y + side, patch.x : patch.x + side]
    below, right = side - window.shape[0], side - window.shape[1]
    return np.pad(window, ((0, below), (0, right)), mode=mode) if below or right else window


def _write_patch(
    folder: Path,
    patch: Patch,
    frame: Sample,
    label: str,
    image: np.ndarray,
    mask: np.ndarray | None,
) -> Sample:
    write_png(folder / patch.path, image)
    name = ""
    if mask is not None:
        name = patch.path.replace("images", MASKS_FOLDER, 1)
        write_png(folder / name, mask.astype(np.uint8 if mask.max() < 256 else np.uint16))
    corner = {"x": str(patch.x), "y": str(patch.y)}
    extra = {**frame.extra, **corner}
    return Sample(patch.path, label, frame.group, frame.split, name, extra)
