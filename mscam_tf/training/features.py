"""What the heads read of images, computed once: the feature maps of a frozen backbone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.data.manifests import Manifest, sample_classes
from mscam_tf.fused_norms import fuse_norms
from mscam_tf.models import find_heads
from mscam_tf.runs import Run
from mscam_tf.training.preparation import make_split_dataset

VIEWS = 4  # Of each training image, each augmented by itself.
_LIMIT = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Features:
    """Features of images, and what is to be said of these.

    Attributes:
        maps: For each scale `(n, H_b, W_b, K_b)`, float16; where heads pool by the mean, the mean
            over the places, `(n, 1, 1, K_b)`.
        labels: As `Task.encode` returns them, `(n,)` or `(n, C)`.
    """

    maps: list[np.ndarray]
    labels: np.ndarray

    def batch(self, size: int) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
        """Yield maps and labels, so many images at once."""
        for first in range(0, len(self.labels), size):
            chosen = slice(first, first + size)
            yield [maps[chosen] for maps in self.maps], self.labels[chosen]


class FeatureReader:
    """Computes what the heads of the model of a run read, with the backbone in inference mode.

    Args:
        model: The classifier of the run.
        run: The run.
        memory: Bytes that features may take.
    """

    def __init__(self, model: keras.Model, run: Run, memory: int = 2**31) -> None:
        maps = [
            head.feature_map
            if head.pool is not None
            else ops.mean(ops.cast(head.feature_map, "float32"), axis=(1, 2), keepdims=True)
            for head in find_heads(model).heads
        ]
        halves = [ops.cast(ops.clip(x, -_LIMIT, _LIMIT), "float16") for x in maps]
        self._extractor, self._run = keras.Model(model.input, halves), run
        self._memory = memory
        self._shapes = [tuple(x.shape[1:]) for x in halves]

    def choose(self, manifest: Manifest, most_views: int) -> tuple[Manifest, int]:
        """Return as many images, and views of each, as fit into memory; of each class alike many.

        Views are given up before images are.
        """
        room = self._memory // sum(2 * int(np.prod(shape)) for shape in self._shapes)
        views = int(np.clip(room // len(manifest.samples), 1, most_views))
        if len(manifest.samples) > room:
            manifest = sample_classes(manifest, room, self._run.config.seed)
        return manifest, views

    def read(self, manifest: Manifest, views: int = 0) -> Features:
        """Compute the features of images as they are, or of so many augmented views of each."""
        count = len(manifest.samples) * max(1, views)
        maps = [np.empty((count, *shape), np.float16) for shape in self._shapes]
        labels, done = [], 0
        with fuse_norms(self._extractor):  # The first call traces the model.
            for images, truth in self._list_batches(manifest, views):
                for whole, part in zip(maps, self._extract(images), strict=True):
                    whole[done : done + len(truth)] = part
                labels.append(truth)
                done += len(truth)
        return Features(maps, np.concatenate(labels))

    def _list_batches(
        self, manifest: Manifest, views: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        dataset = make_split_dataset(self._run, manifest, training=views > 0)
        for _ in range(max(1, views)):  # Each pass draws other views.
            yield from dataset.as_numpy_iterator()

    def _extract(self, images: np.ndarray) -> Sequence[Any]:
        # Another size would have the model traced again: a smaller batch is filled up.
        filled = np.resize(images, (self._run.config.batch_size, *images.shape[1:]))
        found = self._extractor.predict_on_batch(filled)
        return [maps[: len(images)] for maps in (found if isinstance(found, list) else [found])]
