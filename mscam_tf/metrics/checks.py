"""What all scores of a classifier ask of its labels and probabilities."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from mscam_tf.errors import MscamError

_Rest = ParamSpec("_Rest")
_Result = TypeVar("_Result")
_Score = Callable[Concatenate[np.ndarray, np.ndarray, _Rest], _Result]


def of_numbers(score: _Score[_Rest, _Result]) -> _Score[_Rest, _Result]:
    """Make a score refuse what is no number, for which comparisons would hold in silence.

    Raises:
        MscamError: If there is no image, if labels and probabilities differ in number, if a
            probability is NaN or infinite, or if a label is no index of a class; of findings, if it
            is neither 0 nor 1.
    """

    @wraps(score)
    def checked(
        labels: np.ndarray, probabilities: np.ndarray, /, *args: _Rest.args, **kwargs: _Rest.kwargs
    ) -> _Result:
        labels, probabilities = (
            _to_array("labels", labels),
            _to_array("probabilities", probabilities),
        )
        _check(labels, probabilities)
        return score(labels.astype(np.int64), probabilities, *args, **kwargs)

    return checked


def _to_array(name: str, values: np.ndarray) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "buif" or np.ma.is_masked(values):
        kind = "masked values" if np.ma.is_masked(values) else f"values of type {array.dtype}"
        raise MscamError(f"`{name}` must be an array of real numbers. Received: {kind}")
    return array


def _check(labels: np.ndarray, probabilities: np.ndarray) -> None:
    if not len(labels) or len(labels) != len(probabilities):
        raise MscamError(
            "`labels` and `probabilities` must be of the same images, at least of one. "
            f"Received: {len(labels)} labels and {len(probabilities)} rows of probabilities"
        )
    if not np.isfinite(probabilities).all():
        bad = ~np.isfinite(probabilities.reshape(len(probabilities), -1)).all(1)
        raise MscamError(
            "`probabilities` must be finite numbers. Received: other values in "
            f"{bad.sum()} of {len(bad)} rows, first in row {bad.argmax()}"
        )
    if probabilities.ndim != 2 or (labels.ndim != 1 and labels.shape != probabilities.shape):
        raise MscamError(
            "`labels` must be of the shape (n,), or (n, C) for findings, and `probabilities` of "
            f"(n, C). Received: {labels.shape} and {probabilities.shape}"
        )
    highest = probabilities.shape[1] - 1 if labels.ndim == 1 else 1
    wrong = labels[~np.isin(labels, np.arange(highest + 1))]
    if wrong.size:
        raise MscamError(
            f"`labels` must be whole numbers from 0 to {highest}. Received: {wrong.size} others, "
            f"such as {wrong[0]}"
        )


def check_maps(**maps: np.ndarray) -> list[np.ndarray]:
    """Return maps and masks, floats in float64: sums over pixels go beyond what float16 holds.

    Raises:
        MscamError: If one of them is NaN or infinite anywhere, for which comparisons would hold in
            silence, or if their shapes differ.
    """
    arrays = {name: _to_array(name, values) for name, values in maps.items()}
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise MscamError(
                f"`{name}` must be finite numbers. Received: other values in "
                f"{(~np.isfinite(values)).sum()} of {np.size(values)} pixels"
            )
    shapes = {name: values.shape for name, values in arrays.items()}
    if len(set(shapes.values())) > 1:
        both = " and ".join(f"`{name}`" for name in shapes)
        raise MscamError(f"{both} must have the same shape. Received: {[*shapes.values()]}")
    return [x.astype(np.float64, copy=False) if x.dtype.kind == "f" else x for x in arrays.values()]
