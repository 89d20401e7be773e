from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, softmax

from mscam_tf import MscamError, find_regions
from mscam_tf.localization import assume_point, describe_shares, list_regions
from mscam_tf.runs import OneLabel, OperatingPoint, SeveralFindings
from tests.localization.explanations import NAMES, explain_by_hand, explain_noise

BONE = OperatingPoint({"bone": 1.0})


def test_shares_by_hand():
    far, near = list_regions(explain_by_hand(), BONE)
    assert (far.score, far.scale) == (7, 2)
    assert far.share == pytest.approx(-3 / 2 + 16 * 2 / 16)
    assert (near.score, near.scale) == (5, 1)
    assert near.share == pytest.approx(8 + 1 / 2 + 4 * 6 / 16)
    assert [far.label, near.label] == ["bone", "bone"]


def test_a_logit_in_words():
    explanation = explain_by_hand()
    assert describe_shares(explanation, list_regions(explanation, BONE), "bone") == (
        "logit of bone = 26.00 = 0.50 from region 1 + 10.00 from region 2 + 17.50 from elsewhere "
        "- 2.00 bias"
    )
    assert describe_shares(explanation, list_regions(explanation, BONE), "void") == (
        "logit of void = 1.00 = 0.00 from elsewhere + 1.00 bias"
    )


@pytest.mark.parametrize("size", [(32, 48), (24, 40), (38, 45)])
@pytest.mark.parametrize("pooling", ["mean", "soft"])
@pytest.mark.parametrize("normalization", ["penalty", "softmax"])
def test_every_logit_is_accounted_for(size, pooling, normalization):
    """Regions, the rest and the biases add up, also where cells do not divide the image."""
    explanation = explain_noise(size, pooling, normalization)
    thresholds = {name: np.quantile(explanation.maps[..., c], 0.8) for c, name in enumerate(NAMES)}
    biases = explanation.logits - explanation.contributions.sum(0)
    found = list_regions(explanation, OperatingPoint(thresholds), merge=1)
    for index, name in enumerate(NAMES):
        regions = [region for region in found if region.label == name]
        rest = list_regions(leave_out(explanation, regions), OperatingPoint({name: 0.5}))
        total = sum(region.share for region in [*regions, *rest]) + biases[index]
        assert total == pytest.approx(explanation.logits[index], abs=1e-5)
        assert abs(sum(region.share for region in regions)) > 1e-3
    assert len(found) > 3


def leave_out(explanation, regions):
    """Return an explanation whose maps are 1 where no region is, and else 0."""
    beside = np.ones(explanation.maps.shape[:2])
    for region in regions:
        beside[region.slices][region.mask] = 0
    return replace(explanation, maps=np.repeat(beside[..., None], 3, -1))


def test_the_whole_image_adds_the_contributions_scale_by_scale():
    explanation = explain_noise(flips=True)
    low = float(explanation.maps.min())
    whole = list_regions(explanation, OperatingPoint(dict.fromkeys(NAMES, low)))
    for index, region in enumerate(whole):
        assert region.area == 32 * 48
        assert region.share == pytest.approx(explanation.contributions[:, index].sum(), abs=1e-4)
        assert region.scale == explanation.contributions[:, index].argmax() + 1


def test_regions_of_one_scale():
    explanation = explain_noise()
    own = explanation.scale_maps[0, ..., 2]
    high = float(np.quantile(own, 0.9))
    point = OperatingPoint({"void": high}, scale=1, minimum_area=4)
    regions = list_regions(explanation, point, merge=2)
    plain = find_regions(own, high, minimum_area=4, merge=2)
    assert [r.box for r in regions] == [r.box for r in plain]
    assert 0 < len(plain) < len(find_regions(own, high))


def test_without_cells_there_are_no_shares():
    explanation = replace(explain_by_hand(), cell_contributions=())
    regions = list_regions(explanation, BONE)
    assert [(r.score, r.scale, r.share) for r in regions] == [(7, None, None), (5, None, None)]
    with pytest.raises(MscamError, match=r"must have shares.*Received: 2 without"):
        describe_shares(explanation, regions, "bone")


def test_what_is_not_there_is_refused():
    with pytest.raises(MscamError, match=r"must be of the classes.*'crack'"):
        list_regions(explain_by_hand(), OperatingPoint({"crack": 1.0}))
    with pytest.raises(MscamError, match=r"one of the 2 scales of the model.*scale=3"):
        list_regions(explain_by_hand(), OperatingPoint({"bone": 1.0}, scale=3))


def test_a_run_without_a_point_marks_from_even_odds_on():
    explanation = explain_by_hand()  # The biases are 0, -2 and 1.
    several = assume_point(explanation, SeveralFindings(NAMES))
    assert several == OperatingPoint({"none": 0.0, "bone": 2.0, "void": -1.0}, minimum_area=4)
    lifted = replace(explanation, logits=explanation.logits + 9)
    for each in (explanation, lifted):  # One label: only differences count.
        point = assume_point(each, OneLabel(NAMES))
        assert point == OperatingPoint({"bone": 2.0, "void": -1.0}, good="none", minimum_area=4)
    renamed = replace(lifted, class_names=["a", "b", "c"])
    point = assume_point(renamed, OneLabel(["a", "b", "c"]))
    assert point.map_thresholds == pytest.approx({"a": -1 / 3, "b": 5 / 3, "c": -4 / 3})


def test_sizes_are_the_same_whatever_all_logits_have_in_common():
    y, x = np.mgrid[:32, :48]
    bump = 6 * np.exp(-((y - 16.0) ** 2 + (x - 24.0) ** 2) / (2 * 6**2))
    maps = np.stack([0 * bump, bump, 0 * bump], -1)
    plain = replace(explain_noise(), class_names=["a", "b", "c"], maps=maps)
    sizes = {}
    for name, activate in (("softmax", softmax), ("sigmoid", expit)):
        for offset in (0.0, -1.0):
            logits = plain.logits + offset
            one = replace(plain, logits=logits, probabilities=activate(logits))
            regions = list_regions(one, OperatingPoint({"b": 5.0}))
            sizes[name, offset] = [region.size for region in regions]
    assert sizes["softmax", -1.0] == pytest.approx(sizes["softmax", 0.0])
    # Of several findings, each has odds of its own.
    assert sizes["sigmoid", -1.0] != pytest.approx(sizes["sigmoid", 0.0])
