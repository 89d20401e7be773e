"""Real images of a run, as its model takes them."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from mscam_tf.data.manifests import read_manifest
from mscam_tf.data.reading import ImageError, ReadOptions, map_images, read_image, resize_image
from mscam_tf.errors import MscamError
from mscam_tf.names import show_place
from mscam_tf.runs import Run

_BATCH = 8


def find_images(run: Run) -> list[Path]:
    """Return the validation images of a run, where it was trained.

    Raises:
        MscamError: If they are not there, or the run has none, as the pretrained classifier.
    """
    expected = "Give real images (`images`, --images)."
    if not run.split_file.is_file():
        raise MscamError(
            f"{expected} Received: run {show_place(run.folder)}, which has no split.csv"
        )
    samples = read_manifest(run.split_file).select("validation").samples
    paths = [Path(run.data) / sample.path for sample in samples]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise MscamError(
            f"An export is compared with the run on its validation images. {expected} "
            f"Received: {len(missing)} of {len(paths)} that are missing, {missing[0]}"
        )
    return paths


def read_batches(
    run: Run, paths: Sequence[Path], image_size: tuple[int, int] | None = None
) -> Iterator[np.ndarray]:
    """Read images as a session of the run does.

    Args:
        run: The run.
        paths: Image files.
        image_size: `(height, width)`; by default the run's.

    Returns:
        An iterator of batches `(n, H, W, 1)`, float32 in `[0, 1]`.

    Raises:
        ImageError: If an image cannot be read.
    """
    size = image_size or run.image_size

    def load(path: Path, options: ReadOptions) -> np.ndarray:
        return resize_image(read_image(path, options), size)

    images = map_images(load, paths, run.config.read)
    while batch := list(islice(images, _BATCH)):
        yield np.stack([_keep(image) for image in batch])[..., None]


def _keep(image: np.ndarray | ImageError) -> np.ndarray:
    if isinstance(image, ImageError):
        raise image
    return image
