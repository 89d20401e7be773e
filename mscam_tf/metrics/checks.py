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
        MscamError: If there is no image, if labels and probabilities differ in number, or if a
            probability is NaN or infinite.
    """

    @wraps(score)
    def checked(
        labels: np.ndarray, probabilities: np.ndarray, /, *args: _Rest.args, **kwargs: _Rest.kwargs
    ) -> _Result:
        _check(np.asarray(labels), np.asarray(probabilities))
        return score(labels, probabilities, *args, **kwargs)

    return checked


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


def check_maps(**maps: np.ndarray) -> None:
    """Refuse maps that are not finite, for which comparisons would hold in silence.

    Raises:
        MscamError: If one of them is NaN or infinite anywhere.
    """
    for name, values in maps.items():
        if not np.isfinite(values).all():
            raise MscamError(
                f"`{name}` must be finite numbers. Received: other values in "
                f"{(~np.isfinite(values)).sum()} of {np.size(values)} pixels"
            )
