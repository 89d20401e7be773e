import numpy as np
import pytest

from mscam_tf.data.manifests import Box
from mscam_tf.training.map_supervision import BOXED, MASKED, MAYBE
from mscam_tf.training.nesting import order_boxes, settle_overlaps

CRACK, PORE, REST = [BOXED, 0], [0, BOXED], [0, 0]


def settle(*boxes):
    """Return the kinds of boxes, each with its own kinds before."""
    kinds = np.array([*(kinds for _, kinds in boxes), REST], np.int32)
    return settle_overlaps(kinds, [box for box, _ in boxes])[:-1].tolist()


def test_the_smallest_is_painted_last_and_of_equal_ones_the_last():
    assert order_boxes([Box(0, 0, 1, 1), Box(0, 0, 3, 3), Box(5, 5, 6, 6)]) == [1, 0, 2]


def test_a_ring_around_a_box_of_the_same_class_is_not_asked_for():
    """Two boxes around one object, or one around several: the ring may be empty."""
    large, small = Box(0, 0, 10, 10), Box(2, 2, 8, 8)
    assert settle((large, CRACK), (small, CRACK)) == [[MAYBE, 0], CRACK]
    assert settle((small, CRACK), (large, CRACK)) == [CRACK, [MAYBE, 0]]
    cluster = [(Box(x, 0, x + 2, 2), CRACK) for x in (0, 4, 8)]
    assert settle((Box(0, 0, 10, 2), CRACK), *cluster) == [[MAYBE, 0], CRACK, CRACK, CRACK]


def test_a_ring_around_a_small_box_of_another_class_is_asked_for():
    assert settle((Box(0, 0, 10, 10), CRACK), (Box(2, 2, 4, 4), PORE)) == [CRACK, [MAYBE, BOXED]]


def test_what_another_class_leaves_of_a_box_is_not_asked_for_if_it_is_the_lesser_part():
    large, small = Box(0, 0, 10, 10), Box(1, 1, 9, 9)
    assert settle((large, CRACK), (small, PORE)) == [[MAYBE, 0], [MAYBE, BOXED]]


def test_of_equal_boxes_one_is_asked_for():
    box = Box(0, 0, 4, 4)
    assert settle((box, CRACK), (box, CRACK)) == [[MAYBE, 0], CRACK]
    assert settle((box, CRACK), (box, PORE)) == [[MAYBE, MAYBE], [MAYBE, BOXED]]


@pytest.mark.parametrize(("left", "first"), [(7, BOXED), (6, MAYBE)])
def test_boxes_that_meet_are_both_asked_for_unless_half_of_the_smaller_is_in_the_larger(
    left, first
):
    boxes = Box(0, 0, 10, 10), Box(left, 0, left + 8, 9)
    assert settle(*((box, CRACK) for box in boxes)) == [[first, 0], CRACK]


def test_masked_objects_stay_as_they_are():
    masked = [MASKED, 0]
    assert settle((Box(0, 0, 10, 10), masked), (Box(2, 2, 8, 8), masked)) == [masked, masked]
    assert settle_overlaps(np.array([masked]), []).tolist() == [masked]
