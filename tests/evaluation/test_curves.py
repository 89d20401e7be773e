import numpy as np

from mscam_tf import Box
from mscam_tf.evaluation import Detection, Hit, TrueObject
from mscam_tf.evaluation.curves import choose_rows, make_report
from mscam_tf.evaluation.hits import Hits


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
