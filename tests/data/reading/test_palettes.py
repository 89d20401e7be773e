import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, ReadOptions, read_image
from mscam_tf.data.reading import read_mask


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_one_rule_for_palettes_in_all_formats(tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    image = Image.fromarray(np.array([[0, 1, 7], [2, 2, 0]], np.uint8))
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [90, 80, 20] * 253)
    image.save(path)
    np.testing.assert_array_equal(read_mask(path), [[0, 1, 7], [2, 2, 0]])
    with pytest.raises(ImageError, match="more than the limit of 5"):
        read_mask(path, ReadOptions(max_pixels=5))
    image.putpalette([200, 200, 200, 100, 100, 100] + [0, 0, 0] * 254)
    image.save(path)
    with pytest.raises(ImageError, match="mask in which 0 is black, but its palette"):
        read_mask(path)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_a_palette_of_black_and_white_is_a_mask_of_two_values(tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    image = Image.fromarray(np.array([[0, 1, 0]], np.uint8))
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(path)
    np.testing.assert_array_equal(read_mask(path) > 0, [[False, True, False]])
    np.testing.assert_array_equal(read_image(path), [[0, 1, 0]])


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_a_black_background_is_no_object_whatever_its_index(tmp_path, suffix):
    """As programs write them that number colours by how bright they are, or anew at each saving."""
    path, red = tmp_path / f"p.{suffix}", [200, 0, 0]
    values = np.ones((8, 8), np.uint8)
    values[2:4, 2:4] = 0
    for palette, right in (([*red, 0, 0, 0], False), ([0, 0, 0, *red], True), (red * 2, True)):
        image = Image.fromarray(values)
        image.putpalette(palette)
        image.save(path)
        if right:
            assert np.count_nonzero(read_mask(path)) == 60
            continue
        with pytest.raises(ImageError, match="black has another index, and more than half of it"):
            read_mask(path)
    image = Image.fromarray(1 - values)  # A black object on red ground: the smaller part counts.
    image.putpalette([*red, 0, 0, 0])
    image.save(path)
    assert np.count_nonzero(read_mask(path)) == 4
