import numpy as np
import pytest

import mscam_tf
from mscam_tf.analysis import (
    find_confusions,
    measure_overlaps,
    measure_range,
)
from mscam_tf.metrics import center_maps, map_correlation, place_overlap, soft_iou, threshold_iou


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


def test_the_range_is_that_of_the_maps_relative_to_their_mean(
    three_class_run, three_class_manifest
):
    paths = three_class_manifest.paths[:6]
    maps = [center_maps(found.maps) for found in mscam_tf.explain(three_class_run, paths)]
    low, high = measure_range(three_class_run, paths)
    assert (low, high) == pytest.approx(np.percentile(maps, [1, 99.5]), abs=1e-5)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), [0.1, 0.2]])
def test_thresholds_are_numbers_before_any_image_is_read(three_class_run, tmp_path, threshold):
    with pytest.raises(mscam_tf.MscamError, match=r"`threshold` must be a finite number, or 3 of"):
        measure_overlaps(three_class_run, [tmp_path / "gone.png"], threshold=threshold)


def test_several_findings_are_not_confused(findings_run, findings_folder):
    paths = mscam_tf.read_manifest(findings_folder).paths[:2]
    with pytest.raises(mscam_tf.RunError, match=r"exclude each other.*Received: .*several"):
        measure_overlaps(findings_run, paths)
