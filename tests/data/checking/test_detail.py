import numpy as np
import pytest

from mscam_tf.data.checking.detail import compare_details, take_detail


@pytest.fixture
def image():
    return np.random.default_rng(0).random((120, 100), np.float32)


def test_copies_and_negatives_agree(image):
    detail = take_detail(image)
    assert detail.shape == (96, 96)
    assert compare_details(detail, detail) == pytest.approx(1)
    assert compare_details(detail, take_detail(0.1 + 0.2 * (1 - image))) > 0.99
    assert compare_details(detail[:, ::-1], take_detail(image[:, ::-1])) > 0.9


def test_half_an_image_is_no_copy(image):
    """Two of five tiles may differ, and no more."""
    other = np.random.default_rng(1).random(image.shape, np.float32)
    for share, alike in ((0.3, True), (0.5, False)):
        mixed = image.copy()
        mixed[: int(share * 120)] = other[: int(share * 120)]
        assert (compare_details(take_detail(image), take_detail(mixed)) > 0.5) == alike


def test_blank_tiles_tell_nothing(image):
    blank = np.zeros_like(image)
    assert compare_details(take_detail(blank), take_detail(image)) == 0
    image[20:] = 0
    assert compare_details(take_detail(image), take_detail(0.7 * image)) > 0.9
