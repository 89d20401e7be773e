import numpy as np
import pytest

import mscam_tf
from mscam_tf.runs import describe_logit


@pytest.fixture(scope="module")
def explanations(finished_run, image_folder):
    return list(mscam_tf.explain(finished_run, sorted(image_folder.glob("wide/*"))[:9]))


def test_one_explanation_an_image_in_order(explanations, image_folder):
    assert [e.path for e in explanations] == sorted(image_folder.glob("wide/*"))[:9]
    assert explanations[0].image.shape == (64, 64)


def test_scales_add_up_to_map_and_logit(explanations):
    for e in explanations:
        np.testing.assert_allclose(e.scale_maps.sum(0), e.maps, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(e.maps.mean((0, 1)), e.contributions.sum(0), atol=1e-4)
        np.testing.assert_allclose(
            np.exp(e.logits) / np.exp(e.logits).sum(), e.probabilities, rtol=1e-4
        )


def test_flips(explanations, finished_run):
    (found,) = mscam_tf.explain(finished_run, [explanations[0].path], flips=True)
    np.testing.assert_allclose(found.scale_maps.sum(0), found.maps, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.maps.mean((0, 1)), found.contributions.sum(0), atol=1e-4)
    assert not np.allclose(found.maps, explanations[0].maps, atol=1e-3)


def test_in_words_by_hand():
    words = describe_logit("bone", -1.25, np.array([-2.0, 0.5]))
    assert words == "logit of bone = -1.25 = -2.00 from scale 1 + 0.50 from scale 2 + 0.25 bias"
    words = describe_logit("none", 1.0, np.array([1.5, -0.5, 0.25]))
    assert words.endswith("1.50 from scale 1 - 0.50 from scale 2 + 0.25 from scale 3 - 0.25 bias")


def test_no_images(finished_run):
    with pytest.raises(ValueError, match="at least one image"):
        mscam_tf.explain(finished_run, [])
    with pytest.raises(ValueError, match="at least one image"):
        mscam_tf.write_explanations(finished_run, [], "nowhere")
