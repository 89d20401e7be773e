import numpy as np

from mscam_tf import metrics
from tests.metrics.test_classification import LABELS, PROBABILITIES


def test_rows_are_what_is_there_and_columns_what_is_said():
    found = metrics.count_confusions(LABELS, PROBABILITIES)
    np.testing.assert_array_equal(found, [[1, 1, 0], [0, 1, 0], [0, 0, 1]])


def test_a_class_without_images_has_an_empty_row():
    found = metrics.count_confusions(np.array([2, 2]), PROBABILITIES[[0, 3]])
    np.testing.assert_array_equal(found, [[0, 0, 0], [0, 0, 0], [1, 0, 1]])


def test_findings_one_by_one():
    said = np.array([[0.9, 0.5], [0.2, 0.6]])  # One half is not found.
    found = metrics.count_findings(np.array([[1, 1], [1, 0]]), said)
    np.testing.assert_array_equal(found, [[[0, 0], [1, 1]], [[0, 1], [1, 0]]])
