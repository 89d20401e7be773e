import numpy as np
import pytest

from mscam_tf import Box
from mscam_tf.evaluation import Detection, Hit, TrueObject
from mscam_tf.evaluation.curves import choose_rows, describe_curve, make_report
from mscam_tf.evaluation.hits import Hits
from mscam_tf.metrics import fit_detection


def test_of_several_objects_in_an_image_the_largest_owns_the_verdict():
    small, large = (TrueObject(Box(0, 0, side, side)) for side in (2, 5))
    objects = [Hit("a", small, True, True), Hit("a", large, True, False), Hit("b", small, 0, 0)]
    assert choose_rows(objects, "side", "image") == [objects[1], objects[2]]
    assert choose_rows(objects, "side", "mark") == objects


def test_objects_that_are_rejected_without_a_mark_are_counted():
    small, large = (TrueObject(Box(0, 0, side, side)) for side in (2, 5))
    in_one = [Hit("a", small, True, True), Hit("a", large, True, False)]
    others = [Hit("b", small, True, True), Hit("c", large, True, False), Hit("d", small, 0, 1)]
    found = Hits((*in_one, *others), None, None)
    options = (None, None, "logit", True)
    reports = [make_report(found, "side", hit, *options) for hit in ("image", "mark")]
    assert [report.unmarked for report in reports] == [2, 0]


def test_few_sizes_are_counted_each():
    sizes = np.repeat([0.3, 0.5, 1.0], 29)
    hits = np.arange(87) >= 30
    small, middle, large = Detection("", sizes, hits, None).count_by_size()
    assert (small["from"], small["to"], small["n"], small["found"]) == (0.3, 0.3, 29, 0)
    assert middle["found"] == 28
    assert middle["proven"] < 0.9 <= large["proven"]


def test_many_sizes_are_counted_in_equal_parts():
    sizes = np.arange(1, 81, dtype=float)
    parts = Detection("", sizes, sizes > 40, None).count_by_size()
    assert [part["n"] for part in parts] == [10] * 8
    assert (parts[3]["from"], parts[3]["to"], parts[3]["found"], parts[4]["found"]) == (
        31,
        40,
        0,
        10,
    )


@pytest.mark.parametrize(
    ("found", "a50", "a90", "extrapolated"),
    [((10, 20), 2.0, 8.0, ["a90", "a90_95"]), ((30, 35), 0.407, 2.457, ["a50", "a90", "a90_95"])],
)
def test_figures_that_no_object_had_are_named(found, a50, a90, extrapolated):
    """Of 40 objects of 1 and of 2 each: log odds -ln 3 and 0, or ln 3 and ln 7, by log2 size."""
    sizes, hits = np.repeat([1.0, 2.0], 40), np.arange(80) % 40 < np.repeat(found, 40)
    figures = describe_curve(fit_detection(sizes, hits))
    assert figures["tried"] == [1, 2]
    assert figures["extrapolated"] == extrapolated
    assert [figures["a50"], figures["a90"]] == pytest.approx([a50, a90], abs=1e-3)
