import numpy as np
import pytest

from mscam_tf.data.checking.detail import FINE, compare_details, take_detail, take_details


def compare(first, second):
    return compare_details(first, second[None])[0]


@pytest.fixture
def image():
    return np.random.default_rng(0).random((120, 100), np.float32)


def test_copies_and_negatives_agree(image):
    detail = take_detail(image)
    assert detail.shape == (96, 96)
    assert compare(detail, detail) == pytest.approx(1)
    assert compare(detail, take_detail(0.1 + 0.2 * (1 - image))) > 0.99
    assert compare(detail[:, ::-1], take_detail(image[:, ::-1])) > 0.9


def test_half_an_image_is_no_copy(image):
    """Two of five tiles may differ, and no more."""
    other = np.random.default_rng(1).random(image.shape, np.float32)
    for share, alike in ((0.3, True), (0.5, False)):
        mixed = image.copy()
        mixed[: int(share * 120)] = other[: int(share * 120)]
        assert (compare(take_detail(image), take_detail(mixed)) > 0.5) == alike


def test_blank_tiles_tell_nothing(image):
    blank = np.zeros_like(image)
    assert compare(take_detail(blank), take_detail(image)) == 0
    image[20:] = 0
    assert compare(take_detail(image), take_detail(0.7 * image)) > 0.9


def test_one_by_one_or_all_at_once(image):
    generator = np.random.default_rng(2)
    images = [generator.random(image.shape, np.float32) for _ in range(4)]
    images[1][:40] = 0  # Blank in places.
    others = np.stack([take_detail(other) for other in [image, *images, np.zeros_like(image)]])
    found = compare_details(take_detail(image), others)
    alone = [compare(take_detail(image), other) for other in others]
    np.testing.assert_allclose(found, alone, rtol=1e-6)
    assert found[0] == pytest.approx(1)
    assert found[-1] == 0


def test_large_images_are_looked_at_more_closely(image):
    assert [one.shape for one in take_details(image)] == [(96, 96)]
    large = np.random.default_rng(3).random((256, 300), np.float32)
    assert [one.shape for one in take_details(large)] == [(96, 96), (192, 192)]
    assert len(take_details(large[1:])) == 1


def test_at_the_fine_level_the_middle_must_agree_and_shades_do_not_count():
    generator = np.random.default_rng(4)
    one, other = generator.random((2, 300, 300), np.float32)
    border = other.copy()
    for edge in (np.s_[:55], np.s_[-55:], np.s_[:, :55], np.s_[:, -55:]):
        border[edge] = one[edge]
    details = [take_detail(image, FINE) for image in (one, border)]
    assert compare_details(details[0], details[1][None], FINE)[0] < FINE.least
    assert compare_details(details[0], details[0][None], FINE)[0] == pytest.approx(1)
    shaded = [np.clip(take_detail(image, FINE) + 60.0, -127, 127) for image in (one, other)]
    assert compare_details(shaded[0], shaded[1][None], FINE)[0] < FINE.least
