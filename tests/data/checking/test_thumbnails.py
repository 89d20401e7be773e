import numpy as np

from mscam_tf.data.checking.thumbnails import take_thumbnail


def make_image(seed=0, size=(90, 120)):
    return np.random.default_rng(seed).random(size, np.float32)


def test_contrast_size_and_sign_do_not_matter():
    image = make_image()
    thumbnail = take_thumbnail(image)
    assert thumbnail.shape == (40, 40)
    np.testing.assert_allclose((thumbnail**2).sum(), 1, rtol=1e-5)
    for other, sign in ((0.2 + 0.3 * image, 1), (1 - image, -1), (image.repeat(2, 0), 1)):
        assert sign * (thumbnail * take_thumbnail(other)).sum() > 0.95
    assert abs((thumbnail * take_thumbnail(make_image(1))).sum()) < 0.2


def test_an_edge_that_all_images_share_counts_little():
    edge = np.zeros((90, 120), np.float32)
    edge[45:] = 0.8
    first, second = (edge + 0.1 * make_image(seed) for seed in (0, 1))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.98
    assert (take_thumbnail(first) * take_thumbnail(second)).sum() < 0.7


def test_an_image_without_structure_has_none():
    assert not take_thumbnail(np.full((50, 50), 0.4, np.float32)).any()
