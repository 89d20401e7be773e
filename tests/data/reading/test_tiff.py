import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from mscam_tf import ImageError, ReadOptions, read_image
from mscam_tf.data.reading import read_mask

Y, X = np.mgrid[:48, :40]
EIGHT = ((Y * 5 + X * 3) % 256).astype(np.uint8)
SIXTEEN = ((Y * 1300 + X * 37) % 65536).astype(np.uint16)
BILEVEL = (Y + X) % 3 == 0
WHOLE = {256: 40, 257: 48, 258: 8, 259: 1, 262: 1, 277: 1, 278: 48}
COMPRESSIONS = ["packbits", "lzw", "zlib", "lzma", "zstd", "jpeg2000"]


def save(path, values, **options):
    tifffile.imwrite(path, values, metadata=None, **options)
    return path


def save_strip(path, data, lacks=(), **tags):
    """Write a TIFF file of one strip, with tags as they are given, also wrong ones."""
    names = {"bits": 258, "compression": 259, "fill_order": 266, "rows": 278, "count": 279}
    entries = WHOLE | {279: len(data)} | {names[name]: value for name, value in tags.items()}
    entries = {tag: value for tag, value in entries.items() if tag not in lacks}
    entries[273] = 8 + 2 + 12 * (len(entries) + 1) + 4
    body = b"".join(struct.pack("<HHII", tag, 4, 1, entries[tag]) for tag in sorted(entries))
    path.write_bytes(b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + bytes(4) + data)
    return path


def check(path, expected, **options):
    np.testing.assert_allclose(read_image(path, ReadOptions(**options)), expected, atol=1e-6)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("values", [EIGHT, SIXTEEN], ids=["8", "16"])
def test_compressions_without_loss(tmp_path, compression, values):
    path = save(tmp_path / "a.tif", values, compression=compression)
    check(path, values / np.iinfo(values.dtype).max)
    path = save(tmp_path / "b.tif", values, compression=compression, rowsperstrip=7)
    check(path, values / np.iinfo(values.dtype).max)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "packbits"])
def test_one_bit_as_scanners_write_it(tmp_path, compression):
    Image.fromarray(BILEVEL).save(tmp_path / "a.tif", compression=compression)
    check(tmp_path / "a.tif", BILEVEL)


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
def test_packed_bits(tmp_path, bits):
    values = (SIXTEEN >> (16 - bits)).astype(np.uint16 if bits > 8 else np.uint8)
    path = save(tmp_path / "a.tif", values, bitspersample=bits, photometric="minisblack")
    check(path, values / (2**bits - 1))


@pytest.mark.parametrize(
    "options",
    [
        {"predictor": True, "compression": "zlib"},
        {"tile": (16, 32)},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"photometric": "minisblack", "rowsperstrip": 1},
    ],
    ids=str,
)
def test_layouts(tmp_path, options):
    check(save(tmp_path / "a.tif", SIXTEEN, **options), SIXTEEN / 65535)


@pytest.mark.parametrize("options", [{}, {"compression": "packbits"}, {"tile": (16, 16)}], ids=str)
def test_planes(tmp_path, options):
    options = {"planarconfig": "separate", **options}
    path = save(tmp_path / "a.tif", np.stack([EIGHT] * 3), photometric="rgb", **options)
    check(path, EIGHT / 255)
    with_alpha = np.stack([EIGHT, 255 - EIGHT])
    alpha = {"photometric": "minisblack", "extrasamples": ["unassalpha"]}
    path = save(tmp_path / "b.tif", with_alpha, **alpha, **options)
    check(path, EIGHT / 255)
    coloured = np.stack([EIGHT, 255 - EIGHT, EIGHT])
    with pytest.raises(ImageError, match="its colour channels differ"):
        read_image(save(tmp_path / "c.tif", coloured, photometric="rgb", **options))


