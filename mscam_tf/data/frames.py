"""Find and read whole films and frames, and their masks, with the bits they have."""

from collections import Counter
from pathlib import Path

import numpy as np

from mscam_tf.data.formats import read_stored
from mscam_tf.data.images import (
    SUFFIXES,
    ImageError,
    ReadOptions,
    is_image_file,
    name_problem,
    scale_stored,
)
from mscam_tf.data.manifest import ManifestError
from mscam_tf.data.sizes import read_mask


def list_frames(source: str | Path) -> tuple[Path, list[str]]:
    """Return a folder and the frames in it: all images of a folder, or a single file.

    Raises:
        ManifestError: If there are none, or two differ in their suffix only.
    """
    source = Path(source)
    folder = source if source.is_dir() else source.parent
    paths = sorted(source.rglob("*")) if source.is_dir() else [source]
    frames = [p.relative_to(folder).as_posix() for p in paths if is_image_file(p, folder)]
    if not frames:
        raise ManifestError(
            f"FRAMES must be an image or a folder of images ({', '.join(SUFFIXES)}). "
            f"Received: {source}"
        )
    counts = Counter(str(Path(frame).with_suffix("")) for frame in frames)
    name, count = counts.most_common(1)[0]
    if count > 1:
        raise ManifestError(f"Frames must differ in their names. Received: {count} named {name}")
    return folder, frames


def read_frame(path: Path, options: ReadOptions) -> np.ndarray:
    """Read a frame as whole numbers, dense bright: `(height, width)`, uint8 or uint16.

    Files of 8 bits keep their values; all others are scaled to the 16 bits of a PNG file, which
    loses nothing.

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
    """Return the mask of a frame: the file of its name, with any suffix.

    Raises:
        ManifestError: If there is none.
    """
    for suffix in (Path(frame).suffix, *SUFFIXES):
        path = (folder / frame).with_suffix(suffix)
        if path.is_file():
            return path
    raise ManifestError(
        f"Each frame needs a mask; give one of zeros where there is no object. Received: none for "
        f"{frame} in {folder}"
    )


def read_frame_mask(masks: Path, frame: str, size: tuple[int, ...]) -> np.ndarray:
    """Read the mask of a frame of this `(height, width)`.

    Raises:
        ManifestError: If there is none.
        ImageError: If it cannot be read, or has another size.
    """
    path = find_mask(masks, frame)
    mask = read_mask(path)
    if mask.shape != size:
        reason = f"expected the size {size} of its frame, but it has {mask.shape}"
        raise ImageError([(path, reason)])
    return mask
