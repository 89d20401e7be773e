"""Intervals by bootstrap over groups."""

from collections.abc import Callable, Mapping

import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.metrics.checks import to_array
from mscam_tf.metrics.classification import Metric
from mscam_tf.settings import check_setting


def bootstrap_interval(
    metric: Metric,
    labels: np.ndarray,
    probabilities: np.ndarray,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a metric over resampled images.

    Whole groups are drawn with replacement: images of one fish or film are alike, and tell less
    than as many independent images. With a single group the interval is NaN. If the interval has
    the width zero, all resamples had the same value; without an error in `n` groups, the error
    rate may still be as high as about `3 / n`.

    Args:
        metric: Function of labels and probabilities.
        labels: Class index of each image, `(n,)`, or its findings, `(n, C)`.
        probabilities: `(n, C)`.
        groups: Group of each image, `(n,)`, at most one of them `None` or NaN; by default each
            image by itself.
        resamples: Number of resamples; without any, both ends are NaN.
        seed: Seed of the draw.

    References:
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    return bootstrap_intervals(
        {"": metric}, labels, probabilities, groups, resamples=resamples, seed=seed
    )[""]


def bootstrap_intervals(
    metrics: Mapping[str, Metric],
    labels: np.ndarray,
    probabilities: np.ndarray,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, tuple[float, float]]:
    """Return `bootstrap_interval` of each of several metrics, all over the same resamples.

    With 20,000 images and 14 classes this takes minutes: `on_progress` is called with 1 after each
    resample.
    """
    check_setting("resamples", resamples)
    check_setting("seed", seed)
    labels = to_array("labels", labels)
    probabilities = to_array("probabilities", probabilities)
    if labels.shape[:1] != probabilities.shape[:1] or not labels.shape:
        raise MscamError(
            "`labels` and `probabilities` must be of the same images. "
            f"Received: the shapes {labels.shape} and {probabilities.shape}"
        )
    groups = _check_groups(np.arange(len(labels)) if groups is None else groups, len(labels))
    _, starts = np.unique(np.sort(groups), return_index=True)
    members = np.split(np.argsort(groups, kind="stable"), starts[1:])
    generator = np.random.default_rng(seed)
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for _ in range(resamples):
        drawn = generator.integers(len(members), size=len(members))
        chosen = np.concatenate([members[i] for i in drawn])
        for name, metric in metrics.items():
            values[name].append(metric(labels[chosen], probabilities[chosen]))
        if on_progress is not None:
            on_progress(1)
    return {name: _cut_tails(found, len(members)) for name, found in values.items()}


def _check_groups(groups: np.ndarray, count: int) -> np.ndarray:
    """Return groups that can be sorted, one of each image."""
    hidden, groups = np.ma.is_masked(groups), np.asarray(groups)
    # NaN is not equal to itself. Of images without a group nobody knows that they are of one.
    nameless = sum(group is None or group != group for group in groups.ravel().tolist())
    found = "masked groups" if hidden else f"an array of the shape {groups.shape}"
    found += f", {nameless} of them None or NaN" if nameless > 1 else ""
    if hidden or nameless > 1 or groups.shape != (count,):
        raise MscamError(
            f"`groups` must name a group for each of {count} images. Received: {found}"
        )
    return groups.astype(str) if groups.dtype == object else groups


def _cut_tails(values: list[float], groups: int) -> tuple[float, float]:
    if groups < 2 or np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
