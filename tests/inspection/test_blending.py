import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mscam_tf.data.reading import Strips
from mscam_tf.inspection import blend_tiles, cut_tiles, weigh_tile

SIDES = st.tuples(st.integers(1, 40), st.integers(1, 40))
TILES = st.tuples(st.integers(1, 15), st.integers(1, 15))


@given(SIDES, TILES, st.floats(0, 0.9), st.floats(-5, 5, width=32))
def test_a_constant_is_kept_to_the_last_bit(size, tile_size, overlap, value):
    strips = Strips(size, iter([np.full(size, value, np.float32)]))
    tiles = ((x, y, tile[..., None]) for x, y, tile in cut_tiles(strips, tile_size, overlap))
    rows = np.concatenate(list(blend_tiles(tiles, size, tile_size)))
    assert rows.shape == (*size, 1)
    assert (rows == np.float32(value)).all()


@given(SIDES, TILES, st.floats(0, 0.9))
def test_a_map_of_each_pixel_is_that_of_the_whole(size, tile_size, overlap):
    image = np.random.default_rng(0).random(size, np.float32)
    tiles = cut_tiles(Strips(size, iter(np.array_split(image, 3))), tile_size, overlap)
    placed = ((x, y, np.stack([tile, 2 * tile], axis=-1)) for x, y, tile in tiles)
    maps = np.concatenate(list(blend_tiles(placed, size, tile_size)))
    np.testing.assert_allclose(maps, np.stack([image, 2 * image], axis=-1), atol=1e-6)


def test_one_tile_fades_into_the_next():
    placed = [(x, 0, np.full((1, 4, 1), x, np.float32)) for x in (0, 2)]
    (rows,) = blend_tiles(placed, (1, 6), (1, 4))
    assert rows[0, :, 0].tolist() == [0, 0, 0.5, 1.5, 2, 2]
    assert weigh_tile((2, 4)).tolist() == [[0.125, 0.375, 0.375, 0.125]] * 2


def test_rows_come_as_soon_as_no_tile_reaches_them():
    given_out = []

    def place():
        for y in (0, 3, 5):
            yield 0, y, np.full((4, 2, 1), y, np.float32)
            given_out.append(y)

    heights = [(len(rows), len(given_out)) for rows in blend_tiles(place(), (9, 2), (4, 2))]
    assert heights == [(3, 1), (2, 2), (4, 3)]
