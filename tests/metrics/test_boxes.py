import numpy as np
import pytest

from mscam_tf import MscamError, metrics


def count_cells(one, other):
    """Return how many cells of a fine grid lie in both, in the first, and in the second."""
    grid = np.zeros((2, 40, 40), bool)
    for k, (x_min, y_min, x_max, y_max) in enumerate((one, other)):
        grid[k, 2 * y_min : 2 * y_max, 2 * x_min : 2 * x_max] = True
    return grid.all(0).sum(), grid[0].sum(), grid[1].sum()


def test_ratios_are_those_of_counted_cells():
    generator = np.random.default_rng(0)
    corners = generator.integers(0, 14, (9, 2))
    boxes = np.concatenate([corners, corners + generator.integers(1, 6, (9, 2))], axis=1)
    first, second = boxes[:5], boxes[5:]
    for i, one in enumerate(first):
        for k, other in enumerate(second):
            both, a, b = count_cells(one, other)
            assert metrics.box_iou(first, second)[i, k] == pytest.approx(both / (a + b - both))
            assert metrics.box_iobb(first, second)[i, k] == pytest.approx(both / a)


def test_boxes_are_scored_over_images():
    """Of three objects one is found well, one by a corner, one not at all; one box is false."""
    found = [
        np.array([[0, 0, 10, 10], [30, 0, 40, 10]]),
        np.array([[0, 0, 10, 10]]),
        np.zeros((0, 4)),
    ]
    boxes = [
        np.array([[1, 0, 11, 10]]),  # 0.9 of the box, 0.82 of the union.
        np.array([[8, 0, 18, 10]]),  # 0.2 of the box, 0.11 of the union.
        np.array([[0, 0, 5, 5]]),
    ]
    shares, false = metrics.score_boxes(found, boxes, "iobb", (0.1, 0.5, 0.95))
    np.testing.assert_allclose(shares, [2 / 3, 1 / 3, 0])
    np.testing.assert_allclose(false, [1 / 3, 2 / 3, 1])
    shares, _ = metrics.score_boxes(found, boxes, "iou", (0.1, 0.15, 0.85))
    np.testing.assert_allclose(shares, [2 / 3, 1 / 3, 0])


def test_without_objects_all_boxes_are_false():
    shares, false = metrics.score_boxes([np.array([[0, 0, 2, 2]])], [np.zeros((0, 4))])
    assert np.isnan(shares).all()
    assert len(shares) == len(metrics.CHEST_THRESHOLDS)
    assert false.tolist() == [1.0] * 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "at least one image"),
        (([[[0, 0, 1, 1]]], [[[0, 0, 1, 1]]], "giou"), "`measure` must be one of 'iobb', 'iou'"),
        (([[[0, 0, 0, 1]]], [[[0, 0, 1, 1]]]), "x_min < x_max"),
    ],
)
def test_what_is_no_box_is_refused(arguments, message):
    with pytest.raises(MscamError, match=message):
        metrics.score_boxes(*arguments)
