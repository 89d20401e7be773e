from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mscam_tf
from mscam_tf.analysis import (
    Confusion,
    ImageOverlap,
    find_confusions,
    measure_overlaps,
    measure_range,
    rank_unlabelled,
)
from mscam_tf.analysis.confusions import MEASURES
from mscam_tf.metrics import center_maps, map_correlation, place_overlap, soft_iou, threshold_iou

NAMES = ["a", "b", "c"]


def make_overlap(name, label, probabilities, overlap=0.0):
    matrix = np.eye(3)
    matrix[0, 1] = matrix[1, 0] = overlap
    overlaps = dict.fromkeys(MEASURES, matrix)
    return ImageOverlap(Path(name), label, np.array(probabilities), NAMES, overlaps)


def make_confusion(wrong, right, like=()):
    images = [make_overlap(f"w{i}", "a", [0.2, 0.8, 0], value) for i, value in enumerate(wrong)]
    others = [make_overlap(f"r{i}", "a", [0.8, 0.2, 0], value) for i, value in enumerate(right)]
    alike = [make_overlap(f"l{i}", "b", [0.2, 0.8, 0], value) for i, value in enumerate(like)]
    return Confusion("a", "b", images, others, alike, 10, np.zeros((2, 2, 4)), [])


def test_first_second_and_margin():
    one = make_overlap("x", "", [0.1, 0.6, 0.3])
    assert (one.first, one.second) == ("b", "c")
    assert one.margin == pytest.approx(0.3)


def test_a_difference_by_hand():
    found = make_confusion([0.5, 0.7, 0.6, 0.55, 0.65], [0.1, 0.3, 0.2, 0.15, 0.25])
    assert found.difference == pytest.approx(0.4)
    low, high = found.interval
    assert 0.3 < low < 0.4 < high < 0.5
    assert found.p_value == pytest.approx(2 / 252)  # The most extreme of 252 orders.
    assert found.rate == 0.5


def test_a_group_counts_once():
    """Ten patches of one film are one film, and what has no overlap says nothing."""
    found = make_confusion([0.5, 0.7, 0.6, 0.55, 0.65], [0.1, 0.3, 0.2, 0.15, 0.25])
    film = [replace(found.images[0], group="film") for _ in range(9)]
    film.append(make_overlap("flat", "a", [0.2, 0.8, 0], float("nan")))
    more = replace(found, images=found.images[1:] + film)
    assert more.difference == pytest.approx(found.difference)
    assert more.p_value == found.p_value


@pytest.mark.parametrize(("wrong", "right"), [([0.5] * 4, [0.1] * 9), ([0.5] * 9, [])])
def test_too_few_images_have_no_interval(wrong, right):
    found = make_confusion(wrong, right)
    assert np.isnan([found.difference, *found.interval, found.p_value]).all()


def test_what_to_label_next():
    certain = make_overlap("certain", "", [0.9, 0.1, 0], 0.9)
    close = make_overlap("close", "", [0.5, 0.45, 0.05], 0.1)
    both = make_overlap("both", "", [0.5, 0.46, 0.04], 0.8)
    ranked = rank_unlabelled([certain, close, both])
    assert ranked[0] is both
    assert rank_unlabelled([]) == []


def test_a_pair_that_always_overlaps_does_not_come_first():
    """Overlaps are ranked among those of the same two classes, whichever of the two is first."""
    usual = [make_overlap(f"ab{i}", "", [0.5, 0.4, 0.1], 0.9 + i / 100) for i in range(3)]
    turned = make_overlap("ba", "", [0.4, 0.5, 0.1], 0.95)
    other = make_overlap("ac", "", [0.45, 0.15, 0.4], 0.0)
    ranked = rank_unlabelled([*usual, turned, other])
    assert ranked[0] is other
    assert ranked[1] is turned


def test_confusions_of_a_run(three_class_run, three_class_manifest, image_folder):
    seen = []
    more = sorted(image_folder.glob("wide/*"))[:2]
    confusions, images = find_confusions(
        three_class_run,
        three_class_manifest,
        unlabelled=more,
        threshold=0.1,
        on_progress=seen.append,
    )
    count = len(three_class_manifest.samples)
    assert len(images) == len(seen) == count + 2
    assert [one.label for one in images[count:]] == ["", ""]
    wrong = [one for one in images[:count] if one.first != one.label]
    assert sum(len(found.images) for found in confusions) == len(wrong) > 0
    rates = [found.rate for found in confusions]
    assert rates == sorted(rates, reverse=True)
    found = confusions[0]
    margins = [one.margin for one in found.images]
    assert margins == sorted(margins, reverse=True)
    assert len(found.stacks) == min(5, len(found.images))
    for one, stack in zip(found.images, found.stacks, strict=False):
        pair = found.true, found.predicted
        assert one.measure("place_overlap", *pair) == pytest.approx(
            place_overlap(stack[..., 1], stack[..., 2]), abs=1e-6, nan_ok=True
        )
        assert one.measure("soft_iou", *pair) == pytest.approx(
            soft_iou(stack[..., 1], stack[..., 2]), abs=1e-6
        )
        assert one.measure("threshold_iou", *pair) == threshold_iou(
            stack[..., 1], stack[..., 2], 0.1
        )
        assert one.measure("correlation", *pair) == pytest.approx(
            map_correlation(stack[..., 1], stack[..., 2]), abs=1e-5
        )
        shared = np.clip(np.minimum(stack[..., 1], stack[..., 2]), 0, None)
        np.testing.assert_array_equal(stack[..., 3], shared)
    if len(found.images) <= 5:
        np.testing.assert_allclose(found.mean, np.mean(found.stacks, axis=0), atol=1e-6)


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


def test_the_range_is_that_of_the_maps_relative_to_their_mean(
    three_class_run, three_class_manifest
):
    paths = three_class_manifest.paths[:6]
    maps = [center_maps(found.maps) for found in mscam_tf.explain(three_class_run, paths)]
    low, high = measure_range(three_class_run, paths)
    assert (low, high) == pytest.approx(np.percentile(maps, [1, 99.5]), abs=1e-5)


def test_several_findings_are_not_confused(findings_run, findings_folder):
    paths = mscam_tf.read_manifest(findings_folder).paths[:2]
    with pytest.raises(mscam_tf.RunError, match=r"exclude each other.*Received: .*several"):
        measure_overlaps(findings_run, paths)
