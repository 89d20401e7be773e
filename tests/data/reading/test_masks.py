import struct
import tracemalloc
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from mscam_tf import ImageError, ReadOptions
from mscam_tf.data.labelling import measure_mask
from mscam_tf.data.reading import number_objects, read_mask, read_mask_of, resize_mask
from mscam_tf.errors import MscamError
from tests.data.reading.test_orientation import PIXELS, save


def test_masks_of_one_bit_and_of_colour(tmp_path):
    bits = np.array([[True, False], [False, False]])
    Image.fromarray(bits).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "bits.png"), [[255, 0], [0, 0]])
    Image.new("RGB", (3, 2), (255, 0, 0)).save(tmp_path / "rgb.png")
    with pytest.raises(ImageError, match=r"rgb\.png: .*its colour channels differ"):
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


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ([[0.0, 1.0]], [[0, 1]]),
        (np.array([[0, 1, 2]], np.float16), [[0, 1, 2]]),
        ([[False, True]], [[0, 1]]),
        (np.array([[0, 500_000_000]], np.int32), [[0, 1]]),
        (np.array([[0, 2**32 - 1, 0, 2**32 - 1]], np.uint32), [[0, 1, 0, 2]]),
        (np.array([[2**64 - 2, 0, 2**64 - 3]], np.uint64), [[2, 0, 1]]),
        (np.array([[0, 1e300, 1e12]]), [[0, 2, 1]]),
        (np.array([[0, 3_000_000_000, 5]], np.int64), [[0, 2, 1]]),
        (np.array([[[0], [255], [0]]], np.uint8), [[0, 1, 0]]),
    ],
)
def test_whole_numbers_of_any_type_are_objects(tmp_path, values, numbers):
    np.save(tmp_path / "a.npy", np.array(values))
    found = number_objects(read_mask(tmp_path / "a.npy"))
    assert found.dtype == np.int32
    assert found.tolist() == numbers


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[0, 0.7]]), "1 of its pixels have others, such as 0.7"),
        (np.array([[0, -1, -2]], np.int16), "2 of its pixels have others, such as -1"),
        (np.array([[0, np.nan]]), "such as nan"),
        (np.array([[0, np.inf]], np.float32), "such as inf"),
        (np.array([[0, 1j]]), "complex128"),
    ],
)
def test_numbers_that_are_no_objects_are_refused(tmp_path, values, message):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(ImageError, match=message):
        read_mask(tmp_path / "a.npy")
    with pytest.raises(MscamError, match=message):
        number_objects(values)


@given(arrays.arrays(st.sampled_from(["u1", "u4", "i4", "u8"]), (3, 4)))
def test_objects_are_numbered_without_gaps_and_none_is_lost(mask):
    if (mask < 0).any():
        with pytest.raises(MscamError, match="at least 0"):
            number_objects(mask)
        return
    found = number_objects(mask)
    np.testing.assert_array_equal(found > 0, mask > 0)
    assert set(np.unique(found).tolist()) | {0} == set(range(found.max() + 1))


def test_a_huge_number_takes_no_memory(tmp_path):
    mask = np.zeros((64, 64), np.int32)
    mask[10:20, 10:20] = 500_000_000
    np.save(tmp_path / "a.npy", mask)
    tracemalloc.start()
    assert measure_mask(read_mask(tmp_path / "a.npy"), "area") == [100]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_channels_of_a_mask_must_not_differ(tmp_path, suffix):
    numbers = np.array([[0, 5]], np.uint8)  # A difference that grey images may have.
    Image.fromarray(np.stack([numbers, 0 * numbers, 0 * numbers], -1)).save(
        tmp_path / f"a.{suffix}"
    )
    with pytest.raises(ImageError, match="expected a mask of one channel, but it has several"):
        read_mask(tmp_path / f"a.{suffix}")
    Image.fromarray(np.stack([numbers] * 3, -1)).save(tmp_path / f"a.{suffix}")
    assert read_mask(tmp_path / f"a.{suffix}").tolist() == [[0, 5]]


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_must_not_vary(tmp_path, suffix, channels):
    values = np.zeros((2, 3, channels), np.uint8)
    values[..., -1] = 255
    values[0, 1, :-1] = 7
    path = tmp_path / f"a.{suffix}"
    write_channels(path, values)
    assert read_mask(path).tolist() == [[0, 7, 0], [0, 0, 0]]
    values[0, 0, -1] = 0
    write_channels(path, values)
    with pytest.raises(ImageError, match="it has several that differ"):
        read_mask(path)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_equal_channels_of_16_bits_keep_their_numbers(tmp_path, suffix):
    numbers = np.array([[0, 1, 300, 40000]], np.uint16)
    write_channels(tmp_path / f"a.{suffix}", np.stack([numbers] * 3, -1))
    assert read_mask(tmp_path / f"a.{suffix}").tolist() == numbers.tolist()


