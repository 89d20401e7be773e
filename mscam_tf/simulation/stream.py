"""Endless batches of fresh scenes, simulated in other processes while a model trains on them."""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np

from mscam_tf.simulation.scenes import TARGETS, simulate_scene
from mscam_tf.workers import open_workers


@dataclass(frozen=True)
class SceneBatch:
    """A batch of scenes.

    Attributes:
        images: `(batch, H, W, 1)`, float32, in `[0, 1]`.
        targets: `(batch, K)`, float32: which of `TARGETS` are to be seen.
        coverage: `(batch, H / s, W / s, K)`, float32: which share of each cell a target covers.
        hidden: The same for what is there and cannot be seen: a loss may pass over these cells.
    """

    images: np.ndarray
    targets: np.ndarray
    coverage: np.ndarray
    hidden: np.ndarray


def simulate_batch(
    image_size: tuple[int, int], batch_size: int, stride: int, seed: int, step: int
) -> SceneBatch:
    """Simulate the batch of a step; the same seed and step give the same batch.

    Args:
        image_size: `(height, width)` in pixels, multiples of the stride.
        batch_size: Scenes.
        stride: Side of the cells in which the coverage is counted, in pixels.
        seed: Seed of the stream.
        step: Number of the batch.
    """
    scenes = [
        simulate_scene(image_size, np.random.default_rng([seed, step, index]))
        for index in range(batch_size)
    ]
    return SceneBatch(
        np.stack([scene.image for scene in scenes])[..., None],
        np.stack([scene.targets for scene in scenes]),
        np.stack([measure_coverage(scene.masks, image_size, stride) for scene in scenes]),
        np.stack([measure_coverage(scene.hidden, image_size, stride) for scene in scenes]),
    )


def measure_coverage(
    masks: Mapping[str, np.ndarray], image_size: tuple[int, int], stride: int
) -> np.ndarray:
    """Return which share of each cell of a grid each target covers, `(H / s, W / s, K)`."""
    height, width = (side // stride for side in image_size)
    coverage = np.zeros((height, width, len(TARGETS)), np.float32)
    for number, name in enumerate(TARGETS):
        if name in masks:
            cells = masks[name].reshape(height, stride, width, stride)
            coverage[..., number] = cells.mean((1, 3))
    return coverage


def stream_batches(
    image_size: tuple[int, int],
    batch_size: int,
    stride: int,
    seed: int,
    first_step: int,
    processes: int,
) -> Iterator[SceneBatch]:
    """Yield the batches of all steps from `first_step` on, without end.

    Args:
        image_size: `(height, width)` in pixels, multiples of the stride.
        batch_size: Scenes in a batch.
        stride: Side of the cells in which the coverage is counted, in pixels.
        seed: Seed of the stream.
        first_step: Where to begin, so that a stream that was stopped can go on.
        processes: Processes that simulate ahead; 0 simulates in this one.
    """
    simulate = partial(simulate_batch, image_size, batch_size, stride, seed)
    if processes == 0:
        yield from map(simulate, count(first_step))
    steps = count(first_step)
    with open_workers(processes) as pool:
        waiting: deque[Future[SceneBatch]] = deque()
        while True:
            while len(waiting) < 2 * processes + 2:
                waiting.append(pool.submit(simulate, next(steps)))
            yield waiting.popleft().result()
