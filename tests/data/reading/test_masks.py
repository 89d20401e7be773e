import numpy as np
import pytest
import tifffile
from PIL import Image

from mscam_tf import ImageError, ReadOptions
from mscam_tf.data.reading import read_mask


def test_masks_of_one_bit_and_of_colour(tmp_path):
    bits = np.array([[True, False], [False, False]])
    Image.fromarray(bits).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "bits.png"), [[255, 0], [0, 0]])
    Image.new("RGB", (3, 2)).save(tmp_path / "rgb.png")
    with pytest.raises(ImageError, match=r"rgb\.png: expected a mask of one channel"):
        read_mask(tmp_path / "rgb.png")
    with pytest.raises(ImageError, match=r"no\.png"):
        read_mask(tmp_path / "no.png")


def test_masks_of_any_format(tmp_path):
    numbers = np.array([[0, 1, 300], [2, 0, 0]], np.uint16)
    np.save(tmp_path / "a.npy", numbers)
    tifffile.imwrite(tmp_path / "a.tif", numbers)
    for name in ("a.npy", "a.tif"):
        np.testing.assert_array_equal(read_mask(tmp_path / name), numbers)
    white = np.array([[255, 0]], np.uint8)  # White, so nothing, and black.
    tifffile.imwrite(tmp_path / "w.tif", white, photometric="miniswhite")
    np.testing.assert_array_equal(read_mask(tmp_path / "w.tif"), [[0, 255]])


def test_the_indices_of_a_palette_count(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 7]], np.uint8))
    image.putpalette([0, 0, 0] + [90, 90, 90] * 7)
    image.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "p.png"), [[0, 1, 7]])
    for mode in ("P", "L"):
        image.convert(mode).save(tmp_path / "p.png")
        with pytest.raises(ImageError, match="1 x 3 pixels, more than the limit of 2"):
            read_mask(tmp_path / "p.png", ReadOptions(max_pixels=2))
