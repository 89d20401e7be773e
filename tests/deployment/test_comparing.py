import numpy as np
import pytest

from mscam_tf.deployment import Comparison, ExportError, compare
from mscam_tf.runs import OneLabel, OperatingPoint, SeveralFindings


class Constant:
    """Says the same of each image."""

    relevance = np.ones((1, 2))

    def __init__(self, logits, maps=((0.0, 3.0),), **more):
        self.outputs = {"logits": np.array(logits), "maps": np.array(maps), **more}

    def explain(self, images):
        return {
            name: np.repeat(np.array(values, np.float32)[None], len(images), axis=0)
            for name, values in self.outputs.items()
        }


TASK = OneLabel(["bone", "none"])
BATCHES = [np.zeros((2, 1, 1, 1)), np.zeros((1, 1, 1, 1))]


def run(first, second, task=TASK, point=None):
    return compare(first, second, BATCHES, task, point)


def test_differences_are_the_largest():
    found = run(Constant([2.0, -5.0]), Constant([2.5, -5.25], [[1.0, 1.0]]))
    assert found == Comparison(
        images=3,
        logits_error=0.5,
        maps_error=2.0,
        maps_root_mean_square=pytest.approx(2.5**0.5),
        largest_logit=5.0,
        largest_map=3.0,
        same_verdicts=3,
    )


def test_maps_of_scales_count():
    first, second = (Constant([2.0, 1.0], scale1_maps=[[x, 0.0]]) for x in (1.0, 1.25))
    assert run(first, second).maps_error == 0.25


@pytest.mark.parametrize(
    ("threshold", "same"),
    [(0.0, 3), (0.4, 0)],  # Scores 0.5 and 0.25 on both sides of the latter.
)
def test_the_operating_point_makes_the_verdict(threshold, same):
    point = OperatingPoint({"bone": 1.0}, decision_threshold=threshold, good="none")
    first, second = Constant([0.5, 0.0]), Constant([0.25, 0.0])
    assert run(first, second, point=point).same_verdicts == same


def test_findings_are_compared_one_by_one():
    task = SeveralFindings(["bone", "void"])
    assert run(Constant([1.0, 0.1]), Constant([1.0, -0.1]), task).same_verdicts == 0


def test_without_a_good_class_the_classes_are_compared():
    point = OperatingPoint({"bone": 1.0})
    task = OneLabel(["bone", "void"])
    assert run(Constant([1.0, 0.1]), Constant([0.0, 0.1]), task, point).same_verdicts == 0


def test_numbers_must_be_finite():
    with pytest.raises(ExportError, match=r"no finite numbers. Received: maps"):
        run(Constant([1.0, 0.0]), Constant([1.0, 0.0], [[np.nan, 0.0]]))


GOOD = Comparison(9, 0.0, 0.0, 0.0, 20.0, 0.5, 9)


@pytest.mark.parametrize("change", [{"logits_error": 0.0021}, {"maps_error": 1.1e-4}])
def test_more_than_rounding_is_refused(change):
    values = {**vars(GOOD), "logits_error": 0.0019, "maps_error": 0.9e-4}
    Comparison(**values).check()
    with pytest.raises(ExportError, match="more than rounding"):
        Comparison(**{**values, **change}).check()


def test_rounding_may_turn_a_verdict_on_the_threshold():
    """`mscam calibrate` puts it just above the score of a good image, to the next float32."""
    threshold = float(np.nextafter(np.float32(0.25), np.float32(1)))
    point = OperatingPoint({"bone": 1.0}, decision_threshold=threshold, good="none")
    found = run(Constant([0.25, 0.0]), Constant([0.2500001, 0.0]), point=point)
    assert found.same_verdicts == 0
    found.check()
