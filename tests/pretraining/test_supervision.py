import numpy as np
import pytest

from mscam_tf.pretraining.supervision import make_map_targets

pytestmark = pytest.mark.backends


def test_map_targets_by_hand():
    coverage = np.zeros((1, 4, 4, 1), np.float32)
    coverage[0, 0, 0], coverage[0, 0, 1] = 1.0, 0.44
    targets = make_map_targets(coverage)
    assert targets["maps"][0, 0, :2, 0] == pytest.approx([1.0, np.sqrt(0.44)])
    # The mean of four cells is 0.36, and of sixteen 0.09.
    assert targets["scale2_maps"][0, 0, 0, 0] == pytest.approx(0.6)
    assert targets["scale3_maps"][0, 0, 0, 0] == pytest.approx(0.3)
