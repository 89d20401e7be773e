"""A run that stays open: its model, explainer, reader and task are loaded once for all images."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mscam_tf.data.reading import (
    ImageError,
    Problem,
    ReadOptions,
    map_images,
    read_image,
    resize_image,
)
from mscam_tf.errors import MscamError, RunError
from mscam_tf.names import show_place
from mscam_tf.runs.results import Explanation
from mscam_tf.runs.run import Run
from mscam_tf.runs.task import Task

if TYPE_CHECKING:
    from mscam_tf.runs.engine import Engine


@dataclass(frozen=True)
class _Image:
    """An image as the model sees it, and the size that it has in its file."""

    path: Path
    pixels: np.ndarray
    source_size: tuple[int, int]


@dataclass(frozen=True)
class Session:
    """A run that stays open.

    It streams over images: each is decoded once and goes through the model once, a batch at a
    time, so that memory does not grow with the number of images.

    Attributes:
        run: The run.
        engine: What makes maps of images.
        task: What the model's logits mean.
        image_size: `(height, width)` of the model's input, in pixels.
        read: How the intensities of images are read.
        batch_size: Images that go through the model at once.

    Examples:
        >>> import mscam_tf
        >>> session = mscam_tf.open_session(mscam_tf.open_run("run"))  # doctest: +SKIP
        >>> for result in session.explain(paths):  # doctest: +SKIP
        ...     print(result.path, result)
    """

    run: Run
    engine: "Engine"
    task: Task
    image_size: tuple[int, int]
    read: ReadOptions
    batch_size: int

    def explain(self, paths: Iterable[Path]) -> Iterator[Explanation | Problem]:
        """Explain images, one after the other.

        Args:
            paths: Image files.

        Returns:
            An iterator of one result an image, in their order: an `Explanation`, or a `Problem`
            where the image cannot be read.

        Raises:
            RunError: If the model gives NaN or infinity.
        """
        waiting: list[_Image | Problem] = []
        readable = 0
        for image in self._read(paths):
            waiting.append(image)
            readable += not isinstance(image, Problem)
            if readable == self.batch_size:
                yield from self._explain_batch(waiting)
                waiting, readable = [], 0
        yield from self._explain_batch(waiting)

    def explain_arrays(self, path: Path, arrays: Sequence[np.ndarray]) -> Iterator[Explanation]:
        """Explain images that were read already, as they are: all go through the model at once.

        Args:
            path: The file that they are from.
            arrays: `(H, W)` each, float32 in `[0, 1]`, of a size that the engine takes.

        Returns:
            An iterator of one explanation an image.

        Raises:
            RunError: If the model gives NaN or infinity.
        """
        for result in self._explain_batch([_Image(path, one, one.shape) for one in arrays]):
            if isinstance(result, Explanation):
                yield result

    def _read(self, paths: Iterable[Path]) -> Iterator[_Image | Problem]:
        def load(path: Path, options: ReadOptions) -> _Image:
            image = read_image(path, options)
            height, width = image.shape
            return _Image(path, resize_image(image, self.image_size), (height, width))

        for result in map_images(load, paths, self.read):
            yield result.problems[0] if isinstance(result, ImageError) else result

    def _explain_batch(
        self, waiting: Sequence[_Image | Problem]
    ) -> Iterator[Explanation | Problem]:
        images = [image.pixels for image in waiting if not isinstance(image, Problem)]
        outputs = self.engine.explain(np.stack(images)[..., None]) if images else {}
        index = 0
        for image in waiting:
            if isinstance(image, Problem):
                yield image
                continue
            yield self._collect(image, {name: values[index] for name, values in outputs.items()})
            index += 1

    def _collect(self, image: _Image, outputs: dict[str, np.ndarray]) -> Explanation:
        relevance, maps = self.engine.relevance, outputs["maps"]
        if not np.isfinite(outputs["logits"]).all():
            raise RunError(
                f"The model of run {self.run.folder} gives no finite numbers for {image.path}: "
                f"train it anew, in float32. Received: logits={outputs['logits'].tolist()}"
            )
        scales = range(1, len(relevance) + 1)
        named = [(f"scale{b}_maps", relevance[b - 1]) for b in scales]
        scale_maps = [outputs[name] * h for name, h in named if name in outputs]
        cells = [outputs.get(f"scale{b}_contributions") for b in scales]
        return Explanation(
            path=image.path,
            image=image.pixels,
            logits=outputs["logits"],
            probabilities=outputs["probabilities"],
            contributions=outputs["contributions"],
            relevance=relevance,
            maps=maps,
            scale_maps=np.stack(scale_maps) if scale_maps else np.empty((0, *maps.shape)),
            class_names=self.task.class_names,
            cell_contributions=tuple(each for each in cells if each is not None),
            source_size=image.source_size,
        )


def find_run(run: Run | Session) -> Run:
    """Return the run of a session; a run is returned as it is."""
    return run.run if isinstance(run, Session) else run


def open_session(
    run: Run | Session,
    *,
    engine: "Engine | None" = None,
    scale_maps: bool = True,
    flips: bool = False,
) -> Session:
    """Open a run for images: load its model, and build the explainer.

    Args:
        run: A finished run; a session is returned as it is, and takes no other engine or flips.
        engine: What makes maps of images; by default the run's model in Keras.
        scale_maps: Whether explanations hold the maps of each scale, and what each of its cells
            adds to the logits; without them it is quicker.
        flips: Whether to average over each image's four mirror images (`average_flips`).

    Returns:
        The session.

    Raises:
        RunError: If the training did not finish, or its model cannot be loaded.
        MscamError: If a session is asked for another engine, or for flips.
    """
    if isinstance(run, Session):
        if flips or engine is not None:
            raise MscamError(
                "A session keeps the engine that it was opened with: open another one. "
                f"Received: a session of {show_place(run.run.folder)}, flips={flips}, "
                f"engine={engine!r}"
            )
        return run
    if engine is None:
        # Where another engine stands there is no Keras.
        from mscam_tf.runs.engine import KerasEngine

        model = run.load_model()
        engine = KerasEngine(model, run.task.activation, scale_maps=scale_maps, flips=flips)
    return Session(run, engine, run.task, run.image_size, run.config.read, run.config.batch_size)
