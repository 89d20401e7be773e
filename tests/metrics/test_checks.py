import inspect
import re

import numpy as np
import pytest

from mscam_tf import MscamError, metrics
from tests.metrics.test_classification import LABELS, PROBABILITIES

FINDINGS = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 0], [1, 1, 0]])
SCORES = {
    **{name: (metric, LABELS) for name, metric in metrics.list_class_metrics("abc").items()},
    **{
        f"finding {name}": (metric, FINDINGS)
        for name, metric in metrics.list_finding_metrics("abc").items()
    },
    "count_confusions": (metrics.count_confusions, LABELS),
    "count_findings": (metrics.count_findings, FINDINGS),
}
MAPS = ("pixel_average_precision", "points_at", "energy_inside", "soft_iou", "place_overlap")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", SCORES)
def test_no_score_takes_what_is_no_number(name, value):
    score, labels = SCORES[name]
    bad = PROBABILITIES.copy()
    bad[2:] = value
    with pytest.raises(
        MscamError, match=r"finite numbers. Received: .* 2 of 4 rows, first in row 2"
    ):
        score(labels, bad)


@pytest.mark.parametrize("name", SCORES)
def test_labels_and_probabilities_belong_together(name):
    score, labels = SCORES[name]
    with pytest.raises(MscamError, match="3 labels and 4 rows"):
        score(labels[:3], PROBABILITIES)
    with pytest.raises(MscamError, match="0 labels and 0 rows"):
        score(labels[:0], PROBABILITIES[:0])


def test_calibration_compares_probabilities_and_no_logits():
    with pytest.raises(MscamError, match=r"in \[0, 1\].*Received: -6.0 to 6.0"):
        metrics.calibration_error(np.array([0, 1]), np.array([[6.0, -6.0], [1.0, 2.0]]))


def test_an_interval_says_so_too():
    bad = np.where(PROBABILITIES > 0.7, np.nan, PROBABILITIES)
    with pytest.raises(MscamError, match="finite numbers"):
        metrics.bootstrap_interval(metrics.calibration_error, LABELS, bad)


@pytest.mark.parametrize("name", [*MAPS, "threshold_iou", "map_correlation"])
def test_no_score_of_maps_takes_what_is_no_number(name):
    score, rest = getattr(metrics, name), {}
    if "threshold" in inspect.signature(score).parameters:
        rest = {"threshold": 0.5}
    good = np.array([[[0.1, 0.2], [0.3, 0.9]]])[0 if name != MAPS[0] else slice(None)]
    other = good > 0.25
    score(good, other, **rest)
    with pytest.raises(MscamError, match="Received: other values in 1 of 4 pixels"):
        score(np.where(good > 0.5, np.nan, good), other, **rest)


def test_the_docstring_stays_that_of_the_score():
    assert "right one" in metrics.accuracy.__doc__


@pytest.mark.parametrize(
    ("labels", "received"),
    [
        ([0, 1, 2, 3], "1 others, such as 3"),
        ([0, -1, 2, -1], "2 others, such as -1"),
        ([0, 1, np.nan, 1], "1 others, such as nan"),
        ([0, 1, 0.5, 1], "1 others, such as 0.5"),
        (["a", "b", "c", "a"], "type <U1"),
        ([[0], [1], [2], [1]], r"\(4, 1\) and \(4, 3\)"),
        ([[1, 0, -1]] * 4, "4 others, such as -1"),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "count_confusions", "finding_auroc"])
def test_labels_that_are_no_classes_are_refused(name, labels, received):
    with pytest.raises(MscamError, match=f"`labels` must .* Received: .*{received}"):
        getattr(metrics, name)(np.array(labels), PROBABILITIES)


def test_probabilities_that_are_hidden_or_no_numbers_are_refused():
    hidden = np.ma.masked_array(PROBABILITIES, PROBABILITIES > 0.7)
    for bad in (hidden, PROBABILITIES.astype(object), PROBABILITIES + 0j):
        with pytest.raises(MscamError, match="`probabilities` must be an array of real numbers"):
            metrics.accuracy(LABELS, bad)
    with pytest.raises(MscamError, match=r"Received: \(4,\) and \(4,\)"):
        metrics.accuracy(LABELS, PROBABILITIES[:, 0])


