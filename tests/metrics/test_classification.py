import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from mscam_tf import metrics

# Four images of three classes: predicted 0, 1, 1, 2.
LABELS = np.array([0, 0, 1, 2])
PROBABILITIES = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])


def test_by_hand():
    assert metrics.accuracy(LABELS, PROBABILITIES) == 0.75
    assert metrics.balanced_accuracy(LABELS, PROBABILITIES) == pytest.approx((0.5 + 1 + 1) / 3)
    # F1: precision and recall are 1 and 1/2, then 1/2 and 1, then 1 and 1.
    assert metrics.macro_f1(LABELS, PROBABILITIES) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    # Class 0: of the 4 pairs with a positive, only (0.2, 0.3) is the wrong way round.
    assert metrics.auroc(LABELS, PROBABILITIES) == pytest.approx((0.75 + 1 + 1) / 3)


def test_recall_and_precision_of_each_class_by_hand():
    found = {
        name: metric(LABELS, PROBABILITIES)
        for name, metric in metrics.list_class_metrics(["a", "b", "c"]).items()
    }
    assert found["accuracy"] == 0.75
    assert [found[f"recall_{name}"] for name in "abc"] == [0.5, 1, 1]
    assert [found[f"precision_{name}"] for name in "abc"] == [1, 0.5, 1]
    findings, said = (
        np.array([[1, 0], [1, 1], [0, 0]]),
        np.array([[0.9, 0.1], [0.4, 0.2], [0.6, 0.3]]),
    )
    found = metrics.list_finding_metrics(["bone", "wire"])
    assert found["recall_bone"](findings, said) == 0.5
    assert found["precision_bone"](findings, said) == 0.5
    assert found["recall_wire"](findings, said) == 0
    assert np.isnan(found["precision_wire"](findings, said))
    assert np.isnan(metrics.class_recall(LABELS[:3], PROBABILITIES[:3], 2))
    assert np.isnan(metrics.class_precision(LABELS[:3], PROBABILITIES[:3], 2))


def test_auroc_without_a_class_is_not_a_number():
    assert np.isnan(metrics.auroc(LABELS[:3], PROBABILITIES[:3]))


def test_calibration_error_by_hand():
    # Confidences 0.6 (right), 0.7 (wrong), 0.8 (right), 0.4 (right), each in a bin of its own.
    expected = (0.4 + 0.7 + 0.2 + 0.6) / 4
    assert metrics.calibration_error(LABELS, PROBABILITIES) == pytest.approx(expected)
    certain = np.eye(3)[LABELS]
    assert metrics.calibration_error(LABELS, certain) == 0.0


def test_a_class_that_neither_occurs_nor_is_predicted_is_no_error():
    labels, probabilities = np.array([0, 1]), np.eye(3)[[0, 1]]
    assert metrics.macro_f1(labels, probabilities) == 1.0
    # Of 40 perfect predictions one is of a rare class: resamples without it are perfect too.
    labels = np.array([0] * 20 + [1] * 19 + [2])
    low, high = metrics.bootstrap_interval(metrics.macro_f1, labels, np.eye(3)[labels])
    assert (low, high) == (1.0, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_quick_metrics_agree_with_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, 40)
    probabilities = generator.integers(1, 6, (40, 4)).astype(float)  # With ties; the last class
    probabilities /= probabilities.sum(1, keepdims=True)  # does not occur, but is predicted.
    predicted = probabilities.argmax(-1)
    expected = f1_score(labels, predicted, average="macro", zero_division=0)
    assert metrics.macro_f1(labels, probabilities) == pytest.approx(expected)
    expected = [roc_auc_score(labels == c, probabilities[:, c]) for c in range(3)]
    found = metrics.auroc(labels, probabilities[:, :3])
    assert found == pytest.approx(np.mean(expected))
    findings = (generator.random((40, 4)) < 0.4).astype(float)
    expected = roc_auc_score(findings, probabilities, average="macro")
    assert metrics.finding_auroc(findings, probabilities) == pytest.approx(expected)
