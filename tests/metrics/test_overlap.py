import numpy as np
import pytest

from mscam_tf.metrics import center_maps, map_correlation, place_overlap, soft_iou, threshold_iou

A = np.array([[4.0, 1.0], [0.0, -3.0]])
B = np.array([[2.0, 3.0], [-1.0, -5.0]])


def test_soft_iou_by_hand():
    assert soft_iou(A, B) == pytest.approx((2 + 1) / (4 + 3))
    assert soft_iou(A, A) == 1
    assert soft_iou(A, -np.abs(B)) == 0


def test_what_shows_nothing_overlaps_with_nothing():
    nothing = np.full((2, 2), -1.0)
    assert soft_iou(nothing, nothing) == threshold_iou(nothing, nothing, 0.5) == 0


def test_threshold_iou_by_hand():
    assert threshold_iou(A, B, 1.0) == 1
    assert threshold_iou(A, B, 2.0) == pytest.approx(1 / 2)
    assert threshold_iou(A, B, 4.0) == 0


def test_correlation_by_hand_and_without_units():
    a, b = A - A.mean(), B - B.mean()
    expected = (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
    assert map_correlation(A, B) == pytest.approx(expected)
    assert map_correlation(3 * A + 7, B) == pytest.approx(expected)
    assert np.isnan(map_correlation(np.ones((2, 2)), B))


def test_what_is_added_to_all_classes_does_not_count():
    generator = np.random.default_rng(0)
    maps, common = generator.normal(size=(5, 6, 3)), generator.normal(size=(5, 6, 1))
    np.testing.assert_allclose(center_maps(maps + common), center_maps(maps), atol=1e-12)
    pair = center_maps(maps[..., :2])
    assert soft_iou(pair[..., 0], pair[..., 1]) == 0


def test_place_overlap_does_not_see_strength():
    """Maps that are flat say the same of place, whatever the logits: soft IoU does not."""
    one, other = np.full((4, 4), 0.5), np.full((4, 4), 2.0)
    assert place_overlap(one, other) == 1
    assert soft_iou(one, other) == 0.25
    assert np.isnan(place_overlap(one, -other))


def test_a_constant_map_correlates_with_nothing_and_huge_maps_as_small_ones():
    flat = np.full((3, 7), 0.1)  # Whose mean is not 0.1 in floating point.
    values = np.random.default_rng(0).normal(size=(3, 7))
    assert np.isnan(map_correlation(flat, values))
    other = values**3
    expected = map_correlation(values, other)
    for scale in (1e250, 1e-250):
        assert map_correlation(scale * values, scale * other) == pytest.approx(expected)
