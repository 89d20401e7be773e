"""Thresholds of maps: what the maps of good images seldom reach."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from mscam_tf.errors import RunError
from mscam_tf.metrics import exceed_all_but
from mscam_tf.runs.decisions import find_good_images
from mscam_tf.runs.task import Task

if TYPE_CHECKING:
    import keras

MARKED = 0.05  # Of good images, at most.


def measure_maxima(
    explainer: "keras.Model",
    batches: Iterable[Any],
    on_batch: Callable[[np.ndarray, np.ndarray], None] | None = None,
) -> np.ndarray:
    """Return the highest place of each map of each image, `(n, C)`, in logits.

    The images are made batch by batch, and only one number a map is kept.

    Args:
        explainer: From `mscam_tf.build_explainer`.
        batches: Images, `(n, H, W, channels)`.
        on_batch: Called with the images of each batch, and their logits.

    Raises:
        RunError: If the maps hold what is no number.
    """
    kept = []
    for images in batches:
        outputs = explainer.predict_on_batch(images)
        maxima = np.asarray(outputs["maps"]).max(axis=(1, 2))
        if not np.isfinite(maxima).all():
            count = np.sum(~np.isfinite(maxima).all(axis=1))
            raise RunError(f"The maps must be numbers. Received: other values in {count} images")
        kept.append(maxima)
        if on_batch is not None:
            on_batch(np.asarray(images), np.asarray(outputs["logits"]))
    return np.concatenate(kept)


def choose_negatives(task: Task, labels: np.ndarray, good: str | None) -> dict[str, np.ndarray]:
    """Choose for each class the images whose maps must stay below its threshold.

    These are the good images; where there are none, the images without the class; and where there
    are none of those either, all images.

    Args:
        task: What the labels mean.
        labels: From `Task.encode`.
        good: The class of good images, from `find_good_class`.

    Returns:
        For each class but the good one booleans, `(n,)`.
    """
    good_images = find_good_images(task, labels, good)
    negatives = {}
    for index, name in enumerate(task.class_names):
        if name == good:
            continue
        without = labels != index if task.exclusive else labels[:, index] == 0
        choices = (good_images, without, np.ones(len(labels), bool))
        negatives[name] = next(chosen for chosen in choices if chosen.any())
    return negatives


def fit_map_thresholds(
    task: Task, maxima: np.ndarray, labels: np.ndarray, good: str | None
) -> dict[str, float]:
    """Fit the threshold of each class: the lowest that at most 5 % of its negatives reach.

    Args:
        task: What the labels mean.
        maxima: The highest place of each map, `(n, C)`, from `measure_maxima`.
        labels: From `Task.encode`, of the same images.
        good: The class of good images, from `find_good_class`.

    Returns:
        Thresholds in logits, for each class but the good one. The negatives of a class are those
        of `choose_negatives`.

    Examples:
        >>> from mscam_tf.runs import OneLabel
        >>> maxima, labels = np.arange(80.0).reshape(40, 2), np.ones(40, int)
        >>> found = fit_map_thresholds(OneLabel(["bone", "none"]), maxima, labels, "none")
        >>> [(name, round(value, 3)) for name, value in found.items()]
        [('bone', 74.0)]
        >>> int((maxima[:, 0] >= found["bone"]).sum())
        2
    """
    thresholds = {}
    for name, chosen in choose_negatives(task, labels, good).items():
        values = maxima[chosen, task.class_names.index(name)]
        thresholds[name] = exceed_all_but(values, int(MARKED * len(values)))
    return thresholds
