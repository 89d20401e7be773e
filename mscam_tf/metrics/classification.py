"""Scores of a classifier. All of them refuse probabilities that are NaN or infinite."""

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from mscam_tf.errors import MscamError
from mscam_tf.metrics.checks import of_classes, of_findings, of_numbers
from mscam_tf.settings import check_setting

Metric = Callable[[np.ndarray, np.ndarray], float]
_ROUNDING = 1e-5  # By which a softmax of single precision may leave [0, 1].


@of_classes
def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of images whose most probable class is the right one, in `[0, 1]`."""
    return float(np.mean(labels == probabilities.argmax(-1)))


@of_classes
def balanced_accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean over the classes of the share that is found, in `[0, 1]`."""
    present = np.unique(labels)
    found = [(probabilities[labels == c].argmax(-1) == c).mean() for c in present]
    return float(np.mean(found))


@of_classes
def macro_f1(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean of the F1 score over the classes that occur or are predicted, in `[0, 1]`."""
    predicted, most = probabilities.argmax(-1), probabilities.shape[1]
    right = np.bincount(labels[labels == predicted], minlength=most)
    count = np.bincount(labels, minlength=most) + np.bincount(predicted, minlength=most)
    return float(np.mean(2 * right[count > 0] / count[count > 0]))


@of_classes
def auroc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the area under the ROC curve: one class against the rest, mean over the classes.

    NaN if a class does not occur, or there is only one.
    """
    num_classes = probabilities.shape[1]
    if num_classes < 2 or len(np.unique(labels)) < num_classes:
        return float("nan")
    return _mean_area(labels[:, None] == np.arange(num_classes), probabilities)


@of_classes
def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error: by how much confidence and accuracy differ.

    `ECE = sum_k n_k / n * abs(accuracy_k - confidence_k)` over equal bins of the confidence (the
    largest probability), in `[0, 1]`.

    Args:
        labels: Class index of each image, `(n,)`.
        probabilities: `(n, C)`.
        bins: Number of bins.

    Examples:
        >>> import numpy as np
        >>> labels = np.array([0, 0, 1, 1])
        >>> probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.25, 0.75]])
        >>> round(calibration_error(labels, probabilities), 4)
        0.2375

    References:
        [Guo et al., 2017](https://arxiv.org/abs/1706.04599), section 2, equation 3.
    """
    check_setting("bins", bins)
    if probabilities.min() < -_ROUNDING or probabilities.max() > 1 + _ROUNDING:
        raise MscamError(
            "`probabilities` must lie in [0, 1] to be compared with a share of right answers. "
            f"Received: {probabilities.min()} to {probabilities.max()}"
        )
    confidence = np.clip(probabilities.max(-1), 0, 1)
    right = probabilities.argmax(-1) == labels
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(right[number == k].sum() - confidence[number == k].sum()) for k in np.unique(number)
    ]
    return float(np.sum(gaps) / len(labels))


@of_findings
def finding_accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the accuracy over all findings of all images, in `[0, 1]`.

    Args:
        labels: Which findings each image has, `(n, C)` of 0 and 1.
        probabilities: `(n, C)`; above one half, the finding counts as found.
    """
    return float(((probabilities > 0.5) == (labels > 0)).mean())


@of_findings
def finding_auroc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the area under the ROC curve, mean over the findings.

    NaN if a finding is in all images or in none.
    """
    if (labels.min(0) == labels.max(0)).any():
        return float("nan")
    return _mean_area(labels > 0, probabilities)


@of_findings
def finding_average_precision(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the average precision, mean over the findings; by chance it is their frequency.

    NaN if a finding is in no image.
    """
    if not labels.max(0).all():
        return float("nan")
    return float(average_precision_score(labels, probabilities, average="macro"))


def _mean_area(there: np.ndarray, scores: np.ndarray) -> float:
    """Return the mean over the columns of the area under the ROC curve.

    By the ranks of what is there (Mann and Whitney): a bootstrap needs it a thousand times, and
    scikit-learn's function takes a hundred times as long.
    """
    ranks = rankdata(scores, axis=0)
    count = there.sum(0)
    above = (ranks * there).sum(0) - count * (count + 1) / 2
    return float(np.mean(above / (count * (len(there) - count))))


def list_finding_metrics(names: Sequence[str]) -> dict[str, Metric]:
    """Return the metrics of several findings in one image: means, then those of each."""

    def of_one(index: int) -> Metric:
        part = slice(index, index + 1)
        return of_findings(lambda labels, scores: finding_auroc(labels[:, part], scores[:, part]))

    means: dict[str, Metric] = {
        "accuracy": finding_accuracy,
        "auroc": finding_auroc,
        "average_precision": finding_average_precision,
    }
    areas = {f"auroc_{name}": of_one(index) for index, name in enumerate(names)}
    return means | areas | _list_each(names)


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "auroc": auroc,
    "calibration_error": calibration_error,
}


def class_recall(labels: np.ndarray, probabilities: np.ndarray, index: int) -> float:
    """Return the share of the images of a class, or with a finding, that is found.

    NaN if there is no such image.

    With two classes, one minus this value is the share of defects that is missed, or of good parts
    that is falsely rejected. With more classes, an image that is not found may have been taken for
    a neighbouring class.

    Args:
        labels: Class index of each image, `(n,)`, or its findings, `(n, C)`.
        probabilities: `(n, C)`.
        index: Index of the class.
    """
    there, said = _decide(labels, probabilities, index)
    return float(said[there].mean()) if there.any() else float("nan")


def class_precision(labels: np.ndarray, probabilities: np.ndarray, index: int) -> float:
    """Return the share of right ones among the images in which a class or finding is found.

    NaN if the model finds none. The arguments are those of `class_recall`.
    """
    there, said = _decide(labels, probabilities, index)
    return float(there[said].mean()) if said.any() else float("nan")


@of_numbers
def _decide(
    labels: np.ndarray, probabilities: np.ndarray, index: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each image whether a class or finding is there, and whether it is said to be."""
    if not isinstance(index, Integral) or index not in range(probabilities.shape[1]):
        raise MscamError(
            f"`index` must be a whole number from 0 to {probabilities.shape[1] - 1}. "
            f"Received: index={index!r}"
        )
    if labels.ndim == 2:
        return labels[:, index] > 0, probabilities[:, index] > 0.5
    return labels == index, probabilities.argmax(-1) == index


def _list_each(names: Sequence[str]) -> dict[str, Metric]:
    return {
        f"{what}_{name}": partial(metric, index=index)
        for index, name in enumerate(names)
        for what, metric in (("recall", class_recall), ("precision", class_precision))
    }


def list_class_metrics(names: Sequence[str]) -> dict[str, Metric]:
    """Return the metrics of images of one class each: over all, then recall and precision of each.

    Examples:
        >>> list(list_class_metrics(["none", "bone"]))[-4:]
        ['recall_none', 'precision_none', 'recall_bone', 'precision_bone']
    """
    return METRICS | _list_each(names)