def test_lists_and_whole_floats_are_taken():
    lists = LABELS.astype(float).tolist(), PROBABILITIES.tolist()
    assert metrics.macro_f1(*lists) == metrics.macro_f1(LABELS, PROBABILITIES)


def test_a_probability_that_rounding_has_pushed_beyond_one_is_one():
    probabilities = np.array([[1.0000001, 0], [0.5, 0.5]], np.float32)
    assert metrics.calibration_error(np.array([0, 1]), probabilities) == 0.25


def test_numbers_of_bins_and_resamples_are_checked():
    for bins in (0, -1, 2.5, np.nan):
        with pytest.raises(MscamError, match="`bins` must be a whole number of at least 1"):
            metrics.calibration_error(LABELS, PROBABILITIES, bins)
    assert metrics.calibration_error(LABELS, PROBABILITIES, 10**9) >= 0  # Without a wait.
    for resamples in (-1, 2.5, "3"):
        with pytest.raises(MscamError, match="`resamples` must be a whole number of at least 0"):
            metrics.bootstrap_interval(metrics.accuracy, LABELS, PROBABILITIES, None, resamples)
    none = metrics.bootstrap_interval(metrics.accuracy, LABELS, PROBABILITIES, resamples=0)
    assert np.isnan(none).all()
    with pytest.raises(MscamError, match="a group for each of 4 images"):
        metrics.bootstrap_interval(metrics.accuracy, LABELS, PROBABILITIES, np.array([1, 2]))


def test_sums_over_maps_of_half_precision_do_not_overflow():
    first = np.full((300, 400), 10, np.float16)  # Their sum is 1.2 million; float16 ends at 65504.
    half = np.arange(400) < 100
    assert metrics.energy_inside(first, np.broadcast_to(half, first.shape)) == 0.25
    second = np.where(half, first, np.float16(0))
    assert metrics.soft_iou(first, second) == 0.25
    assert metrics.place_overlap(first, second) == pytest.approx(0.25)
    assert metrics.map_correlation(second, 3 * second) == pytest.approx(1)


@pytest.mark.parametrize("name", [*MAPS, "map_correlation"])
def test_maps_and_masks_belong_together(name):
    maps = np.ones((2, 2)) if name != MAPS[0] else np.ones((1, 2, 2))
    with pytest.raises(MscamError, match=r"must have the same shape. Received: .*1, 2\)"):
        getattr(metrics, name)(maps, maps[..., :1, :])
    with pytest.raises(MscamError, match="Received: other values in 4 of 4 pixels"):
        getattr(metrics, name)(maps, maps * np.nan)


@pytest.mark.parametrize("name", SCORES)
def test_labels_of_classes_and_of_findings_are_not_taken_for_each_other(name):
    """Compared with classes, a table of 0 and 1 would give a number that means nothing."""
    score, labels = SCORES[name]
    if name.removeprefix("finding ").startswith(("recall", "precision")):
        score(LABELS, PROBABILITIES)
        score(FINDINGS, PROBABILITIES)
        return
    others = LABELS if labels is FINDINGS else FINDINGS
    with pytest.raises(MscamError, match=rf"of the shape \(n.*: {re.escape(str(others.shape))}"):
        score(others, PROBABILITIES)


@pytest.mark.parametrize("index", [-1, 3, 1.5])
def test_a_class_that_there_is_not_is_refused(index):
    with pytest.raises(MscamError, match=r"from 0 to 2\. Received: index="):
        metrics.class_recall(LABELS, PROBABILITIES, index)


def test_arrays_without_dimensions_and_lists_of_different_lengths_are_refused():
    with pytest.raises(MscamError, match="must be arrays"):
        metrics.accuracy(0, 0.5)
    with pytest.raises(MscamError, match="`probabilities` must be an array of real numbers"):
        metrics.accuracy([0, 1], [[0.5], [0.2, 0.8]])


