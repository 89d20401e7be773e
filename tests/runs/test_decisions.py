import numpy as np
import pytest

from mscam_tf import MscamError
from mscam_tf.runs import (
    OneLabel,
    SeveralFindings,
    find_good_class,
    find_good_images,
    score_rejects,
)

LABEL = OneLabel(["bone", "none", "void"])
FINDINGS = SeveralFindings(["bone", "void"])


def test_the_class_of_good_images_is_none_or_the_one_given():
    assert find_good_class(LABEL) == "none"
    assert find_good_class(LABEL, "void") == "void"
    assert find_good_class(OneLabel(["ok", "crack"])) is None
    assert find_good_class(FINDINGS) is None


def test_another_good_class_is_refused():
    with pytest.raises(MscamError, match=r"`good` must be one of .*Received: good='fine'"):
        find_good_class(LABEL, "fine")
    with pytest.raises(MscamError, match="no finding, so no class is good"):
        find_good_class(FINDINGS, "bone")


def test_good_images_are_those_of_the_good_class_or_without_a_finding():
    assert find_good_images(LABEL, np.array([1, 0, 2, 1]), "none").tolist() == [1, 0, 0, 1]
    assert not find_good_images(LABEL, np.array([1, 0]), None).any()
    labels = np.array([[0, 0], [0, 1], [1, 1]], np.float32)
    assert find_good_images(FINDINGS, labels, None).tolist() == [True, False, False]


def test_the_reject_score_is_the_log_odds_of_another_class():
    logits = np.array([[1.0, -0.5, 2.0], [0.0, 30.0, 0.0]])
    found = score_rejects(LABEL, logits, "none")
    expected = np.log(np.exp(1.0) + np.exp(2.0)) + 0.5
    assert found == pytest.approx([expected, np.log(2) - 30])


def test_the_reject_score_of_findings_is_the_largest_logit():
    logits = np.array([[-1.0, -3.0], [-2.0, 4.0]], np.float32)
    np.testing.assert_array_equal(score_rejects(FINDINGS, logits, None), [-1, 4])


def test_zero_is_where_half_the_probability_is_on_good():
    logits = np.array([0.3, 1.1, 2.0])
    score = score_rejects(LABEL, logits, "void")
    good = LABEL.activate(logits)[2]
    assert score == pytest.approx(np.log((1 - good) / good))


def test_without_a_good_class_there_is_no_score():
    with pytest.raises(MscamError, match=r"--good\): one of .*Received: good=None"):
        score_rejects(LABEL, np.zeros((1, 3)), None)
