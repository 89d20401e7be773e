import numpy as np
import pytest
import tifffile
from PIL import Image

from mscam_tf import ImageError, ReadOptions, read_image
from mscam_tf.data.reading import open_strips

GENERATOR = np.random.default_rng(0)
SIXTEEN = GENERATOR.integers(0, 2**16, (530, 70)).astype(np.uint16)
EIGHT = (SIXTEEN >> 8).astype(np.uint8)
TIFFS = {
    "mapped": (SIXTEEN, {}),
    "big_endian": (SIXTEEN, {"byteorder": ">"}),
    "strips": (SIXTEEN, {"compression": "deflate", "rowsperstrip": 37}),
    "predictor": (EIGHT, {"compression": "lzw", "rowsperstrip": 100, "predictor": True}),
    "tiles": (EIGHT, {"compression": "deflate", "tile": (64, 32)}),
    "inverted": (EIGHT, {"photometric": "miniswhite", "tile": (16, 16)}),
    "floats": (GENERATOR.random((40, 30), np.float32), {"rowsperstrip": 7, "compression": "zlib"}),
    "bilevel": (SIXTEEN > 9000, {"photometric": "minisblack"}),
    "colours": (np.stack([EIGHT] * 3, axis=-1), {"photometric": "rgb"}),
}


def read(path, options=None):
    with open_strips(path, options) as strips:
        rows = list(strips.rows)
        assert np.vstack(rows).shape == strips.size
    return rows


@pytest.mark.parametrize("name", TIFFS)
def test_strips_of_tiff_files_are_what_is_read_whole(tmp_path, name):
    values, options = TIFFS[name]
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, byteorder=options.pop("byteorder", "<")) as file:
        file.write(values, **options)
    rows = read(path)
    np.testing.assert_array_equal(np.vstack(rows), read_image(path))
    if name in ("mapped", "strips", "tiles"):
        assert max(map(len, rows)) <= 256


def test_arrays_and_others(tmp_path):
    np.save(tmp_path / "a.npy", np.stack([SIXTEEN, 1 + SIXTEEN // 2]))
    options = ReadOptions(page=1, window=(10, 20_000), invert=True)
    rows = read(tmp_path / "a.npy", options)
    assert [len(one) for one in rows] == [256, 256, 18]
    np.testing.assert_array_equal(np.vstack(rows), read_image(tmp_path / "a.npy", options))
    np.save(tmp_path / "b.npy", SIXTEEN > 9000)
    np.testing.assert_array_equal(np.vstack(read(tmp_path / "b.npy")), SIXTEEN > 9000)
    Image.fromarray(EIGHT).save(tmp_path / "a.png")
    (whole,) = read(tmp_path / "a.png")
    np.testing.assert_array_equal(whole, read_image(tmp_path / "a.png"))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0 and no more")
    for name in ("a.tif", "missing.png"):
        with pytest.raises(ImageError, match=name):
            read(tmp_path / name)
    np.save(tmp_path / "a.npy", np.full((300, 4), np.nan))
    with pytest.raises(ImageError, match=r"a\.npy: expected numbers"):
        read(tmp_path / "a.npy")
    np.save(tmp_path / "large.npy", EIGHT)
    with pytest.raises(ImageError, match="more than the limit of 100"):
        read(tmp_path / "large.npy", ReadOptions(max_pixels=100))


def test_a_file_that_breaks_off_is_named_where_it_does(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, EIGHT, compression="deflate", rowsperstrip=100)
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[3]
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 64)
    with open_strips(path) as strips:
        assert next(strips.rows).shape == (100, 70)
        with pytest.raises(ImageError, match=r"a\.tif"):
            list(strips.rows)
