import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from mscam_tf import read_image
from mscam_tf.data.reading import find_orientation, open_strips, read_mask

PIXELS = np.zeros((16, 24), np.uint8)
PIXELS[2:5, 3:11] = 255


def save(path, orientation, pixels=PIXELS):
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(pixels).save(path, exif=exif, quality=100)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_pixels_stay_as_they_are_stored(tmp_path, suffix, orientation):
    path = save(tmp_path / f"a.{suffix}", orientation)
    assert find_orientation(path) == orientation
    np.testing.assert_allclose(read_image(path), PIXELS / 255, atol=0.02)
    with open_strips(path) as strips:
        np.testing.assert_allclose(np.concatenate([*strips.rows]), PIXELS / 255, atol=0.02)
    if suffix != "jpg":
        np.testing.assert_array_equal(read_mask(path), PIXELS)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_there_are_eight(tmp_path, suffix):
    assert find_orientation(save(tmp_path / f"a.{suffix}", 9)) == 1


def test_what_is_no_picture_is_upright(tmp_path):
    np.save(tmp_path / "a.npy", PIXELS)
    assert find_orientation(tmp_path / "a.npy") == find_orientation(tmp_path / "none.png") == 1
    for suffix in ("jpg", "png", "bmp"):
        Image.fromarray(PIXELS).save(tmp_path / f"a.{suffix}")
        assert find_orientation(tmp_path / f"a.{suffix}") == 1
        (tmp_path / f"b.{suffix}").write_bytes((tmp_path / f"a.{suffix}").read_bytes()[:40])
        assert find_orientation(tmp_path / f"b.{suffix}") == 1


def test_tiff_files_that_pillow_cannot_open(tmp_path):
    values = np.arange(12, dtype=np.float16).reshape(3, 4)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for orientation in (1, 6):
            file.write(values, extratags=[(274, 3, 1, orientation, False)], contiguous=False)
    assert [find_orientation(tmp_path / "a.tif", page) for page in (None, 0, 1)] == [1, 1, 6]


def test_png_files_may_say_it_behind_their_pixels(tmp_path):
    data = save(tmp_path / "a.png", 6).read_bytes()
    start = data.index(b"eXIf") - 4
    length = 12 + struct.unpack(">I", data[start : start + 4])[0]
    chunk, rest = data[start : start + length], data[:start] + data[start + length :]
    end = rest.index(b"IEND") - 4
    (tmp_path / "b.png").write_bytes(rest[:end] + chunk + rest[end:])
    assert zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
    assert find_orientation(tmp_path / "b.png") == 6


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_it_may_stand_in_xmp(tmp_path, suffix):
    text = '<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", text)
    more = {"pnginfo": info} if suffix == "png" else {"xmp": text.encode()}
    Image.fromarray(PIXELS).save(tmp_path / f"a.{suffix}", **more)
    assert find_orientation(tmp_path / f"a.{suffix}") == 6
