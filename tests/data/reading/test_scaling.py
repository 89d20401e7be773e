import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mscam_tf import ReadOptions
from mscam_tf.data.reading import is_constant, scale_stored
from mscam_tf.data.reading.stored import Stored
from mscam_tf.errors import MscamError

DTYPES = st.sampled_from(["u1", "i2", ">u2", "u4", "i8", "f2", "f4", "f8"])
ENDS = st.floats(-1e300, 1e300) | st.integers(-(2**62), 2**62)


def scale(values, full, window=None, invert=False, inverted=False, padding=None):
    stored = Stored(np.array(values), full, inverted, padding)
    return scale_stored(stored, ReadOptions(window=window, invert=invert))


@given(arrays.arrays(DTYPES, (2, 3)), st.tuples(ENDS, ENDS).filter(lambda ends: ends[0] < ends[1]))
@settings(max_examples=150)
def test_whatever_is_scaled_is_finite_and_in_the_unit_range(values, window):
    try:
        image = scale(values, None, window)
    except MscamError as error:
        reasons = ("not finite", "cannot be mapped", "`window` must be")
        assert any(reason in str(error) for reason in reasons)  # noqa: PT017
        return
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1


def test_a_narrow_window_far_from_zero():
    image = scale(np.array([[1000, 1001]], np.uint16), (0, 65535), (1000.00001, 1000.00002))
    assert image.tolist() == [[0, 1]]
    image = scale(np.array([[999, 1500, 9000]], np.uint16), (0, 65535), (999.5, 2000.5))
    np.testing.assert_allclose(image, [[0, 0.5, 1]], atol=1e-3)


def test_a_range_of_one_value_is_a_step():
    assert scale([[4, 5, 6]], (5, 5)).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("invert", [False, True])
def test_padding_is_zero_however_the_image_is_turned(inverted, invert):
    padding = np.array([[False, True, False]])
    image = scale([[0.25, np.nan, 1]], None, (0, 1), invert, inverted, padding)
    turned = [[0.75, 0, 0]] if inverted != invert else [[0.25, 0, 1]]
    assert image.tolist() == turned


def test_constant_images():
    assert is_constant(np.full((3, 4), 0.3))
    assert not is_constant(np.array([[0.3, 0.3, 0.30001]]))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("inverted", [False, True])
def test_large_images_are_scaled_in_place(dtype, inverted):
    """Several of a hundred million pixels are read at once: each byte a pixel counts."""
    stored = Stored(np.full((1000, 1000), 51, dtype), (0, 255), inverted, None)
    tracemalloc.start()
    try:
        image = scale_stored(stored, ReadOptions())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(image, 0.8 if inverted else 0.2, rtol=1e-6)
    assert peak < 6 * image.size  # Four for what is returned, and one for checks.
