import inspect

import numpy as np
import pytest

from mscam_tf import MscamError, metrics
from tests.metrics.test_classification import LABELS, PROBABILITIES

FINDINGS = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 0], [1, 1, 0]])
SCORES = {
    **{name: (metric, LABELS) for name, metric in metrics.list_class_metrics("abc").items()},
    **{
        f"finding {name}": (metric, FINDINGS)
        for name, metric in metrics.list_finding_metrics("abc").items()
    },
    "count_confusions": (metrics.count_confusions, LABELS),
    "count_findings": (metrics.count_findings, FINDINGS),
}
MAPS = ("pixel_average_precision", "points_at", "energy_inside", "soft_iou", "place_overlap")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", SCORES)
def test_no_score_takes_what_is_no_number(name, value):
    score, labels = SCORES[name]
    bad = PROBABILITIES.copy()
    bad[2:] = value
    with pytest.raises(
        MscamError, match=r"finite numbers. Received: .* 2 of 4 rows, first in row 2"
    ):
        score(labels, bad)


@pytest.mark.parametrize("name", SCORES)
def test_labels_and_probabilities_belong_together(name):
    score, labels = SCORES[name]
    with pytest.raises(MscamError, match="3 labels and 4 rows"):
        score(labels[:3], PROBABILITIES)
    with pytest.raises(MscamError, match="0 labels and 0 rows"):
        score(labels[:0], PROBABILITIES[:0])


def test_calibration_compares_probabilities_and_no_logits():
    with pytest.raises(MscamError, match=r"in \[0, 1\].*Received: -6.0 to 6.0"):
        metrics.calibration_error(np.array([0, 1]), np.array([[6.0, -6.0], [1.0, 2.0]]))


def test_an_interval_says_so_too():
    bad = np.where(PROBABILITIES > 0.7, np.nan, PROBABILITIES)
    with pytest.raises(MscamError, match="finite numbers"):
        metrics.bootstrap_interval(metrics.calibration_error, LABELS, bad)


@pytest.mark.parametrize("name", [*MAPS, "threshold_iou", "map_correlation"])
def test_no_score_of_maps_takes_what_is_no_number(name):
    score, rest = getattr(metrics, name), {}
    if "threshold" in inspect.signature(score).parameters:
        rest = {"threshold": 0.5}
    good = np.array([[[0.1, 0.2], [0.3, 0.9]]])[0 if name != MAPS[0] else slice(None)]
    other = good > 0.25
    score(good, other, **rest)
    with pytest.raises(MscamError, match="Received: other values in 1 of 4 pixels"):
        score(np.where(good > 0.5, np.nan, good), other, **rest)


def test_the_docstring_stays_that_of_the_score():
    assert "right one" in metrics.accuracy.__doc__
