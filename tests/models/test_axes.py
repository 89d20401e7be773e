import math

import pytest

from mscam_tf.models.axes import Axis, LostError, join_axes, spread_axis
from mscam_tf.models.windows import Window

pytestmark = pytest.mark.backends


def describe(axis):
    return axis.side, axis.start, axis.step, axis.low, axis.high


@pytest.mark.parametrize(
    ("side", "window", "expected"),
    [
        (8, Window(2, 2, pads=False), (4, 0.5, 2)),  # 0 and 1, 2 and 3 ...
        (9, Window(2, 2, pads=False), (4, 0.5, 2)),  # The last pixel is left over.
        (9, Window(3, 2, pads=False), (4, 1, 2)),  # 0 to 2, 2 to 4 ...
        (9, Window(3, 2, pads=True), (5, 0, 2)),  # -1 to 1, 1 to 3 ... 7 to 9
        (8, Window(3, 2, pads=True), (4, 1, 2)),  # 0 to 2 ... 6 to 8: the end alone is padded.
        (8, Window(4, 1, pads=True), (8, 0.5, 1)),  # -1 to 2: one before, two after.
        (8, Window(1, 3, pads=True), (3, 0, 3)),
        (8, Window(5, 1, pads=False), (4, 2, 1)),
    ],
)
def test_windows_by_hand(side, window, expected):
    assert describe(Axis(1, side).slide(window))[:3] == expected


def test_mirrored_windows_begin_at_the_end():
    """Of pixels 0 to 8 backwards, windows of two hold 8 and 7, 6 and 5 ... 2 and 1."""
    axis = Axis(1, 9).mirror().slide(Window(2, 2, pads=False))
    assert (axis.side, axis.start, axis.step, axis.mirrored) == (4, 1.5, 2, True)


def test_cells_that_are_cut_off_end_what_is_seen():
    axis = Axis(2, 12).slide(Window(2, 2, pads=False)).extend(-1, -2)
    assert describe(axis) == (3, 2.5, 2, 1.5, 7.5)  # Cells of pixels 2 and 3, 4 and 5, 6 and 7.
    mirrored = Axis(2, 12).mirror().extend(-1, -2)
    assert describe(mirrored) == (9, 2, 1, 1.5, 10.5)


def test_padding_does_not_end_what_is_seen():
    axis = Axis(1, 4).extend(3, 0)
    assert describe(axis) == (7, -3, 1, -math.inf, math.inf)
    assert describe(Axis(1, 4).extend(3, -1))[3:] == (-math.inf, 2.5)


def test_resizing_keeps_the_outer_edges():
    axis = Axis(1, 6).resize(4)
    assert describe(axis)[:3] == (4, 0.25, 1.5)
    assert axis.is_spread
    assert describe(spread_axis(1, 4, 6))[:3] == (4, 0.25, 1.5)


def test_what_a_window_takes_up_leaves_cells_spread():
    window = Window(3, 2, pads=False)
    assert Axis(1, 8).pad(1, 1).slide(window).is_spread
    assert Axis(1, 8).pad(0, 1).pad(-1, 0).slide(Window(1, 2, pads=False)).is_spread
    assert not Axis(1, 8).pad(2, 1).slide(window).is_spread
    assert not Axis(1, 8).pad(1, 1).is_spread
    assert not Axis(1, 8).pad(-1, 0).slide(window).is_spread


def test_branches_meet_in_the_middle():
    joined = join_axes([Axis(1, 4, 0.0, 2.0), Axis(1, 4, 1.0, 2.0, low=3.5)], "Add 'sum'")
    assert (joined.start, joined.low, joined.doubt) == (0.5, -math.inf, 0.5)
    assert joined.suspect == "Add 'sum'"


@pytest.mark.parametrize(
    "other", [Axis(1, 4, 5.0, 2.0), Axis(2, 4, 0.0, 2.0), Axis(1, 4, 0.0, 1.0), Axis(1, 4).mirror()]
)
def test_branches_that_lie_unlike_each_other(other):
    with pytest.raises(LostError, match="Add 'sum' joins tensors"):
        join_axes([Axis(1, 4, 0.0, 2.0), other], "Add 'sum'")
