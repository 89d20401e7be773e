import numpy as np
import pytest

from mscam_tf.runs import OneLabel, OperatingPoint, SeveralFindings, describe_verdict, has_verdict

LABEL = OneLabel(["bone", "none"])
POINT = OperatingPoint({}, decision_threshold=1.5, good="none")


@pytest.mark.parametrize(("logits", "verdict"), [([2.0, 0.5], "reject"), ([1.9, 0.5], "accept")])
def test_an_image_is_rejected_from_the_threshold_on(logits, verdict):
    cells = describe_verdict(LABEL, np.array(logits), POINT)
    assert cells == {"score": f"{logits[0] - logits[1]:.6f}", "verdict": verdict}


def test_where_it_is_not_known_what_is_good_there_is_no_verdict():
    unknown = OperatingPoint({"ok": 1.0})
    for point in (None, unknown):
        assert not has_verdict(OneLabel(["crack", "ok"]), point)
        assert describe_verdict(OneLabel(["crack", "ok"]), np.zeros(2), point) == {}


def test_several_findings_have_a_verdict():
    cells = describe_verdict(SeveralFindings(["a", "b"]), np.array([-1.0, 2.0]), OperatingPoint({}))
    assert cells == {"score": "2.000000", "verdict": "reject"}
