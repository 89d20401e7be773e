import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mscam_tf import MscamError, metrics

NO_BOXES = np.zeros((0, 4))


def place(spots, size=(60, 80)):
    values = np.zeros(size)
    for (row, column), height in spots.items():
        values[row, column] = height
    return values


def test_peaks_by_hand():
    values = place({(10, 10): 3, (10, 17): 2.5, (10, 18): 2, (40, 70): 5})
    places, heights = metrics.find_peaks(values)
    # A window of 15 reaches 7 pixels: column 17 lies beside a higher place, and so does 18.
    assert places.tolist() == [[40, 70], [10, 10]]
    assert heights.tolist() == [5, 3]


def test_a_plateau_has_one_peak_and_a_flat_map_none():
    values = np.zeros((30, 30))
    values[4:7, 5:9] = 1
    places, _ = metrics.find_peaks(values)
    assert places.tolist() == [[4, 5]]
    assert len(metrics.find_peaks(np.full((20, 20), 7.0))[0]) == 0


def test_marks_by_hand():
    maps = [
        place({(10, 20): 4, (50, 70): 3, (30, 40): 2}),
        place({(10, 10): 1, (40, 40): 5}),
        place({}),
    ]
    boxes = [
        np.array([[18, 8, 24, 12], [60, 20, 70, 30]]),  # Found by 4; not found.
        np.array([[8, 8, 12, 12]]),  # Found by 1.
        NO_BOXES,
    ]
    found = metrics.score_marks(maps, boxes)
    assert found.objects.tolist() == [4, -np.inf, 1]
    assert found.false_marks.tolist() == [5, 3, 2]
    # No false mark is above 5; one third an image above 3; two thirds above 2; one: all.
    assert [found.find_threshold(r) for r in (0, 1 / 3, 0.67, 1)] == [5, 3, 2, -np.inf]
    assert [found.sensitivity(r) for r in (0, 1 / 3, 1)] == pytest.approx([0, 1 / 3, 2 / 3])
    small = np.array([False, False, True])
    assert found.sensitivity(1 / 3, small) == 0
    assert found.sensitivity(1, small) == 1
    assert np.isnan(found.sensitivity(1, ~np.ones(3, bool)))


@pytest.mark.parametrize(("column", "hit"), [(20, True), (26, True), (27, True), (28, False)])
def test_the_tolerance_is_a_distance_to_the_box(column, hit):
    # The box ends at x = 24; the centre of column 26 is at 26.5, of column 27 at 27.5.
    maps, boxes = [place({(10, column): 1})], [np.array([[18, 8, 24, 12]])]
    found = metrics.score_marks(maps, boxes, tolerance=3.5)
    assert np.isfinite(found.objects[0]) == hit
    assert len(found.false_marks) == (not hit)


def test_beside_a_corner_the_distance_is_euclidean():
    boxes = [np.array([[10, 10, 20, 20]])]
    near, far = place({(21, 21): 1}), place({(22, 22): 1})  # 1.5 and 2.5 beside both sides.
    assert metrics.score_marks([near], boxes, tolerance=2.2).objects[0] == 1
    assert metrics.score_marks([far], boxes, tolerance=3.5).objects[0] == -np.inf


def test_maps_of_the_objects_find_more_than_noise():
    generator = np.random.default_rng(0)
    maps, boxes = [], []
    for _ in range(20):
        row, column = generator.integers(10, 90, 2)
        noise = gaussian_filter(generator.normal(size=(100, 100)), 3)
        signal = place({(row, column): 1}, (100, 100))
        maps.append((noise, noise + 100 * gaussian_filter(signal, 4)))
        boxes.append(np.array([[column - 5, row - 5, column + 5, row + 5]]))
    noise, signal = zip(*maps, strict=True)
    assert metrics.score_marks(signal, boxes).sensitivity(0) == 1
    assert metrics.score_marks(noise, boxes).sensitivity(0.5) < 0.3


def test_what_cannot_be_scored_is_refused():
    good = place({(10, 10): 1})
    with pytest.raises(MscamError, match="finite numbers"):
        metrics.score_marks([np.where(good > 0, np.nan, good)], [NO_BOXES])
    with pytest.raises(MscamError, match=r"\(n, 4\).*Received: shape \(4,\)"):
        metrics.score_marks([good], [np.zeros(4)])
    with pytest.raises(MscamError, match="at least one image"):
        metrics.score_marks([], [])
    for maps, boxes in (([good, good], [NO_BOXES]), ([good], [NO_BOXES, NO_BOXES])):
        with pytest.raises(MscamError, match=r"of the same images.*of which there are 1"):
            metrics.score_marks(maps, iter(boxes))
    with pytest.raises(MscamError, match=r"x_min < x_max.*Received: \[8.0, 1.0, 2.0, 5.0\]"):
        metrics.score_marks([good], [np.array([[1, 1, 2, 5], [8, 1, 2, 5]])])
    for options in ({"tolerance": -1}, {"tolerance": np.nan}, {"window": 0}, {"window": 2.5}):
        (name,) = options
        with pytest.raises(MscamError, match=f"`{name}` must be a"):
            metrics.score_marks([good], [NO_BOXES], **options)
    for rate in (-1, np.nan, np.inf):
        with pytest.raises(MscamError, match="`rate` must be a number of at least 0"):
            metrics.score_marks([good], [NO_BOXES]).sensitivity(rate)


def test_peaks_of_any_kind_of_numbers():
    for kind in (bool, np.int8, np.uint16, np.float16, np.float32):
        values = np.array([[0, 0, 1, 0, 0]]).astype(kind)
        assert metrics.find_peaks(values, 3)[0].tolist() == [[0, 2]]
    lowest = np.array([[-128, 0, -128, 5, -128]], np.int8)
    assert metrics.find_peaks(lowest, 3)[1].tolist() == [5, 0]
    with pytest.raises(MscamError, match="2 dimensions"):
        metrics.find_peaks(np.zeros((2, 2, 2)))


def test_the_curve_has_a_step_for_each_false_mark():
    found = metrics.FreeResponse(np.array([5.0, 2.0, -np.inf]), np.array([4.0, 3.0, 1.0]), 2)
    rates, shares = found.trace()
    assert rates.tolist() == [0, 0.5, 1, 1.5]
    np.testing.assert_allclose(shares, [1 / 3, 1 / 3, 2 / 3, 2 / 3])
    for rate, share in zip(rates, shares, strict=True):
        assert share == found.sensitivity(rate)
    _, small = found.trace(np.array([False, True, False]))
    assert small.tolist() == [0, 0, 1, 1]
    _, none = found.trace(np.zeros(3, bool))
    assert none.tolist() == [0, 0, 0, 0]


def test_a_window_larger_than_the_map_has_one_peak_and_takes_no_memory():
    values = np.random.default_rng(0).random((6, 9))
    for window in (18, 10**9):
        places, scores = metrics.find_peaks(values, window)
        assert places.tolist() == [list(np.unravel_index(values.argmax(), values.shape))]
        assert scores.tolist() == [values.max()]


@pytest.mark.parametrize("count", [7, 29, 57, 58])
def test_a_rate_allows_as_many_false_marks_as_it_says(count):
    """0.29 * 100 is a little less than 29 in binary numbers."""
    marks = np.arange(200.0)[::-1]
    found = metrics.FreeResponse(np.array([0.0]), marks, 100)
    assert (marks > found.find_threshold(count / 100)).sum() == count
