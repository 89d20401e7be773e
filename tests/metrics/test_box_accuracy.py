from collections import deque

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mscam_tf import MscamError, metrics

# MaxBoxAcc, MaxBoxAccV2, mean overlap of any region, and of the largest.
PUBLISHED = (0.2222222222222222, 0.2962962962962963, 0.20680968703865363, 0.15207251456483276)


def draw_cases(count=6, shape=(18, 23)):
    """Blurred noise, some of it in steps, each with one or two boxes."""
    generator = np.random.default_rng(7)
    maps, boxes = [], []
    for index in range(count):
        noise = gaussian_filter(generator.normal(size=shape), (0.7, 1.5, 3.0)[index % 3])
        noise = np.round(4 * noise / noise.std()) if index % 2 else noise
        maps.append(metrics.scale_to_unit(noise))
        row, column = np.unravel_index(noise.argmax(), shape)
        x, y = min(int(column), 15), min(int(row), 11)
        boxes.append(np.array([[x, y, x + 5, y + 4], [1, 2, 9, 9]][: 1 + index % 2]))
    return maps, boxes


def flood(inside, diagonals):
    """Return the sets of pixels that are connected, found one pixel after the other."""
    steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
    steps = [step for step in steps if diagonals or 0 in step]
    left = {tuple(place) for place in np.argwhere(inside).tolist()}
    found = []
    while left:
        start = left.pop()
        region, waiting = {start}, deque([start])
        while waiting:
            y, x = waiting.popleft()
            near = {(y + dy, x + dx) for dy, dx in steps} & left
            left -= near
            region |= near
            waiting.extend(near)
        found.append(region)
    return found


def list_boxes(inside):
    """Return the inclusive corners of regions and of the rims of holes, one pixel late."""
    height, width = inside.shape
    parts = [(region, 0) for region in flood(inside, True)]
    for hole in flood(~inside, False):
        rows, columns = zip(*hole, strict=True)
        if 0 not in (*rows, *columns) and max(rows) < height - 1 and max(columns) < width - 1:
            parts.append((hole, 1))
    boxes = []
    for part, more in parts:
        rows, columns = (np.array(side) for side in zip(*part, strict=True))
        x_max = min(columns.max() + 1 + more, width - 1)
        y_max = min(rows.max() + 1 + more, height - 1)
        boxes.append((columns.min() - more, rows.min() - more, x_max, y_max))
    return boxes or [(0, 0, 0, 0)]


def compare(one, other):
    """Return the intersection over union of boxes, counted pixel by pixel, corners included."""
    sets = [
        {(x, y) for x in range(b[0], b[2] + 1) for y in range(b[1], b[3] + 1)} for b in (one, other)
    ]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_best_overlaps_are_those_found_by_counting_pixels():
    for map_, boxes in zip(*draw_cases(), strict=True):
        grey = (map_ * 255).astype(np.uint8)
        expected = []
        for threshold in np.arange(0, 1, 0.09):
            found = list_boxes(grey > int(threshold * grey.max()))
            expected.append(max(compare(a, b) for a in found for b in boxes.tolist()))
        overlaps = metrics.measure_box_overlaps(map_, boxes, interval=0.09)
        np.testing.assert_allclose(overlaps, expected, rtol=1e-12)


def test_scores_are_those_of_the_published_code():
    """By `wsolevaluation` with OpenCV 4.10, on the same maps and boxes."""
    maps, boxes = draw_cases(9)
    overlaps = [metrics.measure_box_overlaps(*pair) for pair in zip(maps, boxes, strict=True)]
    largest = [
        metrics.measure_box_overlaps(*pair, largest=True) for pair in zip(maps, boxes, strict=True)
    ]
    accuracies = [metrics.rate_overlaps(np.stack(overlaps), ratio) for ratio in metrics.RATIOS]
    assert metrics.rate_overlaps(np.stack(largest), 0.5) == pytest.approx(PUBLISHED[0], abs=1e-6)
    assert np.mean(accuracies) == pytest.approx(PUBLISHED[1], abs=1e-6)
    assert np.mean(overlaps) == pytest.approx(PUBLISHED[2], abs=1e-6)
    assert np.mean(largest) == pytest.approx(PUBLISHED[3], abs=1e-6)


def test_the_largest_region_is_that_of_the_largest_outline():
    """A thin ring holds more than a block that has more pixels."""
    map_ = np.zeros((16, 20))
    map_[1:9, 1:9] = 1
    map_[2:8, 2:8] = 0  # A ring of 28 pixels, whose outline holds 49 squares.
    map_[10:15, 10:17] = 1  # 35 pixels, 24 squares.
    ring = metrics.measure_box_overlaps(map_, np.array([[1, 1, 9, 9]]), largest=True)
    assert ring == pytest.approx(1.0)
    block = metrics.measure_box_overlaps(map_, np.array([[10, 10, 17, 15]]), largest=True)
    assert block == pytest.approx(0.0)


def test_of_regions_without_area_the_last_counts():
    map_ = np.zeros((8, 12))
    map_[[1, 1, 4], [1, 5, 8]] = 1
    last = metrics.measure_box_overlaps(map_, np.array([[8, 4, 9, 5]]), largest=True)
    assert last == pytest.approx(1.0)


def test_a_hole_has_a_box():
    """That of its rim: rows 2 to 5, columns 3 to 6."""
    map_ = np.ones((12, 14))
    map_[3:5, 4:6] = 0
    overlaps = metrics.measure_box_overlaps(map_, np.array([[3, 2, 7, 6]]))
    assert overlaps == pytest.approx(1.0)


def test_a_map_without_values_has_one_pixel_for_a_box():
    overlaps = metrics.measure_box_overlaps(np.zeros((5, 5)), np.array([[0, 0, 1, 1]]))
    assert overlaps == pytest.approx(1 / 4)  # Sides count one pixel more.


def test_counts_weigh_images():
    overlaps = np.array([[0.6, 0.2], [0.1, 0.9]])
    assert metrics.rate_overlaps(overlaps, 0.5) == 0.5
    assert metrics.rate_overlaps(overlaps, 0.5, np.array([1, 3])) == 0.75


def test_a_flat_map_is_scaled_to_nothing():
    np.testing.assert_array_equal(metrics.scale_to_unit(np.full((2, 3), -4.0)), np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("map_", "boxes", "interval", "message"),
    [
        (np.full((2, 2), 1.5), [[0, 0, 1, 1]], 0.1, r"`map_` must lie in \[0, 1\]"),
        (np.full((2, 2), -0.5), [[0, 0, 1, 1]], 0.1, r"`map_` must lie in \[0, 1\]"),
        (np.eye(2), np.zeros((0, 4)), 0.1, "at least one box"),
        (np.eye(2), [[1, 0, 1, 1]], 0.1, "x_min < x_max"),
        (np.eye(2), [[0, 0, 1, 1]], 0.0, "`interval` must be a number above 0 and below 1"),
    ],
)
def test_what_cannot_be_scored_is_refused(map_, boxes, interval, message):
    with pytest.raises(MscamError, match=message):
        metrics.measure_box_overlaps(map_, boxes, interval=interval)


def test_no_maps_are_refused():
    with pytest.raises(MscamError, match="at least one image"):
        metrics.max_box_acc([], [])
