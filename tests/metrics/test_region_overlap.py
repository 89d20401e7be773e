import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mscam_tf import MscamError, metrics

BOUNDS = (1e-2, 2e-1)
# PRO above 0.1, its area up to 0.3, and AUPIMO of the images with objects.
PUBLISHED = (
    *(0.5282222032546997, 0.2577288746833801),
    (0.22913314159661166, 0.18144016789877013, 0.017589050487305306, 0.07540647641984748),
)


def draw_cases(sigma=1.5):
    """Nine images, four of them with objects, the fourth with two that touch at a corner."""
    generator = np.random.default_rng(5)
    maps = np.stack([gaussian_filter(generator.normal(size=(24, 31)), sigma) for _ in range(9)])
    masks = np.zeros(maps.shape, bool)
    masks[0, 3:8, 4:6] = masks[1, 10:20, 20:29] = masks[2, 0:2, 0:2] = True
    masks[2, 20:23, 15:19] = masks[3, 5:9, 5:9] = masks[3, 9:12, 9:12] = True
    return maps + 0.15 * masks, masks


def test_dice_is_twice_the_common_share():
    first, second = np.array([[3, 1, 0, 0]]), np.array([[0, 9, 9, 9]])
    assert metrics.dice(first, second) == pytest.approx(2 * 1 / (2 + 3))
    assert metrics.dice(first, first) == 1
    assert np.isnan(metrics.dice(np.zeros((1, 2)), np.zeros((1, 2))))


def list_objects(masks):
    """Return the pixels of each object of the cases; two that touch at a corner are one."""
    corners = [(0, 3, 8, 4, 6), (1, 10, 20, 20, 29), (2, 0, 2, 0, 2), (2, 20, 23, 15, 19)]
    found = []
    for image, top, bottom, left, right in corners:
        one = np.zeros(masks.shape, bool)
        one[image, top:bottom, left:right] = True
        found.append(one)
    found.append(masks & (np.arange(len(masks)) == 3)[:, None, None])
    return found


def test_each_object_counts_alike():
    maps, masks = draw_cases()
    for threshold in (-0.1, 0.05, 0.2):
        expected = np.mean([(maps[one] > threshold).mean() for one in list_objects(masks)])
        assert metrics.per_region_overlap(maps, masks, threshold) == pytest.approx(expected)


@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
def test_the_area_is_that_of_a_curve_of_all_thresholds(limit):
    maps, masks = draw_cases()
    maps = np.round(maps, 2)
    thresholds = np.append(np.unique(maps)[::-1], -np.inf)
    x = np.array([(maps[~masks] > t).mean() for t in thresholds])
    y = np.array([metrics.per_region_overlap(maps, masks, t) for t in thresholds])
    grid = np.linspace(0, limit, 200_001)
    expected = np.interp(grid, x, y).mean()
    assert metrics.aupro(maps, masks, limit) == pytest.approx(expected, abs=1e-4)


def test_maps_that_know_nothing_have_half_the_limit():
    maps, masks = np.zeros((2, 4, 4)), np.zeros((2, 4, 4))
    masks[0, :2] = 1
    assert metrics.aupro(maps, masks, limit=0.3) == pytest.approx(0.15)


def test_scores_are_those_of_anomalib():
    """By anomalib 2.7, on the same maps; its area is in float32."""
    maps, masks = draw_cases()
    assert metrics.per_region_overlap(maps, masks, 0.1) == pytest.approx(PUBLISHED[0], abs=1e-6)
    assert metrics.aupro(maps, masks) == pytest.approx(PUBLISHED[1], abs=1e-6)
    scores = metrics.aupimo(maps, masks, BOUNDS)
    np.testing.assert_allclose(scores[:4], PUBLISHED[2], atol=1e-6)


def test_the_area_of_each_image_is_that_of_a_loop_over_thresholds():
    maps, masks = draw_cases()
    good = maps[4:]
    thresholds = np.linspace(good.min(), good.max(), 2001)
    rates = np.array([np.mean([(one >= t).mean() for one in good]) for t in thresholds])
    first, last = (np.argmin(abs(rates - bound)) for bound in (BOUNDS[1], BOUNDS[0]))
    area = np.zeros(4)
    for k in range(first, last):
        step = np.log(rates[k] / rates[k + 1])
        for image in range(4):
            inside = maps[image][masks[image]]
            shares = [(inside >= t).mean() for t in thresholds[k : k + 2]]
            area[image] += step * sum(shares) / 2
    scores = metrics.aupimo(maps, masks, BOUNDS, num_thresholds=2001)
    np.testing.assert_allclose(scores[:4], area / np.log(BOUNDS[1] / BOUNDS[0]), rtol=1e-9)
    assert np.isnan(scores[4:]).all()


def test_rates_that_the_good_images_are_too_few_for_are_refused():
    maps, masks = draw_cases()
    with pytest.raises(MscamError, match=r"more pixels.*Received: 3720 pixels"):
        metrics.aupimo(maps, masks)


@pytest.mark.parametrize(
    ("masks", "bounds", "message"),
    [
        (np.zeros((2, 2, 2)), (0.1, 0.2), "images with objects, and images without"),
        (np.ones((2, 2, 2)), (0.1, 0.2), r"Received: 2 of 2"),
        (np.eye(2)[None].repeat(2, 0), (0.2, 0.1), "with low < high"),
        (np.zeros((2, 2, 3)), (0.1, 0.2), "same shape"),
    ],
)
def test_what_cannot_be_scored_is_refused(masks, bounds, message):
    with pytest.raises(MscamError, match=message):
        metrics.aupimo(np.zeros((2, 2, 2)), masks, bounds)


def test_nothing_to_find_has_no_overlap():
    maps, masks = np.zeros((1, 2, 2)), np.zeros((1, 2, 2))
    assert np.isnan(metrics.per_region_overlap(maps, masks, 0.5))
    assert np.isnan(metrics.aupro(maps, masks))
    assert np.isnan(metrics.aupro(maps, masks + 1))
    with pytest.raises(MscamError, match="`limit` must be a number above 0"):
        metrics.aupro(maps, masks, limit=0)
