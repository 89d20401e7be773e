import numpy as np

from mscam_tf.datasets.common import make_box, split_groups


def test_each_label_is_split_in_the_same_shares():
    groups = {f"a{i}": "a" for i in range(10)} | {f"b{i}": "b" for i in range(20)}
    splits = split_groups(groups)
    counts = {
        (label, split): sum(groups[g] == label and splits[g] == split for g in groups)
        for label in "ab"
        for split in ("train", "validation", "test")
    }
    assert list(counts.values()) == [7, 1, 2, 14, 2, 4]


def test_the_order_of_the_groups_does_not_matter():
    groups = {f"fish{i}": "bone" for i in range(9)}
    assert split_groups(groups) == split_groups(dict(reversed(groups.items())))


def test_a_single_group_is_for_training():
    assert split_groups({"film": "full"}) == {"film": "train"}


def test_boxes_are_normalised_by_height_and_width():
    box = make_box(np.array([10, 5, 40, 20]), (50, 200))
    assert box == (0.1, 0.05, 0.4, 0.2)  # y_min, x_min, y_max, x_max.


def test_three_groups_are_enough_for_three_splits():
    splits = split_groups({f"film{i}": "clear" for i in range(3)})
    assert sorted(splits.values()) == ["test", "train", "validation"]
    without_test = split_groups({f"film{i}": "clear" for i in range(3)}, (7, 1, 0))
    assert sorted(without_test.values()) == ["train", "train", "validation"]
