import numpy as np
import pytest

from mscam_tf import MscamError
from mscam_tf.evaluation.evidence import Evidence
from mscam_tf.runs import Explanation, OneLabel, SeveralFindings

MAPS = np.array([[[1.0, 3.0, 0.5], [2.0, -1.0, 4.0]]])  # Of one row of two places.
NAMES = ["bone", "none", "wire"]


def explain(maps, scale_maps=None):
    maps = np.asarray(maps, float)
    scale_maps = np.empty((0, *maps.shape)) if scale_maps is None else scale_maps
    nothing = np.zeros(maps.shape[-1])
    image = np.random.default_rng(0).random(maps.shape[:2])
    return Explanation(
        *("a.png", image, nothing, nothing, np.zeros((len(scale_maps), 3)), nothing),
        *(maps, scale_maps, NAMES),
    )


def test_of_one_label_it_is_the_log_odds_against_the_good_class():
    found = Evidence(OneLabel(NAMES)).join(MAPS)
    expected = np.log(np.exp([1.0, 2.0]) + np.exp([0.5, 4.0])) - [3.0, -1.0]
    np.testing.assert_allclose(found[0], expected)
    chosen = Evidence(OneLabel(NAMES), ["wire"]).join(MAPS)
    np.testing.assert_allclose(chosen[0], [0.5 - 3.0, 4.0 + 1.0])
    other = Evidence(OneLabel(NAMES), ["none"], good="wire").join(MAPS)
    np.testing.assert_allclose(other[0], [3.0 - 0.5, -1.0 - 4.0])


def test_without_a_good_class_it_is_relative_to_the_mean():
    names = ["bone", "glass", "wire"]
    found = Evidence(OneLabel(names), ["bone", "wire"]).join(MAPS)
    np.testing.assert_allclose(found[0], [1 - 4.5 / 3, 4 - 5 / 3])


def test_of_several_findings_it_is_the_highest():
    names = ["bone", "glass", "wire"]
    assert Evidence(SeveralFindings(names)).join(MAPS)[0].tolist() == [3, 4]
    assert Evidence(SeveralFindings(names), ["bone"]).join(MAPS)[0].tolist() == [1, 2]


@pytest.mark.parametrize("classes", [["glass"], ["none"]])
def test_other_classes_are_refused(classes):
    with pytest.raises(MscamError, match=r"must be of \['bone', 'wire'\]. Received"):
        Evidence(OneLabel(NAMES), classes)


def test_scored_are_sum_scales_and_what_nobody_learned():
    maps = np.random.default_rng(1).random((12, 14, 3))
    found = Evidence(OneLabel(NAMES)).list_maps(explain(maps, np.stack([maps, 2 * maps])))
    names = ["sum", "sharp", "scale 1", "scale 2", "middle", "dark spots", "bright spots"]
    assert list(found) == names
    assert all(map_.shape == (12, 14) for map_ in found.values())
    np.testing.assert_allclose(found["scale 1"], found["sum"])
    np.testing.assert_allclose(found["dark spots"], -found["bright spots"])
    probability = 1 / (1 + np.exp(-found["sum"]))
    np.testing.assert_allclose(found["sharp"], probability * np.abs(found["dark spots"]))


def test_a_model_of_one_scale_is_scored_once():
    maps = np.random.default_rng(1).random((12, 14, 3))
    found = Evidence(OneLabel(NAMES)).list_maps(explain(maps, maps[None]))
    assert "scale 1" not in found
