import numpy as np
import pytest

from mscam_tf import MscamError
from mscam_tf.evaluation import Rate, count_groups
from mscam_tf.metrics import clopper_pearson

GROUPS = np.array(["fish1", "fish1", "fish2", "fish3", "fish3"])


def test_a_group_counts_if_any_of_its_images_does():
    rate = count_groups(np.array([True, True, False, False, True]), GROUPS)
    assert (rate.count, rate.groups, rate.images) == (2, 3, 3)
    assert rate.interval == clopper_pearson(2, 3)


def test_no_images_have_no_rate():
    assert count_groups(np.array([], bool), np.array([])) is None


def test_the_bound_is_an_upper_end_alone():
    values = Rate(0, 299, 0).to_json()
    assert values["bound"] == pytest.approx(0.00997, abs=1e-5)
    assert (values["low"], values["high"]) == (0, pytest.approx(0.012262, abs=1e-6))
    assert (values["count"], values["groups"], values["images"]) == (0, 299, 0)


def test_each_image_needs_a_group():
    with pytest.raises(MscamError, match=r"each of 2 images\. Received: 5"):
        count_groups(np.array([True, False]), GROUPS)
