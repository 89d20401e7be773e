import struct
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from mscam_tf import ImageError, ReadOptions, read_image
from mscam_tf.data.reading import is_constant
from mscam_tf.data.tiling.frames import read_frame
from tests.dicom_files import VALUES, compress, enclose, make_dataset, save

uid = pytest.importorskip("pydicom.uid")


@pytest.mark.parametrize(
    "syntax", [None, uid.RLELossless, uid.JPEGLSLossless, uid.JPEG2000Lossless]
)
def test_values_one_step_apart_stay_apart(tmp_path, syntax):
    values = np.random.default_rng(0).integers(0, 1024, (64, 96)).astype(np.uint16)
    values[0, :3] = 0, 1, 1023
    dataset = make_dataset(values)
    dataset = compress(dataset, syntax) if syntax else dataset
    image = read_image(save(tmp_path / "a.dcm", dataset))
    assert image.dtype == np.float32
    np.testing.assert_array_equal(np.round(image.astype(float) * 1023), values)


def test_monochrome1_is_inverted(tmp_path):
    path = save(tmp_path / "a.dcm", make_dataset(PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_allclose(read_image(path), 1 - VALUES / 1023, atol=1e-6)
    image = read_image(path, ReadOptions(invert=True))
    np.testing.assert_allclose(image, VALUES / 1023, atol=1e-6)


def test_rescale_makes_the_units_of_the_window(tmp_path):
    rescaled = make_dataset(RescaleSlope=2, RescaleIntercept=-1000)
    path = save(tmp_path / "a.dcm", rescaled)
    np.testing.assert_allclose(read_image(path), VALUES / 1023, atol=1e-6)  # All bits stored.
    image = read_image(path, ReadOptions(window=(-1000, 0)))
    np.testing.assert_allclose(image, [[0, 0.002, 1], [1, 1, 0.004]], atol=1e-6)


@pytest.mark.parametrize(
    ("function", "low", "high"), [("LINEAR", 400, 499), ("LINEAR_EXACT", 400, 500)]
)
def test_the_files_own_window_holds_unless_the_user_gives_one(tmp_path, function, low, high):
    # LINEAR by PS3.3 C.11.2.1.2: from c - 0.5 - (w - 1) / 2 to c - 0.5 + (w - 1) / 2.
    values = np.array([[400, 425, 499]], np.uint16)
    window = {"WindowCenter": [450, 9], "WindowWidth": [100, 9], "VOILUTFunction": function}
    dataset = make_dataset(values, **window)
    path = save(tmp_path / "a.dcm", dataset)
    np.testing.assert_allclose(read_image(path), (values - low) / (high - low), atol=1e-6)
    image = read_image(path, ReadOptions(window=(0, 500)))
    np.testing.assert_allclose(image, values / 500, atol=1e-6)


def test_signed_values(tmp_path):
    values = np.array([[-2048, 0, 2047, 1]], np.int16)
    image = read_image(save(tmp_path / "a.dcm", make_dataset(values, bits=12)))
    np.testing.assert_allclose(image, [[0, 2048 / 4095, 1, 2049 / 4095]], atol=1e-6)


def test_frames_are_chosen(tmp_path):
    frames = np.stack([VALUES, VALUES[::-1]])
    path = save(tmp_path / "a.dcm", make_dataset(frames, NumberOfFrames=2))
    image = read_image(path, ReadOptions(page=1))
    np.testing.assert_allclose(image, VALUES[::-1] / 1023, atol=1e-6)
    with pytest.raises(ImageError, match="the file holds 2 pages"):
        read_image(path)


def test_colour_is_refused(tmp_path):
    colour = np.zeros((2, 3, 3), np.uint8)
    colour[..., 0] = 200
    attributes = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    dataset = make_dataset(VALUES, **attributes, PlanarConfiguration=0)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = colour.tobytes()
    with pytest.raises(ImageError, match="its colour channels differ"):
        read_image(save(tmp_path / "a.dcm", dataset))
    dataset.PixelData = np.full((2, 3, 3), 51, np.uint8).tobytes()
    np.testing.assert_allclose(read_image(save(tmp_path / "b.dcm", dataset)), 0.2, rtol=1e-6)
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    with pytest.raises(ImageError, match=r"photometric interpretation is PALETTE COLOR"):
        read_image(save(tmp_path / "c.dcm", dataset))


@pytest.mark.parametrize("syntax", [None, uid.JPEGLSLossless, uid.JPEG2000Lossless])
def test_truncated_files(tmp_path, syntax):
    values = np.random.default_rng(0).integers(0, 1024, (64, 96)).astype(np.uint16)
    dataset = make_dataset(values)
    path = save(tmp_path / "a.dcm", compress(dataset, syntax) if syntax else dataset)
    whole = path.read_bytes()
    for length in (140, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError, match=r"a\.dcm"):
            read_image(path)


def test_header_bombs_are_refused_before_decoding(tmp_path):
    path = save(tmp_path / "a.dcm", make_dataset(Rows=40000, Columns=25000))
    start = time.perf_counter()
    with pytest.raises(ImageError, match="40000 x 25000 pixels, more than the limit"):
        read_image(path)
    j2k = b"\xff\x4f\xff\x51" + struct.pack(">HH4I", 41, 0, 25000, 40000, 0, 0) + bytes(40)
    jls = b"\xff\xd8\xff\xf7" + struct.pack(">HBHH", 11, 10, 40000, 25000) + bytes(40)
    for syntax, data in ((uid.JPEG2000Lossless, j2k), (uid.JPEGLSLossless, jls)):
        dataset = enclose(make_dataset(), data, syntax)
        with pytest.raises(ImageError, match="40000 x 25000 pixels, more than the limit"):
            read_image(save(tmp_path / "b.dcm", dataset))
    assert time.perf_counter() - start < 1


def test_no_image(tmp_path):
    dataset = make_dataset()
    del dataset.PixelData
    with pytest.raises(ImageError, match="holds no image"):
        read_image(save(tmp_path / "a.dcm", dataset))


def test_deflated_files_are_unpacked_within_the_limit(tmp_path):
    dataset = make_dataset()
    dataset.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    np.testing.assert_allclose(read_image(save(tmp_path / "a.dcm", dataset)), VALUES / 1023)
    bomb = make_dataset(np.zeros((2000, 1000), np.uint16))
    bomb.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    with pytest.raises(ImageError, match="unpacks to more than the limit of 1000 pixels"):
        read_image(save(tmp_path / "b.dcm", bomb), ReadOptions(max_pixels=1000))


def test_a_deflated_bomb_without_a_preamble_is_refused_too(tmp_path):
    bomb = make_dataset(np.zeros((2000, 1000), np.uint16))
    bomb.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    path = save(tmp_path / "a.dcm", bomb)
    path.write_bytes(path.read_bytes()[132:])
    with pytest.raises(ImageError, match="unpacks to more than the limit of 1000 pixels"):
        read_image(path, ReadOptions(max_pixels=1000))
    assert read_image(path).shape == (2000, 1000)


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_a_data_set_without_preamble_and_group_2_is_read(tmp_path, syntax):
    dataset = make_dataset(RescaleSlope=2, RescaleIntercept=-5)
    dataset.file_meta.TransferSyntaxUID = syntax
    path = save(tmp_path / "a.dcm", dataset)
    data = path.read_bytes()
    path.write_bytes(data[data.index(b"\x08\0\x16\0", 132) :])  # SOPClassUID is the first element.
    np.testing.assert_allclose(read_image(path), VALUES / 1023, atol=1e-6)


def test_compressed_pixels_of_an_unknown_syntax_are_refused(tmp_path):
    path = save(tmp_path / "a.dcm", compress(make_dataset(), uid.RLELossless))
    data = path.read_bytes()
    path.write_bytes(data[data.index(b"\x08\0\x16\0", 132) :])
    with pytest.raises(ImageError, match="compressed, but it names no transfer syntax"):
        read_image(path)


@pytest.mark.parametrize("magic", [b"II*\0\x54\1\0\0", b"MM\0*", b"BM", b"\xff\xd8\xff\xe0"])
def test_a_dicom_file_is_known_before_what_its_preamble_looks_like(tmp_path, magic):
    dataset = make_dataset(PhotometricInterpretation="MONOCHROME1")
    dataset.preamble = magic.ljust(128, b"\0")
    path = save(tmp_path / "a.tif", dataset)
    np.testing.assert_allclose(read_image(path), 1 - VALUES / 1023, atol=1e-6)


def test_a_file_that_is_dicom_and_tiff_is_read_as_dicom(tmp_path):
    values = np.array([[0, 1500, 2000, 3000]], np.uint16)
    dataset = make_dataset(
        values, 12, PhotometricInterpretation="MONOCHROME1", WindowCenter=2000, WindowWidth=2001
    )
    data = bytearray(save(tmp_path / "a.dcm", dataset).read_bytes())
    place = data.index(values.tobytes())
    tags = {256: 4, 257: 1, 258: 16, 259: 1, 262: 1, 273: place, 277: 1, 278: 1, 279: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    directory += bytes(len(directory) % 2)
    data += struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, len(directory))
    data[:8] = b"II*\0" + struct.pack("<I", len(data))
    path = tmp_path / "dual.dcm"
    path.write_bytes(data + directory)
    assert tifffile.imread(path).tolist() == values.tolist()
    # 2000 - 0.5 -+ 1000 are 0 and 1, and dark is dense.
    np.testing.assert_allclose(read_image(path), [[1, 0.74975, 0.49975, 0]], atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        *("BitsStored", "BitsAllocated", "PhotometricInterpretation", "PixelRepresentation"),
        *("Rows", "Columns", "SamplesPerPixel"),
    ],
)
def test_what_a_header_lacks_is_named(tmp_path, name):
    dataset = make_dataset()
    dataset["PixelData"].VR = "OW"
    delattr(dataset, name)
    with pytest.raises(ImageError, match=f"its DICOM header lacks {name}$"):
        read_image(save(tmp_path / "a.dcm", dataset))


@pytest.mark.filterwarnings("ignore:A value of 'None'")
def test_a_wrong_number_of_frames_is_named(tmp_path):
    path = save(tmp_path / "a.dcm", make_dataset(NumberOfFrames=-1))
    with pytest.raises(ImageError, match="its NumberOfFrames is no number of at least 1"):
        read_image(path)
    path = save(tmp_path / "a.dcm", make_dataset(NumberOfFrames=None))
    assert read_image(path).shape == VALUES.shape


NUMBERS = st.sampled_from(["0", "1", "-1", "0.5", "100", "3000", "1e308", "nan", "inf", "-inf", ""])


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["", "LINEAR_EXACT", "SIGMOID"]))
@settings(max_examples=60)
def test_nothing_but_numbers_in_the_unit_range_is_read(slope, intercept, center, width, function):
    dataset = make_dataset(VOILUTFunction=function)
    names = ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth")
    for name, text in zip(names, (slope, intercept, center, width), strict=True):
        setattr(dataset, name, text or None)
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder) / "a.dcm", dataset)
        bad = slope in ("0", "nan", "inf", "-inf") or intercept in ("nan", "inf", "-inf")
        if bad or "1e308" in (slope, intercept):  # Beyond what floats can hold, or tell apart.
            with pytest.raises(ImageError, match=r"Rescale|not finite"):
                read_image(path)
            return
        image = read_image(path)
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1
    assert not is_constant(image)


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    path = save(tmp_path / "a.dcm", make_dataset())
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(ImageError, match=r"pip install 'mscam-tf\[dicom\]'"):
        read_image(path)


def test_a_film_is_clipped_unless_a_window_is_given(tmp_path):
    values = np.array([[0, 1000, 2000, 4095]], np.uint16)
    path = save(tmp_path / "a.dcm", make_dataset(values, 12, WindowCenter=1500.5, WindowWidth=1001))
    assert read_frame(path, ReadOptions()).tolist() == [[0, 0, 65535, 65535]]
    # 1000 x 65535 / 4095 is 16003.66.
    full = read_frame(path, ReadOptions(window=(0, 4095)))
    assert full.tolist() == [[0, 16004, 32007, 65535]]