def test_one_class_alone_has_no_roc_curve():
    assert np.isnan(metrics.auroc(np.zeros(3), np.ones((3, 1))))


def test_an_interval_takes_lists_and_any_groups():
    lists = LABELS.tolist(), PROBABILITIES.tolist()
    expected = metrics.bootstrap_interval(metrics.accuracy, LABELS, PROBABILITIES)
    assert metrics.bootstrap_interval(metrics.accuracy, *lists) == expected
    mixed = metrics.bootstrap_interval(metrics.accuracy, *lists, [None, "a", 1, 2.5])
    assert 0 <= mixed[0] <= mixed[1] <= 1
    with pytest.raises(MscamError, match="`seed` must be a whole number"):
        metrics.bootstrap_interval(metrics.accuracy, *lists, seed=-1)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (0,)])
def test_no_score_takes_maps_without_a_pixel(name, shape):
    with pytest.raises(MscamError, match=r"at least one pixel\. Received: the shape"):
        getattr(metrics, name)(np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize("threshold", [np.nan, (1, 2, 3), (0, np.nan), "a", None])
def test_thresholds_are_one_number_or_two(threshold):
    with pytest.raises(MscamError, match="`threshold` must be one number, or two"):
        metrics.threshold_iou(np.eye(2), np.eye(2), threshold)


def test_maps_of_classes_are_centred_from_lists_and_refused_if_they_are_no_numbers():
    assert metrics.center_maps([[[5.0, 7.0]]]).tolist() == [[[-1, 1]]]
    with pytest.raises(MscamError, match="`maps` must be finite numbers"):
        metrics.center_maps(np.array([[[1.0, np.nan]]]))


MAP, BOX = np.arange(12.0).reshape(3, 4), np.array([[0.0, 0, 2, 2]])


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("hit_boxes", ([[1, np.nan]], BOX), "`places` must be finite"),
        ("hit_boxes", ([1, 2], BOX), r"`places` must be .* the shape \(2,\)"),
        ("hit_boxes", ([[1, 1]], BOX, np.nan), "`tolerance` must be a number of at least 0"),
        ("hit_boxes", ([[1, 1]], BOX, -3), "`tolerance` must be a number of at least 0"),
        ("box_iou", (BOX.astype(str), BOX), "`boxes` must be an array of real numbers"),
        ("box_iou", (np.ma.masked_equal(BOX, 0), BOX), "`boxes` must be .* masked values"),
        ("score_boxes", ([BOX], [BOX], "iou", (0.5, np.nan)), "`thresholds` must be finite"),
        ("score_boxes", ([BOX], [BOX, BOX]), "`found` and `boxes` must be of the same images"),
        ("max_box_acc", ([MAP / 11], []), "`maps` and `boxes` must be of the same images"),
        ("pxap", ([], [MAP]), "must be of the same images"),
        ("pxap", ([], []), "of at least one image"),
        ("rate_overlaps", ([[0.2, np.nan]], 0.5), "`overlaps` must be finite"),
        ("rate_overlaps", ([[0.2, 0.3]], np.nan), "`ratio` must be a number"),
        ("rate_overlaps", ([[0.2, 0.3]], 0.5, [0]), "`counts` must be .* not all of them 0"),
        ("average_precision_of_counts", ([[1, np.inf], [0, 2]],), "`counts` must be finite"),
        ("average_precision_of_counts", ([[1, -1], [0, 2]],), "the lowest -1"),
        ("average_precision_of_counts", ([[1, 1]],), "two rows"),
        ("per_region_overlap", ([MAP], [MAP > 5], np.nan), "`threshold` must be a number"),
        ("aupro", ([MAP], [MAP > 5], np.nan), "`limit` must be a number"),
        ("find_spots", (MAP, "dark", np.nan), "`sigma` must be a number above 0"),
        ("find_spots", (MAP, "dark", 4, -1), "`floor` must be a number above 0"),
        ("find_spots", (MAP, "dark", 4, 1, np.inf), "`limit` must be a number above 0"),
        ("draw_middle", ((np.nan, 3),), "`image_size` must be"),
        ("center_maps", (MAP,), r"\(H, W, C\)"),
        ("count_allowed", (np.nan, 0.1), "`n` must be a whole number"),
        ("count_needed", ("0.1",), "`rate` must be above 0"),
        ("clopper_pearson", (2.5, 10), "whole numbers"),
        ("clopper_pearson", (2, 10, 0.95, ["both"]), "`side` must be one of"),
        ("exceed_all_but", (np.ma.masked_equal([1.0, 2.0], 2),), "masked values"),
        ("exceed_all_but", ([1.0, 2.0], 0.5), "`count` from 0"),
        ("fit_detection", (np.ma.masked_equal(np.arange(1, 99), 2), [1]), "`sizes` .* masked"),
        ("bootstrap_interval", (metrics.accuracy, [0, 1], [[1, 0]] * 3), "of the same images"),
    ],
)
def test_what_is_no_number_gives_no_number(name, arguments, message):
    """Comparisons with NaN are false, and sums of what a mask hides are sums: no word of it."""
    with pytest.raises(MscamError, match=message):
        getattr(metrics, name)(*arguments)


