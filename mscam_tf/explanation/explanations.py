"""Explain images with a run: maps of every scale, and every logit as a sum in words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mscam_tf.data import make_dataset
from mscam_tf.data.reading import check_images
from mscam_tf.errors import MscamError
from mscam_tf.models import average_flips, build_explainer, read_relevance
from mscam_tf.runs import Run


@dataclass(frozen=True)
class Explanation:
    """What a run says of one image.

    Attributes:
        path: The image file.
        image: The image as the model saw it, `(H, W)`, values in `[0, 1]`.
        logits: `(C,)`.
        probabilities: `(C,)`.
        contributions: `(B, C)`, logits: what each scale adds to each logit.
        relevance: `(B, C)`.
        maps: `(H, W, C)`, logits.
        scale_maps: `(B, H, W, C)`, logits: `h_b M_b`, which add up to `maps`.
        class_names: Name of each class.
    """

    path: Path
    image: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    contributions: np.ndarray
    relevance: np.ndarray
    maps: np.ndarray
    scale_maps: np.ndarray
    class_names: list[str]

    @property
    def predicted(self) -> int:
        """Index of the most probable class, or finding."""
        return int(self.probabilities.argmax())

    def describe(self, class_index: int | None = None) -> str:
        """Say a class's logit as a sum over the scales; by default of the predicted class."""
        index = self.predicted if class_index is None else class_index
        name = self.class_names[index]
        return describe_logit(name, self.logits[index], self.contributions[:, index])


def describe_logit(class_name: str, logit: float, contributions: np.ndarray) -> str:
    """Say a logit in words: what each scale adds, and what the heads' biases add.

    Examples:
        >>> import numpy as np
        >>> describe_logit("bone", 1.3, np.array([0.4, 0.7]))
        'logit of bone = 1.30 = 0.40 from scale 1 + 0.70 from scale 2 + 0.20 bias'
    """
    terms = [(value, f"from scale {b}") for b, value in enumerate(contributions, start=1)]
    terms.append((logit - float(np.sum(contributions)), "bias"))
    words = f"{terms[0][0]:.2f} {terms[0][1]}"
    for value, source in terms[1:]:
        words += f" {'-' if value < 0 else '+'} {abs(value):.2f} {source}"
    return f"logit of {class_name} = {logit:.2f} = {words}"


def explain(run: Run, paths: Sequence[Path], flips: bool = False) -> Iterator[Explanation]:
    """Explain images with the model of a run, one after the other.

    Args:
        run: A finished run.
        paths: Image files.
        flips: Whether to average over each image's four mirror images (`average_flips`).

    Returns:
        An iterator of one `Explanation` an image.

    Raises:
        ImageError: If images cannot be read: all of them are named at once.
    """
    check_paths(paths)
    check_images(paths, run.config.read)  # Before any picture is written.
    return explain_readable(run, paths, flips)


def check_paths(paths: Sequence[Path]) -> None:
    """Raise `ValueError` if there are none."""
    if not paths:
        raise MscamError("Give at least one image. Received: paths=[]")


def explain_readable(run: Run, paths: Sequence[Path], flips: bool = False) -> Iterator[Explanation]:
    """Do what `explain` does, for images that were checked."""
    model = run.load_model()
    relevance = read_relevance(model, len(run.class_names))
    explainer = build_explainer(model, scale_maps=True, activation=run.config.activation)
    explainer = average_flips(explainer) if flips else explainer
    dataset = make_dataset(
        paths,
        [0] * len(paths),
        run.image_size,
        run.config.batch_size,
        read=run.config.read,
        cache_bytes=0,
    )
    return _explain_batches(explainer, dataset, paths, relevance, run.class_names)


def _explain_batches(
    explainer: keras.Model,
    dataset: Iterable[Any],
    paths: Sequence[Path],
    relevance: np.ndarray,
    class_names: list[str],
) -> Iterator[Explanation]:
    remaining = iter(paths)
    for images, _ in dataset:
        outputs = explainer.predict_on_batch(images)
        for index, image in enumerate(np.asarray(images)):
            one = {name: values[index] for name, values in outputs.items()}
            yield _collect(next(remaining), image[..., 0], one, relevance, class_names)


def _collect(
    path: Path,
    image: np.ndarray,
    outputs: dict[str, np.ndarray],
    relevance: np.ndarray,
    class_names: list[str],
) -> Explanation:
    scale_maps = [outputs[f"scale{b}_maps"] * h for b, h in enumerate(relevance, start=1)]
    return Explanation(
        path=path,
        image=image,
        logits=outputs["logits"],
        probabilities=outputs["probabilities"],
        contributions=outputs["contributions"],
        relevance=relevance,
        maps=outputs["maps"],
        scale_maps=np.stack(scale_maps),
        class_names=class_names,
    )
