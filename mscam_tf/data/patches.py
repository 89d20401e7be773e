"""Cut patches out of their frames and write them as a data set."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from mscam_tf.data.boxes import BOXES_FILE, write_boxes
from mscam_tf.data.frames import read_frame, read_frame_mask
from mscam_tf.data.manifest import MANIFEST_FILE, Manifest, ManifestError, Sample, write_manifest
from mscam_tf.data.tiling import Patch, Tiling, classify_patch
from mscam_tf.files import write_whole

_SETTINGS_FILE = "tiling.json"
_WRITTEN = ("images", "masks", MANIFEST_FILE, BOXES_FILE, _SETTINGS_FILE)


def cut_patches(
    patches: Sequence[Patch],
    source: Path,
    folder: str | Path,
    tiling: Tiling,
    *,
    masks: Path | None = None,
    overwrite: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Manifest:
    """Cut the patches out of their frames and write them, one frame in memory at a time.

    Writes PNG files of 8 or 16 bits (see `read_frame`) into `images/`, with masks of the same names
    in `masks/`, `manifest.csv` (path, label, group, split, mask, and the corner `x`, `y`),
    `boxes.csv`, and `tiling.json`, by which the folder is known as one of ours.

    Args:
        patches: From `plan_patches`.
        source: The folder of the frames.
        folder: Where to write; empty or missing, unless `overwrite`.
        tiling: How to cut.
        masks: The folder of the masks.
        overwrite: Replace what an earlier call has written there. Other files stay.
        on_progress: Called with 1 after each patch.

    Returns:
        The manifest: label `object` or `none`, and the frame as the group.

    Raises:
        ManifestError: If the folder is not empty and not ours to overwrite.
        ImageError: If a frame or mask cannot be read.
    """
    folder = Path(folder)
    check_folder(folder, overwrite)
    _clear(folder)
    settings = json.dumps({"frames": str(source), **asdict(tiling)}, indent=2)
    with write_whole(folder / _SETTINGS_FILE) as partial:
        partial.write_text(settings + "\n", encoding="utf-8")
    samples = []
    for patch, image, mask in _cut(patches, source, masks, tiling):
        samples.append(_write_patch(folder, patch, image, mask, tiling.min_visible))
        if on_progress is not None:
            on_progress(1)
    write_boxes({patch.path: patch.boxes for patch in patches}, folder / BOXES_FILE)
    manifest = Manifest(folder, tuple(samples))
    write_manifest(manifest, folder / MANIFEST_FILE)
    return manifest


def check_folder(folder: Path, overwrite: bool) -> None:
    """Raise a `ManifestError` unless `cut_patches` may write into the folder."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / _SETTINGS_FILE).is_file():
        raise ManifestError(f"The folder must be empty, or one of `mscam tile`. Received: {folder}")
    if not overwrite:
        raise ManifestError(f"{folder} exists; choose another folder, or add --overwrite.")


def _cut(
    patches: Sequence[Patch], source: Path, masks: Path | None, tiling: Tiling
) -> Iterator[tuple[Patch, np.ndarray, np.ndarray | None]]:
    for frame, group in groupby(patches, key=lambda patch: patch.frame):
        image = read_frame(source / frame, tiling.read)
        mask = None if masks is None else read_frame_mask(masks, frame, image.shape)
        for patch in group:
            window = None if mask is None else _take(mask, patch, tiling.size, "constant")
            yield patch, _take(image, patch, tiling.size, "edge"), window


def _take(
    pixels: np.ndarray, patch: Patch, side: int, mode: Literal["constant", "edge"]
) -> np.ndarray:
    window = pixels[patch.y : patch.y + side, patch.x : patch.x + side]
    below, right = side - window.shape[0], side - window.shape[1]
    return np.pad(window, ((0, below), (0, right)), mode=mode) if below or right else window


def _write_patch(
    folder: Path, patch: Patch, image: np.ndarray, mask: np.ndarray | None, min_visible: float
) -> Sample:
    _write_png(folder / patch.path, image)
    name = ""
    if mask is not None:
        name = patch.path.replace("images/", "masks/", 1)
        _write_png(folder / name, mask.astype(np.uint8 if mask.max() < 256 else np.uint16))
    corner = {"x": str(patch.x), "y": str(patch.y)}
    label = classify_patch(patch, min_visible)
    return Sample(patch.path, label, patch.frame, mask=name, extra=corner)


def _write_png(path: Path, pixels: np.ndarray) -> None:
    with write_whole(path) as partial:
        Image.fromarray(np.ascontiguousarray(pixels)).save(partial)


def _clear(folder: Path) -> None:
    """Remove what an earlier call has written, and nothing else that is there."""
    for name in _WRITTEN:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
