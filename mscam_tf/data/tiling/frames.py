"""Find and read whole films and frames, and their masks, with the bits they have."""

from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np

from mscam_tf.data.manifests import (
    Manifest,
    ManifestError,
    Sample,
    find_spelling,
    identify,
    is_manifest,
    list_files,
    read_manifest,
)
from mscam_tf.data.reading import (
    SUFFIXES,
    ReadOptions,
    name_problem,
    read_mask_of,
    read_stored,
    scale_stored,
)
from mscam_tf.names import show_place


def list_frames(source: str | Path, masks: str | Path | None = None) -> Manifest:
    """List films and frames, with their masks.

    Args:
        source: A folder of images, a single one, or a manifest (a CSV file, or a folder that holds
            a `manifest.csv`).
        masks: A folder with a mask for each frame, under its name with any suffix, instead of the
            masks of the manifest.

    Raises:
        ManifestError: If there are no frames, two differ in their suffix only, or one has no mask
            in `masks`, or several.
    """
    source = Path(source)
    frames = read_manifest(source) if is_manifest(source) else _list_files(source)
    counts = Counter(name_frame(sample.path) for sample in frames.samples)
    name, count = counts.most_common(1)[0]
    if count > 1:
        raise ManifestError(f"Frames must differ in their names. Received: {count} named {name}")
    if masks is None:
        return frames
    found = [find_mask(Path(masks), sample.path).resolve() for sample in frames.samples]
    pairs = zip(frames.samples, found, strict=True)
    return replace(frames, samples=tuple(replace(s, mask=mask.as_posix()) for s, mask in pairs))


def name_frame(path: str) -> str:
    """Name what belongs to a frame: its path without suffix, and without ways out of the folder.

    Examples:
        >>> name_frame("../films/w1.tif")
        'films/w1'
    """
    frame = PurePath(path).with_suffix("")
    return "/".join(part for part in frame.parts if part not in ("..", frame.anchor))


def list_inputs(frames: Manifest) -> list[Path]:
    """Return all files of frames and masks."""
    return frames.paths + [frames.root / sample.mask for sample in frames.samples if sample.mask]


def read_frame(path: Path, options: ReadOptions) -> np.ndarray:
    """Read a frame as whole numbers, dense bright: `(height, width)`, uint8 or uint16.

    Files of 8 bits keep their values. All others, and any with a window in the options, are
    stretched to the 16 bits of a PNG file: 4095 of a 12-bit film becomes 65535. That keeps integers
    of up to 16 bits apart, rounds floats and wider integers, and clips what lies outside the
    window: that of the options, or else a DICOM file's own.

    Raises:
        ImageError: If the file cannot be read.
    """
    try:
        stored = read_stored(path, options.page, options.max_pixels)
        scaled = scale_stored(stored, options)
    except Exception as error:  # Decoders raise whatever they please on broken files.
        raise name_problem(path, error) from error
    eight = stored.values.dtype == np.uint8 and options.window is None
    return np.round(scaled * (255 if eight else 65535)).astype(np.uint8 if eight else np.uint16)


def find_mask(folder: Path, frame: str) -> Path:
    """Return the mask of a frame in a folder of masks: the file of its name, with any suffix.

    Raises:
        ManifestError: If there is none, or several.
    """
    name = name_frame(frame)
    suffixes = [write(suffix) for suffix in SUFFIXES for write in (str.lower, str.upper)]
    tries = dict.fromkeys(f"{name}{suffix}" for suffix in (PurePath(frame).suffix, *suffixes))
    paths = (folder / find_spelling(path, folder) for path in tries)
    found = {identify(path): path for path in paths if path.is_file()}
    if len(found) != 1:
        names = " and ".join(path.name for path in found.values()) or "none"
        raise ManifestError(
            "Each frame needs a mask, and one only; give one of zeros where there is no object. "
            f"Received: {names} for {frame} in {show_place(folder)}"
        )
    return next(iter(found.values()))


def read_frame_mask(
    frames: Manifest, frame: Sample, size: tuple[int, ...], options: ReadOptions
) -> np.ndarray:
    """Read the mask of a frame of this `(height, width)`: zeros if it has none.

    Raises:
        ImageError: If it cannot be read, has another size, or is not turned as its frame is.
    """
    if not frame.mask:
        return np.zeros(size, np.int32)
    return read_mask_of(frames.root / frame.path, frames.root / frame.mask, options, size)


def _list_files(source: Path) -> Manifest:
    folder = source if source.is_dir() else source.parent
    known = source.is_file() and source.suffix.lower() in SUFFIXES
    paths = list_files(source, sets=False) if source.is_dir() else [source] * known
    names = [path.relative_to(folder).as_posix() for path in paths]
    if not names:
        raise ManifestError(
            f"FRAMES must be an image, a folder of images ({', '.join(SUFFIXES)}), or a manifest. "
            f"Received: {show_place(source)}"
        )
    return Manifest(folder, tuple(Sample(name, "", name) for name in names))
