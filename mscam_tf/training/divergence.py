"""Trainings that went where no number is."""

import math
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from mscam_tf.errors import RunError


class DivergedError(RunError):
    """A training went where no number is; it would again with the same settings."""

    def __init__(self, what: str, received: Any) -> None:
        super().__init__(
            f"The training diverged{what}. Begin anew with a lower learning rate (--learning-rate; "
            f"--overwrite where a run is). Received: {received}"
        )


def find_no_numbers(model: keras.Model, losses: Iterable[float]) -> str:
    """Say what of a training is no number, if anything; rectified layers hide NaN from the loss."""
    if not all(math.isfinite(loss) for loss in losses):
        return "loss is no number"
    finite = all(np.isfinite(values).all() for values in model.get_weights())
    return "" if finite else "weights are no numbers"