def write_channels(path, values):
    channels = values.shape[-1]
    if path.suffix == ".png":
        path.write_bytes(imagecodecs.png_encode(values))
        return
    kind = "minisblack" if channels == 2 else "rgb"
    extra = ["unassalpha"] if channels in (2, 4) else []
    tifffile.imwrite(path, values, photometric=kind, extrasamples=extra)


def test_a_mask_that_jpeg_has_blurred_is_refused(tmp_path):
    mask = np.kron(np.eye(4), np.ones((8, 8))).astype(np.uint8)
    Image.fromarray(255 * mask).save(tmp_path / "a.jpg", quality=100)
    assert set(np.unique(read_mask(tmp_path / "a.jpg"))) == {0, 255}
    Image.fromarray(np.roll(100 * mask, 3)).save(tmp_path / "a.jpg", quality=50)
    with pytest.raises(ImageError, match="lossy compression has blurred them; save it as PNG"):
        read_mask(tmp_path / "a.jpg")


def encode(kind, mask, *, loss):
    if kind == "jls":
        return imagecodecs.jpegls_encode(mask, level=3 if loss else 0)
    level = 35 if loss else None
    return imagecodecs.jpeg2k_encode(mask, level, codecformat=kind, reversible=not loss)


def write_tiff(path, mask, *, loss):
    arguments = {"level": 35, "reversible": False} if loss else {"reversible": True}
    tifffile.imwrite(path, mask, compression="jpeg2000", compressionargs=arguments)


@pytest.mark.parametrize("kind", ["jls", "jp2", "j2k", "tif", "dcm"])
def test_masks_of_any_compression_are_exact_or_refused(tmp_path, kind):
    mask = np.zeros((96, 112), np.uint8)
    mask[10:60, 12:70], mask[50:80, 80:100] = 100, 200
    path = tmp_path / f"a.{kind}"
    for loss in (False, True):
        if kind == "tif":
            write_tiff(path, mask, loss=loss)
        elif kind == "dcm":
            dicom_files = pytest.importorskip("tests.dicom_files")
            dataset = dicom_files.make_dataset(mask, bits=8, BitsAllocated=8)
            syntax = f"1.2.840.10008.1.2.4.{91 if loss else 90}"
            data = encode("j2k", mask, loss=loss)
            dicom_files.save(path, dicom_files.enclose(dataset, data, syntax))
        else:
            path.write_bytes(encode(kind, mask, loss=loss))
        if not loss:
            np.testing.assert_array_equal(read_mask(path), mask)
    with pytest.raises(ImageError, match="lossy compression has blurred them; save it as PNG"):
        read_mask(path)


def test_a_mask_of_floats_has_no_white(tmp_path):
    values = np.array([[0, 1]], np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite")
    with pytest.raises(ImageError, match="whole numbers in which 0 is black"):
        read_mask(tmp_path / "a.tif")


def test_white_of_any_bits_is_no_number(tmp_path):
    spots = np.array([[1, 0, 0, 1]], np.uint16)  # Two objects, without numbers.
    tifffile.imwrite(tmp_path / "a.tif", spots * 4095, bitspersample=12)
    np.testing.assert_array_equal(number_objects(read_mask(tmp_path / "a.tif")), [[1, 0, 0, 2]])
    tifffile.imwrite(
        tmp_path / "a.tif", spots * 4094, bitspersample=12
    )  # A number, and one object.
    np.testing.assert_array_equal(number_objects(read_mask(tmp_path / "a.tif")), [[1, 0, 0, 1]])


@pytest.mark.parametrize(
    ("bits", "row", "numbers"),
    [
        (2, b"\x41", [[1, 0, 0, 1]]),
        (2, b"\xc3", [[255, 0, 0, 255]]),
        (2, b"\x46", [[1, 0, 1, 2]]),
        (4, b"\x10\x01", [[1, 0, 0, 1]]),
        (4, b"\xf0\x0f", [[255, 0, 0, 255]]),
        (4, b"\x1e\x0f", [[1, 14, 0, 15]]),
    ],
)
def test_numbers_of_few_bits_are_not_spread(tmp_path, bits, row, numbers):
    parts = (b"IHDR" + struct.pack(">IIBBBBB", 4, 1, bits, 0, 0, 0, 0),)
    parts += (b"IDAT" + zlib.compress(b"\0" + row), b"IEND")
    chunks = [struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), numbers)


