"""Count which classes are taken for which, and which findings are missed."""

import numpy as np
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

from mscam_tf.metrics.checks import of_classes, of_findings


@of_classes
def count_confusions(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Count the images of each class (rows) by the class that was predicted (columns).

    Args:
        labels: Class indices, `(n,)`.
        probabilities: `(n, C)`; the largest is the prediction.

    Returns:
        Whole numbers, `(C, C)`.

    Examples:
        >>> count_confusions(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]))
        array([[1, 0],
               [1, 1]])
    """
    classes = np.arange(probabilities.shape[1])
    counts: np.ndarray = confusion_matrix(labels, probabilities.argmax(-1), labels=classes)
    return counts


@of_findings
def count_findings(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Count for each finding whether it is there (rows) and whether it was found (columns).

    Args:
        labels: 0 and 1, `(n, C)`.
        probabilities: `(n, C)`; above one half a finding counts as found.

    Returns:
        Whole numbers, `(C, 2, 2)`.

    Examples:
        >>> labels = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
        >>> count_findings(labels, np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.7]])).tolist()
        [[[0, 1], [1, 1]], [[2, 0], [0, 1]]]
    """
    counts: np.ndarray = multilabel_confusion_matrix(labels, probabilities > 0.5)
    return counts
