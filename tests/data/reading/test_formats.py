import struct
import time
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from mscam_tf import ImageError, ReadOptions, read_image

RAMP = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)


def save(path, values, **options):
    Image.fromarray(values).save(path, **options)
    return path


def save_tiff(path, values, **options):
    tifffile.imwrite(path, values, metadata=None, **options)
    return path


def make_png_header(height, width):
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + checksum


def make_tiff_header(**tags):
    """Make a TIFF without pixels: one strip of 8 bytes, unless the tags say otherwise."""
    codes = {"width": 256, "height": 257, "bits": 258, "compression": 259, "photometric": 262}
    codes |= {"start": 273, "rows": 278, "count": 279, "tile_width": 322, "tile_height": 323}
    codes |= {"tile_start": 324, "tile_count": 325}
    entries = [struct.pack("<HHII", codes[name], 4, 1, value) for name, value in tags.items()]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(80)


def refuse(path, message, **options):
    start = time.perf_counter()
    with pytest.raises(ImageError, match=message) as caught:
        read_image(path, ReadOptions(**options))
    assert path.name in str(caught.value)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_eight_bits(tmp_path, suffix):
    image = read_image(save(tmp_path / f"a.{suffix}", RAMP))
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, [[0, 0.2, 0.4], [0.6, 0.8, 1]], rtol=1e-6)


def test_jpeg(tmp_path):
    values = np.full((16, 24), 51, np.uint8)
    image = read_image(save(tmp_path / "a.jpg", values, quality=100))
    assert image.shape == (16, 24)
    np.testing.assert_allclose(image, 0.2, atol=1 / 255)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
def test_tiff_is_scaled_by_its_bits(tmp_path, bits, compression):
    highest = 2**bits - 1
    values = np.array([[0, 1, highest // 3], [highest - 1, highest, 7]], np.uint16)
    path = tmp_path / "a.tif"
    if compression is None or bits == 16:  # Packed to the bit where the format allows it.
        save_tiff(path, values, bitspersample=bits, compression=compression)
    else:
        packed = imagecodecs.packints_encode(values, bits, runlen=3)
        encode = {"lzw": imagecodecs.lzw_encode, "zlib": imagecodecs.zlib_encode}[compression]
        code = {"lzw": 5, "zlib": 8}[compression]
        data = encode(packed)
        tags = {"width": 3, "height": 2, "bits": bits, "compression": code, "photometric": 1}
        header = make_tiff_header(**tags, start=200, rows=2, count=len(data))
        path.write_bytes(header.ljust(200, b"\0") + data)
    image = read_image(path)
    np.testing.assert_array_equal(np.round(image.astype(float) * highest), values)
    assert image[1, 1] == 1


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_detector_bits_in_sixteen_bit_png_need_a_window(tmp_path, bits):
    highest = 2**bits - 1
    values = np.array([[0, 1, highest - 1, highest]], np.uint16)
    path = save(tmp_path / "a.png", values)
    np.testing.assert_allclose(read_image(path)[0, 3], highest / 65535, rtol=1e-6)
    image = read_image(path, ReadOptions(window=(0, highest)))
    np.testing.assert_array_equal(np.round(image.astype(float) * highest), values)


@pytest.mark.parametrize("suffix", ["png", "tif", "npy"])
def test_all_sixteen_bit_values_stay_apart(tmp_path, suffix):
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    path = tmp_path / f"a.{suffix}"
    np.save(path, values) if suffix == "npy" else save(path, values)
    image = read_image(path)
    assert (np.diff(image.ravel()) > 0).all()
    np.testing.assert_array_equal(np.round(image.astype(float) * 65535), values)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 2), (1, 3, 3), (1, 3, 4)])
def test_sixteen_bits_survive_alpha_and_rgb(tmp_path, shape):
    values = np.broadcast_to(np.array([[500, 501, 65535]], np.uint16).reshape(1, 3, 1), (1, 3, 4))
    values = values[..., 0] if len(shape) == 2 else values[..., : shape[2]]
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.ascontiguousarray(values)))
    image = read_image(tmp_path / "a.png")
    np.testing.assert_allclose(image * 65535, [[500, 501, 65535]], rtol=1e-6)


