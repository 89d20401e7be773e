import imagecodecs
import numpy as np
import pytest

from mscam_tf import ImageError, ReadOptions, read_image
from tests.dicom_files import compress, enclose, make_dataset, save

uid = pytest.importorskip("pydicom.uid")
encapsulate = pytest.importorskip("pydicom.encaps").encapsulate
RAMP = np.arange(0, 4096, 16, dtype=np.uint16).reshape(16, 16)
FULL = RAMP / 4095
SIGNED = RAMP.astype(np.int16) - 2048


def read(folder, values, **attributes):
    return read_image(save(folder / "a.dcm", make_dataset(values, 12, **attributes)))


def test_the_high_bit_says_where_the_stored_bits_are(tmp_path):
    np.testing.assert_allclose(read(tmp_path, RAMP * 16, HighBit=15), FULL, atol=1e-6)
    np.testing.assert_allclose(read(tmp_path, SIGNED * 16, HighBit=15), FULL, atol=1e-6)
    np.testing.assert_allclose(read(tmp_path, RAMP * 2, HighBit=12), FULL, atol=1e-6)


@pytest.mark.parametrize("high", [10, 16])
def test_a_high_bit_beside_the_cell_is_refused(tmp_path, high):
    with pytest.raises(ImageError, match=f"HighBit is {high}, which does not go with 12 bits"):
        read(tmp_path, RAMP, HighBit=high)


def test_a_high_bit_that_would_drop_values_is_refused(tmp_path):
    with pytest.raises(ImageError, match="HighBit is 15 of 12 bits, but lower bits are in use"):
        read(tmp_path, RAMP + 1, HighBit=15)


def test_overlays_in_unused_bits_are_no_values(tmp_path):
    overlaid = RAMP | np.where(RAMP > 2000, 0x8000, 0).astype(np.uint16)
    assert_overlay(tmp_path, make_dataset(overlaid, 12), 15, "BitsStored is 12 .* bits above")
    # Of signed values, the bits above hold more of the sign, or an overlay instead.
    overlaid = (SIGNED & 0xFFF) | np.int16(0x4000)
    assert_overlay(tmp_path, make_dataset(overlaid, 12), 14, "bits above are in use too")
    dataset = make_dataset(RAMP * 16 + 1, 12, HighBit=15)
    assert_overlay(tmp_path, dataset, 0, "lower bits are in use")


def assert_overlay(folder, dataset, position, otherwise):
    """A bit is passed over if the file says that it is an overlay's, and refused otherwise."""
    with pytest.raises(ImageError, match=otherwise):
        read_image(save(folder / "a.dcm", dataset))
    dataset.add_new((0x6000, 0x0102), "US", position)
    image = read_image(save(folder / "a.dcm", dataset))
    np.testing.assert_allclose(image, FULL, atol=1e-6)


def test_values_of_more_bits_than_are_stored_are_refused(tmp_path):
    values = RAMP // 16
    values[3, 4] = 1500  # In 10 bits this would be 476.
    with pytest.raises(ImageError, match=r"BitsStored is 10 .* its HighBit 9, .* the value 1500$"):
        read_image(save(tmp_path / "a.dcm", make_dataset(values, 10)))
    signed = np.where(values == 1500, -1025, -1024).astype(np.int16)
    with pytest.raises(ImageError, match=r"in the value -1025$"):
        read_image(save(tmp_path / "a.dcm", make_dataset(signed, 11)))
    unextended = make_dataset(SIGNED & 0xFFF, 12)
    np.testing.assert_allclose(read_image(save(tmp_path / "a.dcm", unextended)), FULL, atol=1e-6)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEG2000Lossless, uid.JPEGLSLossless])
def test_compressed_values_of_more_bits_than_are_stored_are_refused(tmp_path, syntax):
    dataset = make_dataset(RAMP.repeat(4, 0).repeat(4, 1), 12)
    compress(dataset, syntax)
    read_image(save(tmp_path / "a.dcm", dataset))
    dataset.BitsStored, dataset.HighBit = 10, 9
    with pytest.raises(ImageError, match="BitsStored is 10"):
        read_image(save(tmp_path / "a.dcm", dataset))


@pytest.mark.parametrize("syntax", [uid.JPEGLossless, uid.JPEGLosslessSV1])
def test_lossless_jpeg(tmp_path, syntax):
    data = imagecodecs.jpeg8_encode(RAMP, bitspersample=12, lossless=True, predictor=4)
    path = save(tmp_path / "a.dcm", enclose(make_dataset(RAMP, 12), data, syntax))
    np.testing.assert_allclose(read_image(path), FULL, atol=1e-6)
    pattern = SIGNED.view(np.uint16) & 0xFFF
    data = imagecodecs.jpeg8_encode(pattern, bitspersample=12, lossless=True)
    path = save(tmp_path / "b.dcm", enclose(make_dataset(SIGNED, 12), data, syntax))
    np.testing.assert_allclose(read_image(path), FULL, atol=1e-6)


