"""Images on their way into a model: which are taken, at what size, and how they are read."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from mscam_tf.data import make_dataset
from mscam_tf.data.manifests import Manifest, ManifestError, drop_images
from mscam_tf.data.reading import fit_window
from mscam_tf.runs import Run, Task, TrainConfig

_LOGGER = logging.getLogger(__name__)
_STRONG_SHRINK = 2.0
_THIN = 1.5  # Pixels at which the pretrained weights still see an object.


def choose_image_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the most common size, each side rounded up to a multiple of 32 within 128 to 256.

    With multiples of 32, the coarsest stride, the mean of a full-size map is exactly the logit.

    Examples:
        >>> choose_image_size([(100, 100), (100, 100), (1024, 200)])
        (128, 128)
    """
    height, width = Counter(sizes).most_common(1)[0][0]
    return _round_up(height), _round_up(width)


def make_split_dataset(
    run: Run, manifest: Manifest, *, training: bool = False, **options: Any
) -> tf.data.Dataset:
    """Feed the samples of a manifest to the model of a run, read as the run reads them."""
    return make_dataset(
        manifest.paths,
        run.task.encode(manifest),
        run.image_size,
        run.config.batch_size,
        training=training,
        seed=run.config.seed,
        read=run.config.read,
        **options,
    )


def resolve_window(config: TrainConfig, paths: Sequence[Path]) -> TrainConfig:
    """Return the settings with the window that percentiles of the images give, if they are to."""
    if config.window_percentiles is None or config.read.window is not None:
        return config
    window = fit_window(paths, config.window_percentiles, config.read)
    return replace(config, read=replace(config.read, window=window))


def leave_out(
    manifest: Manifest, problems: Sequence[tuple[Path, str]], task: type[Task]
) -> Manifest:
    """Leave out bad images of a split, which must stay honest; the others keep their places."""
    left = drop_images(manifest, problems)
    lost = sorted(set(task.list_classes(manifest)) - set(task.list_classes(left)))
    if lost:
        raise ManifestError(f"Every class needs images that can be read. Received: none of {lost}")
    return task.split(left)


def _round_up(side: int) -> int:
    return int(np.clip(-(-side // 32) * 32, 128, 256))


def note_sizes(sizes: Sequence[tuple[int, int]], image_size: tuple[int, int]) -> None:
    """Say that images are resized, and how much: thin objects do not survive a strong shrink."""
    counts = Counter(sizes)
    if set(counts) == {image_size}:
        return
    _LOGGER.warning(
        "The images are resized to %s; their sizes: %d, from %s to %s.",
        image_size,
        len(counts),
        min(counts),
        max(counts),
    )
    shrink = np.max(np.array(list(counts)) / image_size)
    if shrink > _STRONG_SHRINK:
        _LOGGER.warning(
            "Some are shrunk %.1f times: objects thinner than %.0f pixels may be lost. "
            "Cut patches with `mscam tile`, or give a larger --image-size.",
            shrink,
            _THIN * shrink,
        )
