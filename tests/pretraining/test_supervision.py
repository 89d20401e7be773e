import numpy as np
import pytest
from keras import ops

from mscam_tf.pretraining.supervision import (
    MapCalibration,
    make_map_targets,
    weighted_cross_entropy,
)
from tests.harness import check_layer

pytestmark = pytest.mark.backends


def test_map_targets_by_hand():
    coverage = np.zeros((1, 4, 4, 1), np.float32)
    coverage[0, 0, 0], coverage[0, 0, 1] = 1.0, 0.44
    targets = make_map_targets(coverage, scales=3)
    assert targets["maps"][0, 0, :2, 0] == pytest.approx([1.0, np.sqrt(0.44)])
    # The mean of four cells is 0.36, and of sixteen 0.09.
    assert targets["scale2_maps"][0, 0, 0, 0] == pytest.approx(0.6)
    assert targets["scale3_maps"][0, 0, 0, 0] == pytest.approx(0.3)


def test_objects_weigh_four_times():
    logits = ops.full((2, 1, 1, 1), np.log(3))  # A probability of 3 / 4.
    target = ops.reshape(ops.array([1.0, 0.0]), (2, 1, 1, 1))
    found = ops.convert_to_numpy(weighted_cross_entropy(target, logits))
    assert found == pytest.approx([4 * np.log(4 / 3), np.log(4)], rel=1e-5)


def test_calibration_by_hand():
    maps = np.array([[2.0, -1.0]], np.float32).reshape(1, 1, 1, 2)
    found = ops.convert_to_numpy(MapCalibration()(maps))
    gain = np.log1p(np.e)  # Softplus of 1.
    np.testing.assert_allclose(found.ravel(), [2 * gain - 3, -gain - 3], rtol=1e-6)


def test_calibration_stands_what_every_layer_must(tmp_path):
    maps = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("float32")
    check_layer(lambda: MapCalibration(name="log_odds"), maps, tmp_path, trainable=2)