def smooth(size, method, scale=1):
    """Return a square and a bar, resized from a sharp mask."""
    sharp = np.zeros((96, 96), np.uint8)
    sharp[10:44, 10:44] = sharp[60:70, 20:90] = 255
    resized = np.asarray(Image.fromarray(sharp).resize((size, size), method), np.float64)
    return np.round(resized * scale).astype(np.uint8)


@pytest.mark.parametrize(
    "values",
    [
        smooth(70, Image.Resampling.BILINEAR),
        smooth(150, Image.Resampling.BILINEAR),
        smooth(31, Image.Resampling.BOX),
        smooth(120, Image.Resampling.LANCZOS),
        smooth(70, Image.Resampling.BICUBIC, 0.4),
        np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8),
    ],
    ids=["smaller", "larger", "area", "lanczos", "weak", "noise"],
)
def test_masks_with_smoothed_edges_are_refused(tmp_path, values):
    """Each step would be an object, hundreds of them in a film."""
    Image.fromarray(values).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"a\.png: .*its edges are smoothed.*as 0 and 255"):
        read_mask(tmp_path / "a.png")


@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
@pytest.mark.parametrize("size", [97, 117, 230])
def test_smoothed_masks_of_several_objects_are_refused(tmp_path, method, size):
    """Large flat objects beside them do not make steps objects."""
    sharp = np.zeros((160, 160), np.uint8)
    sharp[10:70, 10:80], sharp[90:150, 60:150], sharp[100:140, 5:40] = 128, 255, 1
    path = tmp_path / "a.png"
    Image.fromarray(sharp).save(path)
    assert np.unique(number_objects(read_mask(path))).tolist() == [0, 1, 2, 3]
    Image.fromarray(sharp).resize((size, size), method).save(path)
    with pytest.raises(ImageError, match="its edges are smoothed"):
        read_mask(path)


def test_numbered_masks_are_not_taken_for_smoothed_ones(tmp_path):
    generator = np.random.default_rng(0)
    cells = np.kron(generator.permutation(100).reshape(10, 10), np.ones((3, 3)))  # They touch.
    dots, lines = np.zeros((2, 64, 64))
    dots[tuple(generator.integers(0, 64, (2, 50)))] = np.arange(50)
    lines[::2] = np.arange(32)[:, None]
    steps = np.kron([[0, 64, 128, 192, 255]], np.ones((20, 4)))  # Five flat objects in a row.
    edge = np.zeros((20, 20))
    edge[4:16, 4:16], edge[5:15, 5:15] = 128, 255  # An object and its rim.
    for values in (cells, dots, lines, steps, edge, [[0, 1, 2, 3]]):
        np.save(tmp_path / "a.npy", np.array(values, np.int32))
        np.testing.assert_array_equal(read_mask(tmp_path / "a.npy"), values)


def test_a_thin_object_stays_where_its_mask_is_shrunk():
    mask = np.zeros((40, 60), int)
    mask[:, 31] = 7
    mask[0:8, 0:8] = 3
    small = resize_mask(mask, (10, 10))
    expected = np.zeros((10, 10), bool)
    expected[:, 5] = expected[0:2, 0:2] = True
    assert (small & expected).sum() == expected.sum()
    assert not small[:, 7:].any()
    np.testing.assert_array_equal(resize_mask(mask, (40, 60)), mask > 0)


def test_large_floats_number_objects_also_without_background(tmp_path):
    """No object becomes background, and none falls into its parts."""
    mask = np.full((6, 6), 3e9)
    mask[:, 3:] = 5e9
    np.save(tmp_path / "m.npy", mask)
    assert np.unique(number_objects(read_mask(tmp_path / "m.npy"))).tolist() == [1, 2]
    np.save(tmp_path / "m.npy", np.where(np.eye(6)[:, ::2].any(1)[:, None], mask, 0.0))
    assert np.unique(number_objects(read_mask(tmp_path / "m.npy"))).tolist() == [0, 1, 2]