@pytest.mark.parametrize("mode", ["1", "P"])
def test_bilevel_and_palette(tmp_path, mode):
    grey = Image.fromarray(np.array([[0, 255]], np.uint8))
    grey.convert(mode).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[0, 1]]
    if mode == "1":
        grey.convert(mode).save(tmp_path / "a.tif")
        assert read_image(tmp_path / "a.tif").tolist() == [[0, 1]]


def test_tiff_jpeg_tiles_and_white_is_zero(tmp_path):
    values = np.full((32, 48), 51, np.uint8)
    values[:, 20:] = 102
    path = save_tiff(tmp_path / "a.tif", values, compression="jpeg", compressionargs={"level": 100})
    np.testing.assert_allclose(read_image(path), values / 255, atol=4 / 255)
    path = save_tiff(tmp_path / "b.tif", values, tile=(16, 16), compression="zlib", predictor=True)
    np.testing.assert_allclose(read_image(path), values / 255, rtol=1e-6)
    path = save_tiff(tmp_path / "c.tif", RAMP, photometric="miniswhite")
    np.testing.assert_allclose(read_image(path), 1 - RAMP / 255, atol=1e-6)
    np.testing.assert_allclose(read_image(path, ReadOptions(invert=True)), RAMP / 255, atol=1e-6)


def test_pages_are_chosen(tmp_path):
    pages = np.stack([RAMP, RAMP[::-1], 255 - RAMP])
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in pages:
            file.write(page, contiguous=False, photometric="minisblack")
    np.save(tmp_path / "a.npy", pages)
    for name in ("a.tif", "a.npy"):
        image = read_image(tmp_path / name, ReadOptions(page=2))
        np.testing.assert_allclose(image, 1 - RAMP / 255, atol=1e-6)
        refuse(tmp_path / name, r"the file holds 3 pages; choose one of them, .*--page")
        refuse(tmp_path / name, "expected page 3, counted from 0, but the file holds 3", page=3)
    refuse(save(tmp_path / "a.png", RAMP), "expected page 1", page=1)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "i2"])
def test_npy_integers(tmp_path, dtype):
    limits = np.iinfo(dtype)
    np.save(tmp_path / "a.npy", np.array([[limits.min, limits.max]], dtype))
    assert read_image(tmp_path / "a.npy").tolist() == [[0, 1]]


def test_floats_and_wide_integers_lie_in_the_unit_range_or_need_a_window(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[0.25, 1]]))
    assert read_image(tmp_path / "a.npy").tolist() == [[0.25, 1]]
    np.save(tmp_path / "b.npy", np.array([[-2, 6]], np.float32))
    refuse(tmp_path / "b.npy", r"float32 values in \[0, 1\], or a window .* span -2.0 to 6")
    image = read_image(tmp_path / "b.npy", ReadOptions(window=(-4, 4)))
    assert image.tolist() == [[0.25, 1]]
    refuse(save_tiff(tmp_path / "c.tif", np.array([[0, 70000]], np.uint32)), "or a window")
    np.save(tmp_path / "d.npy", np.array([[0.5, np.nan]]))
    refuse(tmp_path / "d.npy", "not finite", window=(0, 1))


def test_npy_of_other_things_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]], object), allow_pickle=True)
    refuse(tmp_path / "a.npy", "Python objects")
    np.save(tmp_path / "b.npy", np.array([[1j]]))
    refuse(tmp_path / "b.npy", "expected integers or floats, but the values are complex128")
    np.save(tmp_path / "c.npy", np.arange(3))
    refuse(tmp_path / "c.npy", r"expected an array \(height, width\)")
    np.save(tmp_path / "d.npy", np.zeros((0, 3)))
    refuse(tmp_path / "d.npy", "0 x 3 pixels")


@pytest.mark.parametrize("shape", [(2, 3, 1), (1, 2, 3), (1, 2, 3, 1)])
def test_npy_of_one_channel_or_one_page_is_an_image(tmp_path, shape):
    np.save(tmp_path / "a.npy", RAMP.reshape(shape))
    np.testing.assert_allclose(read_image(tmp_path / "a.npy"), RAMP / 255, atol=1e-6)


