import numpy as np

from mscam_tf.simulation.defects import Spot
from mscam_tf.simulation.marks import draw_blemishes, draw_inserts


def _rate(found):
    return np.mean([one is not None for one in found])


def test_inserts_are_dense_and_rare():
    spot = Spot((48.0, 48.0), 0.0)
    drawn = [draw_inserts((96, 96), spot, np.random.default_rng(seed)) for seed in range(200)]
    assert 0.12 < _rate(drawn) < 0.34  # 1 - 0.88^2 = 0.23
    assert all(one.min() >= 0 and one.shape == (96, 96) for one in drawn if one is not None)


def test_blemishes_are_of_either_sign():
    drawn = [draw_blemishes((96, 96), np.random.default_rng(seed)) for seed in range(200)]
    assert 0.37 < _rate(drawn) < 0.6  # 1 - 0.8^2 0.9^2 = 0.48
    there = [one for one in drawn if one is not None]
    assert min(one.min() for one in there) < -0.02
    assert max(one.max() for one in there) > 0.02
    assert all(np.isfinite(one).all() and one.shape == (96, 96) for one in there)