@pytest.mark.parametrize("value", [-1, np.nan, 0.5])
def test_what_is_no_object_is_not_resized_to_none(value):
    mask = np.zeros((4, 4), np.float64)
    mask[1, 1] = value
    with pytest.raises(MscamError, match="expected a mask of whole numbers of at least 0"):
        resize_mask(mask, (2, 2))


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_the_mask_of_a_turned_image_is_turned_alike(tmp_path, suffix, orientation):
    """A program may have drawn it on what is shown, or on what is stored."""
    turned, upright = save(tmp_path / f"a.{suffix}", orientation), save(tmp_path / "b.png", 1)
    mask = save(tmp_path / "m.png", orientation)
    size = PIXELS.shape
    np.testing.assert_array_equal(read_mask_of(turned, mask, size=size), PIXELS)
    message = rf"orientation of EXIF is {orientation} in .*a\.{suffix}, and 1 in the mask; save"
    for image, own, words in [
        (turned, upright, message),
        (upright, mask, rf"and {orientation} in"),
    ]:
        if orientation > 4:  # Sides that are not swapped tell that it is stored as its image is.
            np.testing.assert_array_equal(read_mask_of(image, own, size=size), PIXELS)
            np.testing.assert_array_equal(read_mask_of(image, own), PIXELS)
        with pytest.raises(ImageError, match=words):
            read_mask_of(image, own, size=size[::-1] if orientation > 4 else size)
    square = save(tmp_path / "s.tif", 1, PIXELS[:, :16])
    with pytest.raises(ImageError, match=message):
        read_mask_of(turned, square, size=(16, 16))


def test_two_quarter_turns_are_not_alike(tmp_path):
    image, mask = save(tmp_path / "a.jpg", 6), save(tmp_path / "m.png", 8)
    with pytest.raises(ImageError, match=r"m\.png: .* is 6 in .*a\.jpg, and 8 in the mask"):
        read_mask_of(image, mask, size=PIXELS.shape)


def test_the_page_that_is_read_says_how_it_is_turned(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for orientation in (1, 3):
            tag = (274, 3, 1, orientation, False)
            file.write(PIXELS, extratags=[tag], contiguous=False)
    mask = save(tmp_path / "m.png", 1)
    assert read_mask_of(tmp_path / "a.tif", mask, ReadOptions(page=0)).any()
    with pytest.raises(ImageError, match=r"is 3 in .*a\.tif"):
        read_mask_of(tmp_path / "a.tif", mask, ReadOptions(page=1))


def test_a_mask_of_another_size_than_its_image_is_refused(tmp_path):
    image = save(tmp_path / "a.png", 1)
    with pytest.raises(ImageError, match=r"expected the size \(9, 24\) of its image, but it has"):
        read_mask_of(image, image, size=(9, 24))


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_a_mask_of_several_pages_is_refused_without_an_option_that_masks_lack(tmp_path, suffix):
    path, pages = tmp_path / f"mask{suffix}", np.zeros((2, 8, 8), np.uint8)
    if suffix == ".tif":
        tifffile.imwrite(path, pages, photometric="minisblack")
    else:
        np.save(path, pages)
    with pytest.raises(ImageError, match="a mask of one page") as caught:
        read_mask(path)
    assert "--page" not in str(caught.value)


@pytest.mark.parametrize("kind", ["tif", "dcm"])
@pytest.mark.parametrize("objects", [(255,), (1, 2)])
def test_a_mask_that_may_not_be_inverted_as_its_file_says_is_refused(tmp_path, kind, objects):
    mask = np.zeros((8, 10), np.uint8)
    mask[1:4, 2:5], mask[5:7, 7:9] = objects[0], objects[-1]
    path = tmp_path / f"a.{kind}"
    write_inverted(path, 255 - mask)
    np.testing.assert_array_equal(read_mask(path), mask)
    for pixels in (mask, 0 * mask):  # The file says that 0 is white, and 0 is no object.
        write_inverted(path, pixels)
        with pytest.raises(ImageError, match="more than half of it would be objects"):
            read_mask(path)


def write_inverted(path, pixels):
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels, photometric="miniswhite")
        return
    dicom_files = pytest.importorskip("tests.dicom_files")
    kind = "MONOCHROME1"
    dataset = dicom_files.make_dataset(
        pixels, bits=8, BitsAllocated=8, PhotometricInterpretation=kind
    )
    dicom_files.save(path, dataset)
