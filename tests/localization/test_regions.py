import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

import mscam_tf
from mscam_tf import MscamError, find_regions
from mscam_tf.models.resizing import resize_and_sum

PATTERN = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 4, 2, 0, 0, 0, 0, 3],
        [0, 0, 0, 2, 0, 0, 0, 3],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [5, 0, 0, 0, 0, 0, 0, 0],
    ],
    float,
)


def test_regions_by_hand():
    lone, bent, side = find_regions(PATTERN, 2)
    assert bent.box == mscam_tf.Box(1, 1, 4, 3)
    assert bent.mask.tolist() == [[True, True, False], [False, False, True]]
    assert (bent.area, bent.peak, bent.score) == (3, (1.5, 1.5), 4)
    assert bent.center == (1.5, 1.5)  # Only the 4 is above the threshold.
    assert bent.size == 1
    assert (lone.score, lone.center) == (5, (0.5, 4.5))
    assert (side.score, side.center, side.peak) == (3, (7.5, 2.0), (7.5, 1.5))
    assert np.array_equal(PATTERN[bent.slices] >= 2, bent.mask)
    assert (bent.label, bent.scale, bent.share) == ("", None, None)


def test_a_threshold_includes_its_value_and_a_flat_region_has_its_middle():
    (region,) = find_regions(np.pad(np.full((2, 4), 7.0), ((0, 1), (3, 0))), 7)
    assert (region.area, region.center, region.peak) == (8, (5, 1), (3.5, 0.5))
    assert find_regions(PATTERN, 5.01) == []
    assert find_regions(PATTERN, -1)[0].area == PATTERN.size


def test_the_centre_weighs_by_height():
    (region,) = find_regions(np.array([[0.0, 3.0, 2.0, 0.0]]), 1)
    assert region.center == (pytest.approx((2 * 1.5 + 1 * 2.5) / 3), 0.5)


def test_small_regions_are_left_out():
    assert [region.score for region in find_regions(PATTERN, 2, minimum_area=2)] == [4, 3]
    assert [region.score for region in find_regions(PATTERN, 2, minimum_area=3)] == [4]


def test_regions_near_each_other_are_merged():
    # From (1, 1) to (4, 0) is the root of 10, and from column 3 to column 7 there are 3.
    for merge, scores in [(2.16, [5, 4, 3]), (2.17, [5, 3]), (2.99, [5, 3]), (3, [5])]:
        assert [r.score for r in find_regions(PATTERN, 2, merge=merge)] == scores, merge
    merged, _ = find_regions(PATTERN, 2, minimum_area=2, merge=2.5)
    assert (merged.area, merged.box) == (4, mscam_tf.Box(0, 1, 4, 5))
    assert merged.mask.sum() == 4


def test_merging_counts_the_pixels_between():
    line = np.array([[1.0, 0, 0, 0, 1, 0, 1]])
    assert [len(find_regions(line, 1, merge=m)) for m in (0, 0.9, 1, 2, 3)] == [3, 3, 2, 2, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int32])
def test_any_numbers_will_do(dtype):
    assert [r.area for r in find_regions(PATTERN.astype(dtype), 2)] == [1, 3, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"map_": np.zeros((2, 3, 1))}, r"2 dimensions.*\(2, 3, 1\)"),
        ({"map_": np.zeros((0, 3))}, "at least one pixel"),
        ({"map_": np.array([[np.nan]])}, "`map_` must be finite"),
        ({"threshold": np.nan}, "threshold=nan"),
        ({"threshold": -np.inf}, "threshold=-inf"),
        ({"minimum_area": -1}, "minimum_area=-1"),
        ({"merge": np.nan}, "merge=nan"),
    ],
)
def test_what_is_no_map_is_refused(arguments, message):
    with pytest.raises(MscamError, match=message):
        find_regions(**{"map_": PATTERN, "threshold": 1.0, **arguments})


def see(x, y, stride, size=(8, 10), width=1.0):
    """Return the map of a point: cells of a stride respond to it by their distance, in cells."""
    rows, columns = ((np.arange(n) + 0.5) * stride for n in size)
    away = np.add.outer((rows - y) ** 2, (columns - x) ** 2)
    cells = 6 * np.exp(-away / 2 / (width * stride) ** 2)
    native = cells.astype("float32")[None, ..., None]
    return to_numpy(resize_and_sum([native], (size[0] * stride, size[1] * stride)))[0, ..., 0]


@pytest.mark.parametrize("stride", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("threshold", [0.6, 1.5, 3.0])
def test_centres_are_where_points_are(stride, threshold):
    """At every stride, down to half the peak, also for points near the edge."""
    generator = np.random.default_rng(stride)
    for _ in range(10):
        x, y = generator.uniform(3, 7) * stride, generator.uniform(3, 5) * stride
        (region,) = find_regions(see(x, y, stride), threshold)
        np.testing.assert_allclose(region.center, (x, y), atol=0.5)


@pytest.mark.parametrize("stride", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("threshold", [3.0, 1.5, 0.6])
def test_centres_at_the_edge_are_off_by_a_small_part_of_a_cell(stride, threshold):
    """Cut off there, a point is as wide across the edge as along it; boxes are of whole pixels."""
    for share in (0.05, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0):
        x, y = share * stride, 4.25 * stride
        map_ = see(x, y, stride)
        for edge, turned in enumerate((map_, map_[:, ::-1], map_.T, map_.T[::-1])):
            (region,) = find_regions(turned, threshold)
            across, along = region.center if edge < 2 else region.center[::-1]
            across = across if edge % 2 == 0 else map_.shape[1] - across
            assert abs(across - x) <= max(0.2 * stride, 0.75)
            assert abs(along - y) <= 0.5  # Along the edge nothing is cut off.


def test_the_centre_of_what_an_edge_cuts_off_by_hand():
    """Rows 2 to 7 and columns 0 to 3 of a disc: half of 6 before the end at 4 is 1, not 2."""
    map_ = np.zeros((9, 12))
    map_[2:8, :4] = 2.0
    assert find_regions(map_, 1)[0].center == (1, 5)
    assert find_regions(map_[:, ::-1], 1)[0].center == (11, 5)
    assert find_regions(map_.T, 1)[0].center == (5, 1)
    assert find_regions(map_.T[::-1], 1)[0].center == (5, 11)
    assert find_regions(map_[:8], 1)[0].center == (2, 5)  # Two edges cut it off:
    assert find_regions(map_[:, :4], 1)[0].center == (2, 5)  # no edge says what is missing.


def test_what_is_long_stays_where_it_is():
    map_ = np.zeros((20, 20))
    map_[3:5, :9] = 2.0  # It comes in from the edge,
    map_[8:18, :2] = 2.0  # or lies along it.
    centers = sorted(region.center for region in find_regions(map_, 1))
    assert centers == [(1, 13), (4.5, 4)]


@pytest.mark.parametrize(("width", "cells"), [(0.7, 0.15), (0.5, 0.3)])
def test_centres_are_less_exact_where_cells_see_little_around_them(width, cells):
    """A point that hardly more than one cell responds to lies anywhere within that cell."""
    for share in np.linspace(3, 4, 9):
        (region,) = find_regions(see(share * 32, 4.25 * 32, 32, width=width), 3.0)
        assert abs(region.center[0] - share * 32) <= cells * 32
