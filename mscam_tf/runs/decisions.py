"""Reject or accept: the reject score of an image, and which images are good."""

import numpy as np
from scipy.special import logsumexp

from mscam_tf.data.manifests import NO_OBJECT
from mscam_tf.errors import MscamError
from mscam_tf.runs.task import Task


def find_good_class(task: Task, good: str | None = None) -> str | None:
    """Return the class of good images: the one given, or `none` if it is a class of the run.

    With several findings it is `None`: a good image has none of them.

    Raises:
        MscamError: If the class given is none of the run's, or there are several findings.

    Examples:
        >>> from mscam_tf.runs import OneLabel
        >>> find_good_class(OneLabel(["bone", "none"]))
        'none'
    """
    if good is None:
        return NO_OBJECT if task.exclusive and NO_OBJECT in task.class_names else None
    if not task.exclusive:
        raise MscamError(f"A good image has no finding, so no class is good. Received: {good=}")
    if good not in task.class_names:
        raise MscamError(f"`good` must be one of {task.class_names}. Received: {good=}")
    return good


def find_good_images(task: Task, labels: np.ndarray, good: str | None) -> np.ndarray:
    """Return which images are good.

    Args:
        task: What the labels mean.
        labels: From `Task.encode`: `(n,)`, or `(n, C)` with several findings.
        good: The class of good images, from `find_good_class`.

    Returns:
        Booleans, `(n,)`.

    Examples:
        >>> from mscam_tf.runs import OneLabel, SeveralFindings
        >>> find_good_images(OneLabel(["bone", "none"]), np.array([0, 1]), "none")
        array([False,  True])
        >>> find_good_images(SeveralFindings(["bone"]), np.array([[0.0], [1.0]]), None)
        array([ True, False])
    """
    if not task.exclusive:
        without_any: np.ndarray = np.equal(labels, 0).all(axis=1)
        return without_any
    if good is None:
        return np.zeros(len(labels), bool)
    is_good: np.ndarray = np.equal(labels, task.class_names.index(good))
    return is_good


def score_rejects(task: Task, logits: np.ndarray, good: str | None) -> np.ndarray:
    """Return the reject score of images, in logits: 0 are even odds.

    With one label it is the log odds that the class is another than the good one,
    `log sum_{c != good} exp(z^c) - z^good`; with several findings the largest logit, `max_c z^c`.

    Args:
        task: What the logits mean.
        logits: `(..., C)`.
        good: The class of good images, from `find_good_class`.

    Returns:
        Scores, `(...)`, float64.

    Raises:
        MscamError: If the run has one label, and no class of good images.

    Examples:
        >>> from mscam_tf.runs import OneLabel, SeveralFindings
        >>> float(score_rejects(OneLabel(["bone", "none"]), np.array([2.0, 0.5]), "none"))
        1.5
        >>> float(score_rejects(SeveralFindings(["bone", "void"]), np.array([-2.0, 0.5]), None))
        0.5
    """
    logits = np.asarray(logits, np.float64)
    if not task.exclusive:
        return logits.max(axis=-1)
    if good is None:
        raise MscamError(
            f"Say which class the good images have (`good`, --good): one of {task.class_names}. "
            "Received: good=None"
        )
    index = task.class_names.index(good)
    others: np.ndarray = logsumexp(np.delete(logits, index, axis=-1), axis=-1)
    return others - logits[..., index]
