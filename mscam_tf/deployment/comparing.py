"""Compare an export with Keras, on real images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.runs import Engine, OperatingPoint, Task, score_rejects

TOLERANCE = 1e-4  # Of the largest value, and of one logit where all are smaller.


class ExportError(MscamError):
    """An export does not say what the run says, and was not written."""


@dataclass(frozen=True)
class Comparison:
    """How far an export is from the run, on real images.

    Attributes:
        images: How many.
        logits_error: The largest difference of a logit.
        maps_error: The largest difference of a place of a map, in logits.
        maps_root_mean_square: Root of the mean square of these differences, in logits.
        largest_logit: The largest logit, without its sign.
        largest_map: The largest place of a map, without its sign, in logits.
        same_verdicts: How many images have the same verdict: the predicted classes, and whether
            the operating point rejects the image.
    """

    images: int
    logits_error: float
    maps_error: float
    maps_root_mean_square: float
    largest_logit: float
    largest_map: float
    same_verdicts: int

    def check(self) -> None:
        """Refuse what is not equal up to the rounding of float32.

        A verdict can then differ only where the score lies that near to the threshold, as those of
        images do by which the threshold was chosen.

        Raises:
            ExportError: If logits or maps differ by more than 1e-4 of the largest.
        """
        pairs = ((self.logits_error, self.largest_logit), (self.maps_error, self.largest_map))
        close = all(error <= TOLERANCE * max(1.0, largest) for error, largest in pairs)
        if not close:
            raise ExportError(
                "The export differs from the run by more than rounding, and was not written. "
                f"Expected: at most {TOLERANCE} of the largest value. Received: {self}"
            )


def compare(
    reference: Engine,
    engine: Engine,
    batches: Iterable[np.ndarray],
    task: Task,
    point: OperatingPoint | None,
) -> Comparison:
    """Compare what two engines say of images.

    Args:
        reference: What is right.
        engine: What is compared with it.
        batches: Images, `(n, H, W, 1)` each.
        task: What the logits mean.
        point: When an image is rejected; `None` if that is not known.

    Returns:
        The `Comparison`.

    Raises:
        ExportError: If the engine gives NaN or infinity.
    """
    found = [_compare_batch(reference.explain(b), engine.explain(b), task, point) for b in batches]
    counts = np.array([one[0] for one in found])
    squares = np.array([one[1] for one in found])
    largest = np.array([one[2] for one in found]).max(axis=0).tolist()
    return Comparison(
        images=int(counts[:, 0].sum()),
        logits_error=largest[0],
        maps_error=largest[1],
        maps_root_mean_square=float(np.sqrt(np.average(squares, weights=counts[:, 0]))),
        largest_logit=largest[2],
        largest_map=largest[3],
        same_verdicts=int(counts[:, 1].sum()),
    )


def _compare_batch(
    expected: dict[str, np.ndarray],
    given: dict[str, np.ndarray],
    task: Task,
    point: OperatingPoint | None,
) -> tuple[tuple[int, int], float, tuple[float, ...]]:
    """Return counts of images and same verdicts, a mean square, and what is largest."""
    for name, values in given.items():
        if not np.isfinite(values).all():
            raise ExportError(f"The export gives no finite numbers. Received: {name}")
    verdicts = (_judge(outputs["logits"], task, point) for outputs in (expected, given))
    same = sum(first == second for first, second in zip(*verdicts, strict=True))
    names = ("logits", "maps")
    errors = [_largest(given[name] - expected[name]) for name in names]
    scale_errors = [_largest(given[n] - expected[n]) for n in expected if n.startswith("scale")]
    errors[1] = max(errors[1], *scale_errors) if scale_errors else errors[1]
    square = float(np.mean(np.square(given["maps"] - expected["maps"], dtype=np.float64)))
    largest = [_largest(expected[name]) for name in names]
    return (len(expected["logits"]), same), square, (*errors, *largest)


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max())


def _judge(
    logits: np.ndarray, task: Task, point: OperatingPoint | None
) -> Sequence[tuple[str, bool]]:
    names = [task.name_prediction(one) for one in task.activate(logits.astype(np.float64))]
    rejected = np.zeros(len(names), bool)
    if point is not None and (point.good is not None or not task.exclusive):
        rejected = score_rejects(task, logits, point.good) >= point.decision_threshold
    return list(zip(names, rejected.tolist(), strict=True))