def test_resamples_do_not_show_what_a_mask_hides():
    hidden = np.ma.masked_array(PROBABILITIES, PROBABILITIES > 0.7)
    with pytest.raises(MscamError, match=r"`probabilities` must be .* masked values"):
        metrics.bootstrap_interval(metrics.accuracy, LABELS, hidden)
    groups = np.ma.masked_equal([1, 1, 2, 2], 2)
    with pytest.raises(MscamError, match="masked groups"):
        metrics.bootstrap_interval(metrics.accuracy, LABELS, PROBABILITIES, groups)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int8"])
def test_maps_of_whole_numbers_have_the_scores_of_their_values(dtype):
    """Minus 0 is 0, above minus 1 or 255, where there are no negative numbers."""
    whole = (np.array([[[0, 1, 5, 0, 9, 0, 1, 7]]]) - 5 * (dtype == "int8")).astype(dtype)
    masks = np.array([[[0, 0, 0, 1, 1, 0, 0, 1]]])
    floats = whole.astype(float)
    assert metrics.aupro(whole, masks, 0.8) == metrics.aupro(floats, masks, 0.8)
    np.testing.assert_array_equal(
        metrics.find_spots(whole[0], "bright"), metrics.find_spots(floats[0], "bright")
    )


NEGATIVE = np.array([[[0, -1, -1, 0]]], np.int8)  # As 255 is in signed bytes.
VALUES = np.array([[[0.1, 0.9, 0.3, 0.2]]])


@pytest.mark.parametrize(
    "score",
    [
        lambda: metrics.pixel_average_precision(VALUES, NEGATIVE),
        lambda: metrics.points_at(VALUES[0], NEGATIVE[0]),
        lambda: metrics.energy_inside(VALUES[0], NEGATIVE[0]),
        lambda: metrics.aupro(VALUES, NEGATIVE),
        lambda: metrics.per_region_overlap(VALUES, NEGATIVE, 0.5),
        lambda: metrics.aupimo(VALUES, NEGATIVE),
        lambda: metrics.pxap(VALUES, NEGATIVE),
        lambda: metrics.pxap(VALUES, np.abs(NEGATIVE), NEGATIVE),
    ],
)
def test_a_negative_mask_is_no_mask_without_objects(score):
    with pytest.raises(MscamError, match=r"must be 0, or above it .*Received: -1 .* type int8"):
        score()


@pytest.mark.parametrize(
    "groups", [[np.nan, np.nan, 1.0, 2.0], [None, None, "a", "b"], ["a", np.nan, "b", None]]
)
def test_images_without_a_group_are_not_one_group(groups):
    with pytest.raises(MscamError, match=r"shape \(4,\), 2 of them None or NaN"):
        metrics.bootstrap_interval(
            metrics.accuracy, LABELS, PROBABILITIES, np.array(groups, object)
        )
