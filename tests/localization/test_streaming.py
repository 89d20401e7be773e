import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mscam_tf import MscamError, find_regions
from mscam_tf.localization import RegionStream


def stream_regions(map_, cuts, threshold, minimum_area=0.0):
    stream = RegionStream(threshold, minimum_area)
    found = [region for rows in np.split(map_, cuts) if len(rows) for region in stream.add(rows)]
    return found + stream.finish()


def same(first, second):
    return first == second and np.array_equal(first.mask, second.mask)


def sort(regions):
    return sorted(regions, key=lambda one: (one.box.y_min, one.box.x_min, one.area, one.score))


@given(
    st.integers(0, 10_000),
    st.integers(1, 14),
    st.integers(1, 9),
    st.lists(st.integers(0, 14), max_size=5),
    st.sampled_from([0.0, 2.0]),
)
def test_strips_have_the_regions_of_the_whole(seed, height, width, cuts, minimum_area):
    map_ = np.random.default_rng(seed).normal(size=(height, width))
    expected = find_regions(map_, 0.3, minimum_area=minimum_area)
    found = stream_regions(map_, sorted(cuts), 0.3, minimum_area)
    assert all(map(same, sort(found), sort(expected)))
    assert len(found) == len(expected)


def test_two_prongs_become_one_and_one_becomes_two():
    map_ = np.zeros((6, 5), np.float32)
    map_[:, 0] = map_[:, 4] = 2  # Both sides, joined in the middle.
    map_[3] = 1.5
    (region,) = stream_regions(map_, [1, 2, 3, 4, 5], 1.0)
    assert (region.area, region.box.y_min, region.box.y_max) == (15, 0, 6)


def test_a_region_is_returned_where_it_ends():
    stream = RegionStream(1.0)
    assert stream.add(np.array([[5.0, 0, 0]])) == []
    assert stream.add(np.array([[0, 5.0, 0]])) == []  # They touch at a corner.
    (region,) = stream.add(np.array([[0, 0, 0.0], [0, 0, 7]]))
    assert (region.area, region.center) == (2, (1.0, 1.0))
    (last,) = stream.finish()
    assert (last.score, last.peak) == (7, (2.5, 3.5))
    assert stream.finish() == []


def test_what_is_no_number_is_refused():
    with pytest.raises(MscamError, match="finite"):
        RegionStream(1.0).add(np.array([[np.nan]]))
