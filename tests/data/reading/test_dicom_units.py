import numpy as np
import pytest

from mscam_tf import ImageError, ReadOptions, fit_window, read_image
from mscam_tf.data.reading import read_stored
from tests.dicom_files import VALUES, make_dataset, make_item, save

RAMP = np.arange(0, 4096, 16, dtype=np.uint16).reshape(16, 16)
FULL = RAMP / 4095


def read(folder, values=RAMP, bits=12, **attributes):
    return read_image(save(folder / "a.dcm", make_dataset(values, bits, **attributes)))


def make_table(entries, bits=16, first=0):
    item = make_item(LUTDescriptor=[len(entries), first, bits], ModalityLUTType="US")
    item.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return item


@pytest.mark.parametrize(
    ("slope", "intercept", "message"),
    [
        ("0", "0", "its RescaleSlope is 0"),
        ("nan", "0", "expected a finite RescaleSlope, but it is nan"),
        ("1", "-inf", "expected a finite RescaleIntercept, but it is -inf"),
        (["1", "2"], "0", "expected a finite RescaleSlope"),
        ("1", "1e20", "RescaleIntercept of 1e.20 is too large for its RescaleSlope of 1"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_slope_that_wipes_out_values_is_refused(tmp_path, slope, intercept, message):
    with pytest.raises(ImageError, match=message):
        read(tmp_path, RescaleSlope=slope, RescaleIntercept=intercept)


@pytest.mark.parametrize(
    ("slope", "intercept", "lowest", "highest"),
    [(None, None, 0, 4080), ("2", None, 0, 8160), (None, "-5", -5, 4075), ("-1", "0", -4080, 0)],
)
def test_what_is_empty_is_a_slope_of_one_or_no_intercept(
    tmp_path, slope, intercept, lowest, highest
):
    dataset = make_dataset(RAMP, 12, RescaleSlope=slope, RescaleIntercept=intercept)
    path = save(tmp_path / "a.dcm", dataset)
    values = read_stored(path, None, 256).values
    assert (values.min(), values.max()) == (lowest, highest)
    # A negative slope turns the order of the values round.
    expected = 1 - FULL if slope == "-1" else FULL
    np.testing.assert_allclose(read_image(path), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("center", "width", "function"),
    [
        ("nan", "100", "LINEAR"),
        ("100", "inf", "LINEAR"),
        ("100", "0.5", "LINEAR"),
        ("100", "-5", "LINEAR"),
        ("100", "0", "LINEAR_EXACT"),
        ("-5000", "100", "LINEAR"),  # Below and above all values.
        ("50000", "100", "SIGMOID"),
        (None, "100", "LINEAR"),
        ("100", None, "LINEAR"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_window_that_is_none_or_leaves_nothing_is_ignored(tmp_path, center, width, function):
    image = read(tmp_path, WindowCenter=center, WindowWidth=width, VOILUTFunction=function)
    np.testing.assert_allclose(image, FULL, atol=1e-6)


def test_the_first_window_that_is_one_holds(tmp_path):
    image = read(tmp_path, WindowCenter=["50000", "2000"], WindowWidth=["5", "1001"])
    np.testing.assert_allclose(image, np.clip((RAMP - 1499.5) / 1000, 0, 1), atol=1e-6)
    image = read(tmp_path, WindowCenter=["1000", "9"], WindowWidth=["1", "9"])  # A step.
    np.testing.assert_array_equal(image, RAMP > 999.5)
    for center, width in ((["", "2000"], ["5", "1001"]), (["7", "2000"], ["", "1001"])):
        image = read(tmp_path, WindowCenter=center, WindowWidth=width)  # Of the same place each.
        np.testing.assert_allclose(image, np.clip((RAMP - 1499.5) / 1000, 0, 1), atol=1e-6)
    with pytest.raises(ImageError, match="its VOILUTFunction is unknown: CUBIC"):
        read(tmp_path, WindowCenter="9", WindowWidth="9", VOILUTFunction="CUBIC")


def test_an_exact_window_may_be_narrower_than_one(tmp_path):
    window = {"WindowCenter": "0.25", "WindowWidth": "0.5", "VOILUTFunction": "LINEAR_EXACT"}
    image = read(tmp_path, RescaleSlope="0.000244140625", RescaleIntercept="0", **window)
    np.testing.assert_allclose(image, np.clip(RAMP / 2048, 0, 1), atol=1e-6)


def group(slope=None, window=None):
    item = make_item()
    if slope is not None:
        values = make_item(RescaleSlope=slope, RescaleIntercept="-100", RescaleType="US")
        item.PixelValueTransformationSequence = [values]
    if window is not None:
        item.FrameVOILUTSequence = [make_item(WindowCenter=window, WindowWidth="1001")]
    return item


def test_functional_groups_of_the_frame_come_before_shared_ones_and_the_file(tmp_path):
    dataset = make_dataset(np.stack([RAMP, RAMP, RAMP]), 12, NumberOfFrames=3, RescaleSlope="7")
    dataset.SharedFunctionalGroupsSequence = [group("2", "3000")]
    dataset.PerFrameFunctionalGroupsSequence = [group("3"), group(window="2000"), group()]
    path = save(tmp_path / "a.dcm", dataset)
    for page, slope, low in ((0, 3, 2499.5), (1, 2, 1499.5), (2, 2, 2499.5)):
        expected = np.clip((RAMP * slope - 100.0 - low) / 1000, 0, 1)
        image = read_image(path, ReadOptions(page=page))
        np.testing.assert_allclose(image, expected, atol=1e-6)
    dataset.SharedFunctionalGroupsSequence = [group("0")]
    with pytest.raises(ImageError, match="its RescaleSlope is 0"):
        read_image(save(path, dataset), ReadOptions(page=2))


def test_an_empty_functional_group_falls_back_on_the_file(tmp_path):
    item = make_item(PixelValueTransformationSequence=[make_item(RescaleSlope=None)])
    dataset = make_dataset(RAMP, 12, RescaleSlope="7", RescaleIntercept="1")
    dataset.SharedFunctionalGroupsSequence = [item]
    assert read_stored(save(tmp_path / "a.dcm", dataset), None, 256).values.max() == 28561


def test_a_modality_table_gives_the_values_and_their_range(tmp_path):
    table = ((np.arange(4096) - 2048) ** 2) // 70
    image = read(tmp_path, ModalityLUTSequence=[make_table(table)])
    np.testing.assert_allclose(image, table[RAMP] / 59918, atol=1e-6)  # 2048 ** 2 // 70.
    image = read(tmp_path, ModalityLUTSequence=[make_table(np.arange(4096), bits=12)])
    np.testing.assert_allclose(image, FULL, atol=1e-6)
    # Values beyond the table have its ends.
    image = read(tmp_path, ModalityLUTSequence=[make_table([10, 30, 20], first=16)])
    assert image[0, :4].tolist() == [0, 0, 0.5, 0.5]


def test_a_table_that_is_empty_or_too_short(tmp_path):
    empty = make_item(LUTDescriptor=None, LUTData=None)
    empty["LUTData"].VR = "OW"
    np.testing.assert_allclose(read(tmp_path, ModalityLUTSequence=[empty]), FULL, atol=1e-6)
    short = make_table([1, 2, 3])
    short.LUTDescriptor = [9, 0, 16]
    with pytest.raises(ImageError, match="expected 9 entries in its modality LUT, but it has 3"):
        read(tmp_path, ModalityLUTSequence=[short])


def test_padding_is_background(tmp_path):
    values = np.where(RAMP < 1000, 0, RAMP).astype(np.uint16)
    dataset = make_dataset(values, 12, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0)
    path = save(tmp_path / "a.dcm", dataset)
    expected = np.where(RAMP < 1000, 0, 1 - FULL)
    np.testing.assert_allclose(read_image(path), expected, atol=1e-6)
    image = read_image(path, ReadOptions(window=(0, 4095), invert=True))
    np.testing.assert_allclose(image, np.where(RAMP < 1000, 0, FULL), atol=1e-6)
    assert fit_window([path], (0, 100)) == (1008, 4080)


def test_a_range_of_padding_and_padding_beyond_the_stored_bits(tmp_path):
    values = RAMP.astype(np.int16) - 2048
    dataset = make_dataset(values, 12, PhotometricInterpretation="MONOCHROME1")
    dataset.add_new("PixelPaddingValue", "US", 63488)  # -2048 as 16 bits hold it.
    dataset.add_new("PixelPaddingRangeLimit", "SS", -1000)
    image = read_image(save(tmp_path / "a.dcm", dataset))
    np.testing.assert_allclose(image, np.where(values <= -1000, 0, 1 - FULL), atol=1e-6)
    marked = RAMP.copy()
    marked[0] = 63536  # In 12 bits this would be 2096.
    image = read(tmp_path, marked, PixelPaddingValue=63536, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_allclose(image, np.where(marked > 4095, 0, 1 - FULL), atol=1e-6)


def test_an_image_of_padding_only_and_a_window_beside_the_padding(tmp_path):
    nothing = np.zeros((2, 3), np.uint16)
    image = read(tmp_path, nothing, PixelPaddingValue=0, PhotometricInterpretation="MONOCHROME1")
    assert not image.any()
    # The window holds padding only, so that nothing of the image would be left.
    window = {"WindowCenter": "0", "WindowWidth": "100", "PixelPaddingValue": 0}
    image = read(tmp_path, np.where(RAMP < 1000, 0, RAMP).astype(np.uint16), **window)
    np.testing.assert_allclose(image, np.where(RAMP < 1000, 0, FULL), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "dtype"), [("FloatPixelData", np.float32), ("DoubleFloatPixelData", np.float64)]
)
def test_pixels_of_floats(tmp_path, name, dtype):
    values = np.array([[0.25, 1, -7]], dtype)
    dataset = make_dataset(VALUES, BitsAllocated=8 * values.itemsize)
    for integer in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(dataset, integer)
    setattr(dataset, name, values.tobytes())
    dataset.Rows, dataset.Columns = values.shape
    with pytest.raises(ImageError, match=r"or a window .* span -7.0 to 1.0"):
        read_image(save(tmp_path / "a.dcm", dataset))
    setattr(dataset, name.replace("Data", "PaddingValue"), -7.0)
    assert read_image(save(tmp_path / "a.dcm", dataset)).tolist() == [[0.25, 1, 0]]


@pytest.mark.parametrize(
    ("interpretation", "shape", "inverted"),
    [
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "INVERSE", True),  # As the standard wants it: not twice.
        ("MONOCHROME1", "IDENTITY", True),
        ("monochrome1", None, True),
        ("monochrome2", "identity", False),
        (" Monochrome2", "inverse ", True),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_file_says_in_two_ways_that_its_lowest_value_is_bright(
    tmp_path, interpretation, shape, inverted
):
    image = read(tmp_path, PhotometricInterpretation=interpretation, PresentationLUTShape=shape)
    np.testing.assert_allclose(image, 1 - FULL if inverted else FULL, atol=1e-6)


@pytest.mark.parametrize("name", ["WindowCenter", "WindowWidth", "RescaleSlope"])
@pytest.mark.parametrize("text", ["2222,5", "2000x2", "1.5\\1,5"])
def test_text_that_is_no_number_is_refused_and_not_passed_over(tmp_path, name, text):
    numbers = {"WindowCenter": "100", "WindowWidth": "100", name: "3.3333" + "3" * (len(text) - 6)}
    path = save(tmp_path / "a.dcm", make_dataset(RAMP, 12, **numbers))
    data = path.read_bytes()
    assert data.count(numbers[name].encode()) == 1
    path.write_bytes(data.replace(numbers[name].encode(), text.encode()))
    with pytest.raises(
        ImageError, match=f"expected (numbers with a point for its|a finite) {name}"
    ):
        read_image(path)