@pytest.mark.parametrize("bits", [4, 8])
def test_palettes(tmp_path, bits):
    indices = EIGHT >> (8 - bits)
    image = Image.fromarray(indices)
    image.putpalette([255 * i // (2**bits - 1) for i in range(2**bits) for _ in range(3)])
    image.save(tmp_path / "a.tif")
    check(tmp_path / "a.tif", indices / (2**bits - 1))
    image.putpalette([level for i in range(2**bits) for level in (i, 255 - i, 7)])
    image.save(tmp_path / "b.tif")
    with pytest.raises(ImageError, match="its colour channels differ"):
        read_image(tmp_path / "b.tif")


@pytest.mark.parametrize("compression", [7, 34892])
def test_lossless_jpeg(tmp_path, compression):
    for bits in (12, 16):
        values = SIXTEEN >> (16 - bits)
        data = imagecodecs.ljpeg_encode(values, bitspersample=bits)
        path = save_strip(tmp_path / "a.tif", data, bits=bits, compression=compression)
        check(path, values / (2**bits - 1))


def test_the_order_of_bits(tmp_path):
    data = imagecodecs.bitorder_encode(EIGHT.tobytes())
    check(save_strip(tmp_path / "a.tif", data, fill_order=2), EIGHT / 255)
    data = imagecodecs.bitorder_encode(np.packbits(BILEVEL, axis=1).tobytes())
    check(save_strip(tmp_path / "b.tif", data, fill_order=2, bits=1), BILEVEL)


def test_what_headers_may_and_may_not_lack(tmp_path):
    data = EIGHT.tobytes()
    check(save_strip(tmp_path / "a.tif", data, lacks=[278]), EIGHT / 255)  # One strip.
    check(save_strip(tmp_path / "a.tif", data, lacks=[279]), EIGHT / 255)
    with pytest.raises(ImageError, match="lacks PhotometricInterpretation"):
        read_image(save_strip(tmp_path / "a.tif", data, lacks=[262]))


@pytest.mark.parametrize(
    ("data", "tags", "message"),
    [
        (EIGHT.tobytes()[:900], {}, "truncated"),
        (EIGHT.tobytes()[:900] + bytes(5000), {"count": 900}, "truncated"),
        (EIGHT.tobytes(), {"rows": 24}, "expected 2 strips or tiles, but the file has 1"),
        (imagecodecs.packbits_encode(EIGHT)[:200], {"compression": 32773}, "packbits"),
        (imagecodecs.zlib_encode(EIGHT.tobytes()[:900]), {"compression": 8}, "corrupted strip"),
        (imagecodecs.zstd_encode(bytes(10**7)), {"compression": 50000}, "too small"),
    ],
    ids=["cut", "counted short", "one strip", "packbits", "deflate", "bomb"],
)
def test_strips_that_do_not_hold_the_image(tmp_path, data, tags, message):
    with pytest.raises(ImageError, match=message):
        read_image(save_strip(tmp_path / "a.tif", data, **tags))


def test_a_stack_behind_one_page_is_refused(tmp_path):
    stack = np.stack([SIXTEEN] * 5)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", truncate=True)
    with pytest.raises(ImageError, match=r"the first of a stack \(5, 48, 40\)"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("factor", [1, 256, 257])
def test_a_palette_of_numbers_is_a_mask_of_these_numbers(tmp_path, factor):
    values = np.array([[0, 1, 0, 3]], np.uint8)
    colours = np.repeat(np.arange(256, dtype=np.uint16)[None] * np.uint16(factor), 3, axis=0)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric="palette", colormap=colours)
    np.testing.assert_array_equal(read_mask(path), values)
    np.testing.assert_allclose(read_image(path), values / 255, rtol=1e-6)


@pytest.mark.parametrize("count", [2, 4])
def test_a_second_image_in_the_samples_is_refused_unless_it_is_alpha(tmp_path, count):
    one = np.arange(0, 60, 5, dtype=np.uint16).reshape(3, 4)
    path, options = tmp_path / "a.tif", {"photometric": "minisblack", "planarconfig": "contig"}
    two = np.stack([one] * (count - 1) + [one[::-1]], axis=-1)
    tifffile.imwrite(path, two, **options)
    with pytest.raises(ImageError, match=f"it has {count} samples a pixel, and does not say that"):
        read_image(path)
    if count == 2:
        tifffile.imwrite(path, two, extrasamples=["unassalpha"], **options)
        np.testing.assert_allclose(read_image(path), one / 65535, rtol=1e-6)
    two[..., -1] = 65535  # All of it is shown.
    tifffile.imwrite(path, two, **options)
    np.testing.assert_allclose(read_image(path), one / 65535, rtol=1e-6)


def test_luminance_and_chroma_are_read_where_jpeg_decodes_them(tmp_path):
    grey = np.full((16, 16), 127, np.uint8)
    grey[4:9] += 2
    chroma = np.full_like(grey, 128)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.dstack([grey, chroma, chroma]), photometric="ycbcr")
    with pytest.raises(ImageError, match=r"photometric interpretation is 6 with 3 samples"):
        read_image(path)  # Nothing of it is red, green or blue.
    options = {"compression": "jpeg", "compressionargs": {"level": 100}}
    tifffile.imwrite(path, np.dstack([grey] * 3), photometric="rgb", **options)
    np.testing.assert_allclose(read_image(path), grey / 255, atol=1e-2)