def test_jpeg_of_twelve_bits(tmp_path):
    data = imagecodecs.jpeg8_encode(RAMP, bitspersample=12, level=100)
    path = save(tmp_path / "a.dcm", enclose(make_dataset(RAMP, 12), data, uid.JPEGExtended12Bit))
    np.testing.assert_allclose(read_image(path), FULL, atol=3 / 4095)


def test_jpeg_2000_in_boxes(tmp_path):
    data = imagecodecs.jpeg2k_encode(RAMP, codecformat="jp2", bitspersample=12, reversible=True)
    path = save(tmp_path / "a.dcm", enclose(make_dataset(RAMP, 12), data, uid.JPEG2000Lossless))
    np.testing.assert_allclose(read_image(path), FULL, atol=1e-6)


def test_a_compressed_image_of_another_size_or_half_of_it_is_refused(tmp_path):
    data = imagecodecs.jpeg8_encode(RAMP[:8], bitspersample=12, lossless=True)
    dataset = make_dataset(RAMP, 12)
    with pytest.raises(
        ImageError, match=r"header says \(16, 16\) .* compressed image is \(8, 16\)"
    ):
        read_image(save(tmp_path / "a.dcm", enclose(dataset, data, uid.JPEGLossless)))
    data = imagecodecs.jpeg8_encode(RAMP, bitspersample=12, lossless=True)
    with pytest.raises(ImageError, match="truncated"):
        read_image(save(tmp_path / "b.dcm", enclose(dataset, data[:100], uid.JPEGLossless)))


@pytest.mark.parametrize(
    "syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.RLELossless]
)
def test_every_order_of_bytes(tmp_path, syntax):
    big = syntax == uid.ExplicitVRBigEndian
    dataset = make_dataset(SIGNED, 12, PixelData=SIGNED.astype(">i2" if big else "<i2").tobytes())
    dataset["PixelData"].VR = "OW"
    if syntax == uid.RLELossless:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    np.testing.assert_allclose(read_image(save(tmp_path / "a.dcm", dataset)), FULL, atol=1e-6)


@pytest.mark.filterwarnings("ignore:The pixel data is 612 bytes long")
def test_pixels_for_more_than_the_header_says_are_refused(tmp_path):
    dataset = make_dataset(RAMP, 12, PixelData=RAMP.tobytes() * 3)
    with pytest.raises(ImageError, match=r"1 frame\(s\) of 512 bytes together, .* 1536 bytes"):
        read_image(save(tmp_path / "a.dcm", dataset))
    narrow = make_dataset(RAMP, 8, BitsAllocated=8, PixelData=RAMP.tobytes())
    with pytest.raises(ImageError, match="NumberOfFrames or BitsAllocated is wrong"):
        read_image(save(tmp_path / "a.dcm", narrow))
    filled = make_dataset(RAMP, 12, PixelData=RAMP.tobytes() + bytes(100))
    np.testing.assert_allclose(read_image(save(tmp_path / "a.dcm", filled)), FULL, atol=1e-6)


@pytest.mark.parametrize(("frames", "has_table"), [(None, True), (None, False), (2, True)])
def test_compressed_frames_that_are_not_named_are_refused(tmp_path, frames, has_table):
    data = imagecodecs.jpeg8_encode(RAMP, bitspersample=12, lossless=True)
    dataset = enclose(make_dataset(RAMP, 12, NumberOfFrames=frames), data, uid.JPEGLossless)
    dataset.PixelData = encapsulate([data] * 3, has_bot=has_table)
    path = save(tmp_path / "a.dcm", dataset)
    options = ReadOptions(page=1) if frames else None
    with pytest.raises(ImageError, match=rf"says {frames or 1} frame\(s\), but it holds 3"):
        read_image(path, options)


def test_one_frame_may_lie_in_several_fragments(tmp_path):
    data = imagecodecs.jpeg8_encode(RAMP, bitspersample=12, lossless=True)
    for has_table in (True, False):
        dataset = enclose(make_dataset(RAMP, 12), data, uid.JPEGLossless)
        dataset.PixelData = encapsulate([data], fragments_per_frame=3, has_bot=has_table)
        np.testing.assert_allclose(read_image(save(tmp_path / "a.dcm", dataset)), FULL, atol=1e-6)


@pytest.mark.parametrize("kind", ["jpeg2k", "jpegls"])
def test_a_header_with_another_size_than_the_compressed_image_is_refused(tmp_path, kind):
    data = getattr(imagecodecs, f"{kind}_encode")(RAMP)
    syntax = {"jpeg2k": uid.JPEG2000Lossless, "jpegls": uid.JPEGLSLossless}[kind]
    dataset = enclose(make_dataset(RAMP, 12), data, syntax)
    dataset.Rows = 20
    with pytest.raises(ImageError, match=r"header says \(20, 16\) .* image is \(16, 16\)"):
        read_image(save(tmp_path / "a.dcm", dataset))


def test_jpeg_of_eight_bits_in_cells_of_sixteen(tmp_path):
    data = imagecodecs.jpeg_encode(np.full((16, 16), 51, np.uint8), level=100)
    dataset = enclose(make_dataset(RAMP, 8), data, uid.JPEGBaseline8Bit)
    np.testing.assert_allclose(read_image(save(tmp_path / "a.dcm", dataset)), 0.2, atol=1e-6)
