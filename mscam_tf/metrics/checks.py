"""What all scores of a classifier ask of its labels and probabilities."""

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import zip_longest
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from mscam_tf.errors import MscamError

_Rest = ParamSpec("_Rest")
_Result = TypeVar("_Result")
_MASKS = ("mask", "masks", "ignored")  # Arguments that say where something is, and are no values.
_Score = Callable[Concatenate[np.ndarray, np.ndarray, _Rest], _Result]


def of_numbers(
    score: _Score[_Rest, _Result], dims: tuple[int, ...] = (1, 2)
) -> _Score[_Rest, _Result]:
    """Make a score refuse what is no number, for which comparisons would hold in silence.

    Args:
        score: Function of labels and probabilities.
        dims: How many dimensions its labels may have: 1 for classes, 2 for findings.

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
            to_array("labels", labels),
            to_array("probabilities", probabilities),
        )
        _check(labels, probabilities, dims)
        return score(labels.astype(np.int64), probabilities, *args, **kwargs)

    return checked


def of_classes(score: _Score[_Rest, _Result]) -> _Score[_Rest, _Result]:
    """Make a score of one class an image refuse the labels of findings, and what is no number."""
    return of_numbers(score, (1,))


def of_findings(score: _Score[_Rest, _Result]) -> _Score[_Rest, _Result]:
    """Make a score of several findings refuse the labels of classes, and what is no number."""
    return of_numbers(score, (2,))


def to_array(name: str, values: Any) -> np.ndarray:
    """Return values as an array.

    Raises:
        MscamError: If they are no real numbers, or some are masked: what a mask hides would count.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:  # Of lists of different lengths.
        raise MscamError(f"`{name}` must be an array of real numbers. Received: {error}") from error
    if array.dtype.kind not in "buif" or np.ma.is_masked(values):
        kind = "masked values" if np.ma.is_masked(values) else f"values of type {array.dtype}"
        raise MscamError(f"`{name}` must be an array of real numbers. Received: {kind}")
    return array


def _check(labels: np.ndarray, probabilities: np.ndarray, dims: tuple[int, ...]) -> None:
    if 0 in (labels.ndim, probabilities.ndim):
        raise MscamError(
            "`labels` and `probabilities` must be arrays. "
            f"Received: the shapes {labels.shape} and {probabilities.shape}"
        )
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
    if labels.ndim not in dims:
        wanted = "(n, C), the findings" if 2 in dims else "(n,), the class"
        raise MscamError(
            f"`labels` must be of the shape {wanted} of each image. Received: {labels.shape}"
        )


def check_maps(ndim: int | None = None, /, **maps: np.ndarray) -> list[np.ndarray]:
    """Return maps and masks, floats in float64: sums over pixels go beyond what float16 holds.

    Args:
        ndim: How many dimensions they must have; any number by default.
        **maps: The arrays, by the names of their arguments.

    Raises:
        MscamError: If one of them has no pixel or other dimensions, or is NaN or infinite anywhere,
            for which comparisons would hold in silence; if a mask is negative anywhere (255 is -1
            in signed bytes); or if their shapes differ.
    """
    arrays = {name: to_array(name, values) for name, values in maps.items()}
    for name, values in arrays.items():
        if not values.size or values.ndim != (ndim or values.ndim):
            wanted = f"{ndim} dimensions and " if ndim else ""
            raise MscamError(
                f"`{name}` must have {wanted}at least one pixel. Received: the shape {values.shape}"
            )
        if not np.isfinite(values).all():
            raise MscamError(
                f"`{name}` must be finite numbers. Received: other values in "
                f"{(~np.isfinite(values)).sum()} of {np.size(values)} pixels"
            )
        if name in _MASKS and values.min() < 0:
            raise MscamError(
                f"`{name}` must be 0, or above it where something is. "
                f"Received: {values.min()} as the lowest, of type {values.dtype}"
            )
    shapes = {name: values.shape for name, values in arrays.items()}
    if len(set(shapes.values())) > 1:
        both = " and ".join(f"`{name}`" for name in shapes)
        raise MscamError(f"{both} must have the same shape. Received: {[*shapes.values()]}")
    return [x.astype(np.float64, copy=False) if x.dtype.kind == "f" else x for x in arrays.values()]


def check_boxes(boxes: np.ndarray) -> np.ndarray:
    """Return the boxes of an image, float64 `(n, 4)`: `x_min, y_min, x_max, y_max`.

    Raises:
        MscamError: If they have another shape, are not finite, or one of them is empty.
    """
    boxes = to_array("boxes", boxes).astype(float)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise MscamError(
            "`boxes` of an image must be finite numbers (n, 4): x_min, y_min, x_max, y_max. "
            f"Received: shape {boxes.shape}"
        )
    empty = ~(boxes[:, :2] < boxes[:, 2:]).all(1)
    if empty.any():
        raise MscamError(
            "`boxes` must have x_min < x_max and y_min < y_max. "
            f"Received: {boxes[empty][0].tolist()}"
        )
    return boxes


def pair(**parts: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Take what belongs to each image from several iterables, by the names of their arguments.

    Raises:
        MscamError: If one of them ends before another, or there is no image.
    """
    end, count = object(), 0
    names = " and ".join(f"`{name}`" for name in parts)
    for values in zip_longest(*parts.values(), fillvalue=end):
        if any(value is end for value in values):
            raise MscamError(
                f"{names} must be of the same images. Received: one has more than the other, of "
                f"which there are {count}"
            )
        yield values
        count += 1
    if not count:
        raise MscamError(f"{names} must be of at least one image. Received: none")