def test_npy_of_pages_with_a_channel_of_other_orders_and_of_bool(tmp_path):
    np.save(tmp_path / "a.npy", np.stack([RAMP, 255 - RAMP])[..., None])
    refuse(tmp_path / "a.npy", "the file holds 2 pages")
    image = read_image(tmp_path / "a.npy", ReadOptions(page=1))
    np.testing.assert_allclose(image, 1 - RAMP / 255, atol=1e-6)
    np.save(tmp_path / "b.npy", np.asfortranarray(RAMP.astype(">u2") * 257))
    np.testing.assert_allclose(read_image(tmp_path / "b.npy"), RAMP / 255, atol=1e-6)
    np.save(tmp_path / "c.npy", RAMP > 100)
    assert read_image(tmp_path / "c.npy").tolist() == [[0, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_npy_with_channels_is_refused(tmp_path, channels):
    np.save(tmp_path / "a.npy", np.zeros((8, 9, channels), np.uint8))
    refuse(
        tmp_path / "a.npy", rf"the last axis of its shape \(8, 9, {channels}\) looks like channels"
    )


def test_an_archive_of_arrays_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", a=RAMP)
    refuse(tmp_path / "a.npz", r"expected one array in an NPY file, but it is an archive")


def test_grey_stored_as_rgb(tmp_path):
    rgb = np.repeat(RAMP[..., None], 3, -1)
    for path in (save(tmp_path / "a.png", rgb), save(tmp_path / "a.tif", rgb)):
        np.testing.assert_allclose(read_image(path), RAMP / 255, atol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "bmp"])
def test_real_colour_is_refused(tmp_path, suffix):
    color = np.zeros((16, 16, 3), np.uint8)
    color[..., 0] = 200
    refuse(save(tmp_path / f"a.{suffix}", color), "expected a grey image, but its colour")


def test_the_first_bytes_decide_not_the_suffix(tmp_path):
    path = save(tmp_path / "röntgen 방사선.png", RAMP)
    path = path.rename(path.with_suffix(".tif"))
    np.testing.assert_allclose(read_image(path), RAMP / 255, rtol=1e-6)
    (tmp_path / "b.png").write_text("not an image")
    refuse(tmp_path / "b.png", "expected a PNG, TIFF, DICOM, NPY, JPEG, JPEG 2000 or BMP file")


def test_missing_empty_and_folder(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    refuse(tmp_path / "missing.png", "no such file")
    refuse(tmp_path / "empty.png", "the file is empty")
    refuse(tmp_path / "folder.png", "it is a folder")


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "npy", "tif", "lzw", "zlib", "jpeg"])
def test_truncated_files(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8)
    path = tmp_path / f"a.{suffix}"
    if suffix == "npy":
        np.save(path, noise)
    elif suffix in ("lzw", "zlib", "jpeg"):
        save_tiff(path, noise, compression=suffix)
    else:
        save(path, noise)
    whole = path.read_bytes()
    for length in (20, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:length])
        refuse(path, "truncated" if (suffix, length) == ("png", 20) else "a.")


def test_header_bombs_are_refused_before_decoding(tmp_path):
    (tmp_path / "a.png").write_bytes(make_png_header(40000, 25000))
    big = {"width": 40000, "height": 25000, "bits": 16, "photometric": 1, "start": 8, "rows": 25000}
    (tmp_path / "a.tif").write_bytes(make_tiff_header(**big, count=8))
    np.save(tmp_path / "a.npy", RAMP)
    header = (tmp_path / "a.npy").read_bytes().replace(b"(2, 3), }        ", b"(40000, 25000), }")
    (tmp_path / "a.npy").write_bytes(header)
    bmp = bytearray(save(tmp_path / "a.bmp", RAMP).read_bytes())
    bmp[18:26] = struct.pack("<II", 40000, 25000)
    (tmp_path / "a.bmp").write_bytes(bmp)
    jpeg = set_jpeg_size(save(tmp_path / "a.jpg", RAMP).read_bytes())
    (tmp_path / "a.jpg").write_bytes(jpeg)
    for suffix in ("png", "tif", "bmp", "jpg"):
        refuse(tmp_path / f"a.{suffix}", r"more than the limit of 100000000; .*--max-pixels")
    refuse(tmp_path / "a.npy", "mmap length is greater than file")


