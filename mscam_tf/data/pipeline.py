"""tf.data pipelines: from files to batches."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from mscam_tf.data.augmentation import augment_batch, build_augmentation, skip_calls
from mscam_tf.data.reading import Admission, ReadOptions, check_images, read_image, resize_image
from mscam_tf.errors import MscamError

_DISK = "No space left on device"  # For TensorFlow a disk is a resource like memory.
_SHORT = re.compile(f"{_DISK}|OOM|allocat")  # What it says of what is short.


class Marks(Protocol):
    """Which objects are marked in images.

    Attributes:
        kinds: What each object of each image is for each class, `(n, N, C)`.
        counts: How much each class of each image counts, `(n, C)`.
    """

    @property
    def kinds(self) -> np.ndarray: ...  # noqa: D102

    @property
    def counts(self) -> np.ndarray: ...  # noqa: D102

    def paint(self, index: int) -> np.ndarray:
        """Return the number of the object at each pixel, from 1, or 0; float32 `(H, W, 1)`."""


def make_dataset(
    paths: Sequence[Path],
    labels: Sequence[int] | np.ndarray,
    image_size: tuple[int, int],
    batch_size: int = 16,
    *,
    training: bool = False,
    seed: int = 0,
    first_epoch: int = 0,
    read: ReadOptions | None = None,
    cache_bytes: int = 2**31,
    marks: Marks | None = None,
    divisor: int = 1,
) -> tf.data.Dataset:
    """Feed images and labels in batches.

    Args:
        paths: Image files, as `mscam_tf.data.reading.read_image` reads them.
        labels: Class index of each, or `(n, C)` of 0 and 1.
        image_size: `(height, width)` in pixels; other sizes are resized to it (area-averaged
            when they are larger, so that thin objects do not fall between the pixels).
        batch_size: Images a batch.
        training: Shuffle anew in each epoch, and augment.
        seed: Seed of both.
        first_epoch: Number of the epoch that comes first, when a training goes on: with its order
            and its augmentation.
        read: How intensities are read; `ReadOptions()` by default.
        cache_bytes: Decoded images are kept in memory between epochs if all of them need no more
            than this; 0 reads them anew each time.
        marks: Which objects are marked in the images. They are moved as the images are, and each
            place keeps the number of its object.
        divisor: Devices that share a batch: each batch has a multiple of so many images. In
            training the last few in the order of an epoch are left out; otherwise the first ones
            come once more at the end. `batch_size` must be a multiple, too.

    Returns:
        A dataset of `(images, labels)`: float32 `(batch, height, width, 1)` in `[0, 1]`, and
        int32 `(batch,)`, or float32 `(batch, C)`. With `marks`, in the place of the images a
        dict of `image`, of the `numbers` that `marks` paints, and of its `kinds` and `counts`.
    """
    targets, size = _as_targets(labels), len(paths)
    cached = size * image_size[0] * image_size[1] * 4 <= cache_bytes
    load = _make_loader(paths, image_size, read, cached=cached)
    if training:
        fed = size - size % divisor
        order = _shuffle(size, seed, first_epoch).take(fed)
    else:
        fed = size + -size % divisor
        order = tf.data.Dataset.range(fed).map(lambda number: number % size)

    def begin(index: tf.Tensor) -> Any:
        image = _call(load, index, image_size)
        return image if marks is None else _add_marks(image, marks, index, image_size)

    dataset = order.map(
        lambda index: (begin(index), tf.gather(targets, index)),
        num_parallel_calls=os.cpu_count(),
    )
    dataset = dataset.batch(min(batch_size, fed))  # Which makes room for as many at once.
    if training:
        augment = build_augmentation(seed)
        skip_calls(augment, first_epoch * -(-fed // batch_size))
        # One call at a time: the random state makes the same seed give the same images.
        dataset = dataset.map(lambda images, labels: (augment_batch(augment, images), labels))
    return turn_tuning_off(dataset.prefetch(2))


def _add_marks(
    image: tf.Tensor, marks: Marks, index: tf.Tensor, image_size: tuple[int, int]
) -> dict[str, tf.Tensor]:
    rows = {"kinds": marks.kinds, "counts": marks.counts}
    numbers = _call(lambda number: marks.paint(int(number)), index, image_size)
    return {
        "image": image,
        "numbers": numbers,
        **{name: tf.gather(values, index) for name, values in rows.items()},
    }


def _shuffle(size: int, seed: int, first_epoch: int) -> tf.data.Dataset:
    """Draw the order of the images anew in each epoch, by its number.

    An epoch begins with the first image that is asked for: Keras makes iterators that it never
    uses, and each of them would take an order of TensorFlow's own shuffling.
    """
    numbers = count(first_epoch)

    def draw() -> np.ndarray:
        return np.random.default_rng([seed, next(numbers)]).permutation(size)

    def begin(_: tf.Tensor) -> tf.data.Dataset:
        order = tf.ensure_shape(tf.numpy_function(draw, [], tf.int64), (size,))
        return tf.data.Dataset.from_tensor_slices(order)

    epoch = tf.data.Dataset.range(1).flat_map(begin)
    return epoch.apply(tf.data.experimental.assert_cardinality(size))


def turn_tuning_off(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return a dataset that TensorFlow does not tune.

    Where it does, the end of each epoch waits for the tuning thread, for up to half a minute. The
    dataset has to say itself how many images it reads at once.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


@contextmanager
def name_failures(paths: Sequence[Path], read: ReadOptions | None = None) -> Iterator[None]:
    """Say what TensorFlow failed on while it read images and computed.

    Args:
        paths: The images that it read.
        read: How they were read.

    Returns:
        A context manager.

    Raises:
        ImageError: If images cannot be read (any more): all of them are named.
        MscamError: If the memory is too small.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        # Of many lines, of which most are where TensorFlow was.
        lines = error.message.splitlines() or [""]
        reason = next((line for line in lines if _SHORT.search(line)), lines[0])
        if _DISK in reason:
            raise MscamError(f"The disk is full. Make room. Received: {reason}") from error
        raise MscamError(
            "The memory is too small. Give a smaller batch size (--batch-size) or smaller images "
            f"(--image-size). Received: {reason}"
        ) from error
    except tf.errors.OpError:
        check_images(paths, read)
        raise


def _as_targets(labels: Sequence[int] | np.ndarray) -> np.ndarray:
    targets = np.asarray(labels)
    return targets.astype(np.int32 if targets.ndim == 1 else np.float32)


def _make_loader(
    paths: Sequence[Path], image_size: tuple[int, int], read: ReadOptions | None, *, cached: bool
) -> Callable[[np.int64], np.ndarray]:
    """Return what reads an image by its index; where images fit into memory, only once."""
    admission = Admission()

    def load(index: np.int64) -> np.ndarray:
        with admission.admit():
            image = read_image(paths[int(index)], read)
        return resize_image(image, image_size)[..., None]

    kept: dict[int, np.ndarray] = {}

    def recall(index: np.int64) -> np.ndarray:
        if int(index) not in kept:
            kept[int(index)] = load(index)
        return kept[int(index)]

    return recall if cached else load


def _call(
    load: Callable[[np.int64], np.ndarray], index: tf.Tensor, image_size: tuple[int, int]
) -> tf.Tensor:
    image = tf.numpy_function(load, [index], tf.float32)
    return tf.ensure_shape(image, (*image_size, 1))
