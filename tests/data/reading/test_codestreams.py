import imagecodecs
import numpy as np
import pytest

from mscam_tf import ImageError, ReadOptions, read_image
from mscam_tf.data.reading.codestreams import check_codestream

Y, X = np.mgrid[:48, :40]
VALUES = ((Y * 1300 + X * 37) % 4096).astype(np.uint16)
BITS = {"bitspersample": 12}
WHOLE = {
    "lossless.jpg": imagecodecs.ljpeg_encode(VALUES, **BITS),
    "predicted.jpg": imagecodecs.jpeg8_encode(VALUES, lossless=True, predictor=6, **BITS),
    "a.jls": imagecodecs.jpegls_encode(VALUES),
    "boxes.jp2": imagecodecs.jpeg2k_encode(VALUES, codecformat="jp2", reversible=True, **BITS),
    "a.j2k": imagecodecs.jpeg2k_encode(VALUES, codecformat="j2k", reversible=True, **BITS),
}


def save(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", WHOLE)
def test_values_are_kept(tmp_path, name):
    image = read_image(save(tmp_path / name, WHOLE[name]))
    highest = 65535 if name == "a.jls" else 4095  # That encoder writes 16 bits.
    np.testing.assert_array_equal(np.round(image.astype(float) * highest), VALUES)


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_cut_short_or_too_large_is_refused(tmp_path, name):
    data = WHOLE[name]
    for length in (10, len(data) // 2, len(data) - 40):
        with pytest.raises(ImageError, match=name):
            read_image(save(tmp_path / name, data[:length]))
    with pytest.raises(ImageError, match="48 x 40 pixels, more than the limit of 1919"):
        read_image(save(tmp_path / name, data), ReadOptions(max_pixels=1919))


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_the_range_is_that_of_the_bits(tmp_path, bits):
    values = (VALUES << 4 >> (16 - bits)).astype(np.uint8 if bits == 8 else np.uint16)
    data = imagecodecs.jpeg8_encode(values, bitspersample=bits, lossless=True)
    image = read_image(save(tmp_path / "a.jpg", data))
    np.testing.assert_allclose(image, values / (2**bits - 1), atol=1e-6)


def test_jpeg_of_twelve_bits_with_loss(tmp_path):
    data = imagecodecs.jpeg8_encode(VALUES, level=100, **BITS)
    image = read_image(save(tmp_path / "a.jpg", data))
    np.testing.assert_allclose(image, VALUES / 4095, atol=3 / 4095)
    with pytest.raises(ImageError, match="truncated"):
        read_image(save(tmp_path / "a.jpg", data[: len(data) // 2]))


def test_fill_bytes_and_what_follows_the_end_do_not_matter(tmp_path):
    values = (VALUES >> 4).astype(np.uint8)
    for data in (imagecodecs.jpeg8_encode(values, level=100), WHOLE["lossless.jpg"]):
        odd = data[:2] + b"\xff\xff\xff" + data[2:] + b"trailing" * 30
        expected = read_image(save(tmp_path / "a.jpg", data))
        image = read_image(save(tmp_path / "a.jpg", odd))
        np.testing.assert_array_equal(image, expected)


def test_grey_stored_as_colours_in_boxes(tmp_path):
    colours = np.repeat(VALUES[..., None], 3, -1)
    data = imagecodecs.jpeg2k_encode(colours, codecformat="jp2", reversible=True, **BITS)
    image = read_image(save(tmp_path / "a.jp2", data))
    np.testing.assert_allclose(image, VALUES / 4095, atol=1e-6)


def test_a_codestream_in_another_box_does_not_count(tmp_path):
    """It would hide how large the one is that decoders take."""
    data, small = WHOLE["boxes.jp2"], WHOLE["a.j2k"][:60].replace(b"\0\0\0\x30", b"\0\0\0\x01")
    place = data.index(b"jp2c") - 4
    decoy = (8 + len(small)).to_bytes(4, "big") + b"xml " + small
    path = save(tmp_path / "a.jp2", data[:place] + decoy + data[place:])
    np.testing.assert_allclose(read_image(path), VALUES / 4095, atol=1e-6)
    with pytest.raises(ImageError, match="48 x 40 pixels, more than the limit of 100"):
        read_image(path, ReadOptions(max_pixels=100))


def test_what_headers_claim():
    claim = check_codestream(WHOLE["lossless.jpg"], 1920)
    assert (claim.height, claim.width, claim.bits, claim.has_loss) == (48, 40, 12, False)
    claim = check_codestream(WHOLE["boxes.jp2"], 1920)
    assert (claim.height, claim.width, claim.bits, claim.has_loss) == (48, 40, 12, False)
    assert check_codestream(imagecodecs.jpeg8_encode(VALUES, level=90, **BITS), 1920).has_loss
    for level in (0, 1, 7):
        claim = check_codestream(imagecodecs.jpegls_encode(VALUES, level=level), 1920)
        assert claim.has_loss == (level > 0)
    for exact in (True, False):
        for kind in ("jp2", "j2k"):
            data = imagecodecs.jpeg2k_encode(VALUES, codecformat=kind, reversible=exact)
            assert check_codestream(data, 1920).has_loss != exact
    with pytest.raises(ValueError, match="does not begin with a size"):
        check_codestream(b"\xff\xd8\xff\xe0\0\4", 1920)
