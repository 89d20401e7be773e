"""The verdict on an image: reject or accept, at the operating point of a run."""

import numpy as np

from mscam_tf.runs.decisions import score_rejects
from mscam_tf.runs.operating_point import OperatingPoint
from mscam_tf.runs.task import Task


def has_verdict(task: Task, point: OperatingPoint | None) -> bool:
    """Whether images can be rejected or accepted: it is known which ones are good."""
    return point is not None and (point.good is not None or not task.exclusive)


def is_rejected(task: Task, logits: np.ndarray, point: OperatingPoint) -> np.ndarray:
    """Return which images are rejected at an operating point, of logits `(..., C)`.

    Examples:
        >>> from mscam_tf.runs import OneLabel
        >>> point = OperatingPoint({}, decision_threshold=1.0, good="none")
        >>> logits = np.array([[2.0, 0.5], [1.0, 0.5]])
        >>> is_rejected(OneLabel(["bone", "none"]), logits, point)
        array([ True, False])
    """
    rejected: np.ndarray = score_rejects(task, logits, point.good) >= point.decision_threshold
    return rejected


def describe_verdict(
    task: Task, logits: np.ndarray, point: OperatingPoint | None
) -> dict[str, str]:
    """Return the reject score of an image and the verdict on it, as cells of a table.

    Args:
        task: What the logits mean.
        logits: `(C,)`.
        point: The operating point of the run; without one, or where it is not known which images
            are good, there are no cells.
    """
    if point is None or not has_verdict(task, point):
        return {}
    verdict = "reject" if is_rejected(task, logits, point) else "accept"
    return {"score": f"{score_rejects(task, logits, point.good):.6f}", "verdict": verdict}
