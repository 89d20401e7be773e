from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mscam_tf.inspection import decide, judge
from mscam_tf.runs import OneLabel, OperatingPoint, SeveralFindings
from tests.inspection.models import make_session

POINT = OperatingPoint({"bone": 5.0}, decision_threshold=-0.5, good="none")


def explain(image):
    (explanation,) = make_session().explain_arrays(Path("a.png"), [image.astype(np.float32)])
    return explanation


def test_the_threshold_itself_rejects():
    task = OneLabel(["bone", "none"])
    assert judge(task, np.array([0.5, 1.0]), POINT).rejected
    verdict = judge(task, np.array([0.4, 1.0]), POINT)
    assert (verdict.rejected, verdict.label) == (False, "none")
    assert verdict.score == pytest.approx(-0.6)


def test_several_findings_need_no_good_class():
    task = SeveralFindings(["bone", "metal"])
    point = OperatingPoint({"bone": 1.0, "metal": 1.0})
    verdict = judge(task, np.array([0.5, 2.0]), point)
    assert (verdict.label, verdict.score, verdict.rejected) == ("bone|metal", 2.0, True)
    assert judge(OneLabel(["a", "b"]), np.zeros(2), OperatingPoint({})).rejected is None


def test_regions_are_in_pixels_of_the_file():
    image = np.zeros((16, 12))
    image[4:8, 3:5] = 0.9
    explanation = replace(explain(image), source_size=(32, 36))
    found = decide(explanation, make_session().task, POINT)
    (row,) = found.list_rows()
    assert [row[side] for side in ("x_min", "y_min", "x_max", "y_max")] == [9, 8, 15, 16]
    assert (row["area"], row["number"], row["share"]) == (8 * 6, 1, None)
    assert (found.size, found.seen_size, found.shown) == ((32, 36), (16, 12), "bone")
    np.testing.assert_allclose(found.map, 10 * image, rtol=1e-6)
    # 8 of 192 pixels are at 0.9: the logit is 10 * 0.9 * 8 / 192 - 1.
    assert found.verdict.score == pytest.approx(-0.625)


def test_the_map_shown_is_that_of_a_class_that_is_no_good():
    found = decide(explain(np.zeros((16, 12))), make_session().task, POINT)
    assert (found.verdict.label, found.shown) == ("none", "bone")


def test_an_image_that_shows_nothing_is_known_if_all_of_it_is():
    task = make_session().task
    found = decide(explain(np.full((16, 12), 0.3)), task, POINT)
    assert found.constant
    assert not decide(explain(np.eye(16, 12)), task, POINT).constant