def test_bombs_within_a_tiff(tmp_path):
    tile = {"width": 16, "height": 16, "bits": 8, "photometric": 1}
    tile |= {"tile_width": 2**16, "tile_height": 2**16, "tile_start": 8, "tile_count": 8}
    (tmp_path / "a.tif").write_bytes(make_tiff_header(**tile))
    refuse(tmp_path / "a.tif", "65536 x 65536 pixels, more than the limit")
    path = save_tiff(tmp_path / "b.tif", np.zeros((16, 16), np.uint8), compression="jpeg")
    path.write_bytes(set_jpeg_size(path.read_bytes()))
    refuse(path, "40000 x 25000 pixels, more than the limit")


def set_jpeg_size(data, height=40000, width=25000):
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


def test_the_limit_can_be_raised_and_lowered(tmp_path):
    path = save(tmp_path / "a.png", RAMP)
    refuse(path, "2 x 3 pixels, more than the limit of 5", max_pixels=5)
    assert read_image(path, ReadOptions(max_pixels=6)).shape == (2, 3)
    (tmp_path / "b.png").write_bytes(make_png_header(10, 25000))
    refuse(tmp_path / "b.png", "b.png: (?!its header)", max_pixels=10**10)  # The decoder's turn.


def test_foreign_tiffs_are_refused(tmp_path):
    path = save_tiff(tmp_path / "a.tif", RAMP, compression="lerc")
    refuse(path, "expected compression by CCITT, JPEG, JPEG 2000, LZMA, .*none, but it is")
    path = save_tiff(tmp_path / "b.tif", np.zeros((4, 4, 5), np.uint8), photometric="separated")
    refuse(path, "its photometric interpretation is")


def test_npy_without_pages(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((0, 4, 4), np.uint8))
    with pytest.raises(ImageError, match="expected an image, but the file holds none"):
        read_image(tmp_path / "a.npy")


def save_several(path, **options):
    first, second = (Image.fromarray(np.full((16, 24), value, np.uint8)) for value in (51, 204))
    first.save(path, save_all=True, append_images=[second], **options)
    return path


def test_a_picture_of_several_in_one_file_needs_a_choice(tmp_path):
    path = save_several(tmp_path / "a.mpo").rename(tmp_path / "a.jpg")
    refuse(path, "the file holds 2 pages; choose one of them")
    refuse(path, "expected page 2, counted from 0", page=2)
    for page, value in enumerate((0.2, 0.8)):
        found = read_image(path, ReadOptions(page=page))
        np.testing.assert_allclose(found, np.full((16, 24), value), atol=1 / 255)


def test_pictures_of_several_in_one_file_are_no_larger_than_the_limit(tmp_path):
    small, large = (Image.fromarray(np.zeros((side, side), np.uint8)) for side in (16, 64))
    small.save(tmp_path / "a.mpo", save_all=True, append_images=[large])
    refuse(tmp_path / "a.mpo", "64 x 64 pixels, more than the limit of 300", page=1, max_pixels=300)


def test_a_broken_list_of_pictures_leaves_the_first(tmp_path):
    data = save_several(tmp_path / "a.mpo").read_bytes()
    start = data.index(b"MPF\0") + 4
    (tmp_path / "a.jpg").write_bytes(data[:start] + b"XX" + data[start + 2 :])
    with pytest.warns(UserWarning, match="malformed MPO"):
        assert read_image(tmp_path / "a.jpg").mean() == pytest.approx(0.2, abs=1 / 255)


def test_an_animated_png_is_refused(tmp_path):
    refuse(save_several(tmp_path / "a.png"), "expected one image, but it is an animated PNG of 2 p")
    refuse(save_several(tmp_path / "b.png", default_image=True), "an animated PNG of 2 pictures")
    save(tmp_path / "c.png", np.full((16, 24), 51, np.uint8), save_all=True)
    assert read_image(tmp_path / "c.png").mean() == pytest.approx(0.2)
