import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mscam_tf import MscamError
from mscam_tf.data.reading import Strips
from mscam_tf.inspection import Framing, cut_tiles


def cut(size, tile_size, overlap=0.25):
    image = np.arange(size[0] * size[1], dtype=np.float32).reshape(size)
    strips = Strips(size, iter(np.array_split(image, 4)))
    return image, list(cut_tiles(strips, tile_size, overlap))


@given(
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.floats(0, 0.9),
)
def test_tiles_cover_each_pixel_and_are_cut_where_they_say(size, tile_size, overlap):
    image, tiles = cut(size, tile_size, overlap)
    covered = np.zeros(size, bool)
    for x, y, tile in tiles:
        assert tile.shape == tile_size
        inside = image[y : y + tile_size[0], x : x + tile_size[1]]
        np.testing.assert_array_equal(tile[: inside.shape[0], : inside.shape[1]], inside)
        covered[y : y + tile_size[0], x : x + tile_size[1]] = True
    assert covered.all()


def test_sizes_around_that_of_a_tile():
    assert [(x, y) for x, y, _ in cut((8, 6), (8, 6))[1]] == [(0, 0)]
    assert [(x, y) for x, y, _ in cut((9, 7), (8, 6))[1]] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    image, [(x, y, tile)] = cut((5, 4), (8, 6))
    assert (x, y) == (0, 0)
    np.testing.assert_array_equal(tile[5:, :4], np.tile(image[4], (3, 1)))  # Its edge goes on.
    assert (tile[:, 4:] == tile[:, 3:4]).all()


def test_framings_are_checked():
    with pytest.raises(MscamError, match="overlap"):
        Framing(overlap=1.0)
    with pytest.raises(MscamError, match="size"):
        Framing(tile_size=(0, 3))
    for size in ((16,), (16, 16, 16), 16, (16, True), (), (16, 100_000)):
        with pytest.raises(MscamError, match="tile_size"):
            Framing(tile_size=size)
