import numpy as np
import pytest
from keras import ops

from mscam_tf.pretraining.supervision import make_map_targets, measure_asked

pytestmark = pytest.mark.backends


def test_map_targets_by_hand():
    coverage, hidden = np.zeros((2, 1, 4, 4, 1), np.float32)
    coverage[0, 0, 0], coverage[0, 0, 1] = 1.0, 0.44
    targets = make_map_targets(coverage, hidden, scales=3)
    assert targets["maps"][0, 0, :2, 0] == pytest.approx([1.0, np.sqrt(0.44)])
    # The mean of four cells is 0.36, and of sixteen 0.09.
    assert targets["scale2_maps"][0, 0, 0, 0] == pytest.approx(0.6)
    assert targets["scale3_maps"][0, 0, 0, 0] == pytest.approx(0.3)
    assert set(targets) == {"maps", "scale1_maps", "scale2_maps", "scale3_maps"}


def test_cells_where_something_is_hidden_and_nothing_is_seen_are_not_asked_for():
    coverage, hidden = np.zeros((2, 1, 4, 4, 1), np.float32)
    coverage[0, 0, 0], hidden[0, 0, 0] = 0.25, 1.0
    hidden[0, 3, 3] = 0.1
    targets = make_map_targets(coverage, hidden, scales=3)
    for name in ("maps", "scale1_maps"):
        assert targets[name][0, 0, 0, 0] == 0.5
        assert targets[name][0, 3, 3, 0] == -1
        assert np.count_nonzero(targets[name]) == 2
    assert targets["scale2_maps"][0, ..., 0].tolist() == [[0.25, 0.0], [0.0, -1.0]]
    assert targets["scale3_maps"].item() == 0.125


def test_the_loss_by_hand():
    logits = ops.full((3, 1, 2, 1), np.log(3))  # A probability of 3 / 4.
    target = np.array([[1, 1], [0, 0], [0, -1]], np.float32).reshape(3, 1, 2, 1)
    found = ops.convert_to_numpy(measure_asked(target, logits))
    assert found == pytest.approx([4 * np.log(4 / 3), np.log(4), np.log(4) / 2], rel=1e-5)
