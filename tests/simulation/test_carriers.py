import numpy as np
import pytest

from mscam_tf.simulation import CARRIERS
from mscam_tf.simulation.carriers import draw_carrier
from mscam_tf.simulation.materials import MATERIALS, transmit


@pytest.mark.parametrize("kind", CARRIERS)
def test_carriers_let_some_radiation_through(kind):
    for seed in range(6):
        carrier = draw_carrier(kind, (64, 96), 0.25, 0.5, np.random.default_rng(seed))
        assert set(carrier) <= set(MATERIALS)
        for thickness in carrier.values():
            assert thickness.shape == (64, 96)
            assert thickness.dtype == np.float32
            assert thickness.min() >= -1e-6
        depth = -np.log(transmit(carrier))
        assert 0.05 < depth.max() < 6
        assert depth.std() > 0


@pytest.mark.parametrize("kind", CARRIERS)
def test_same_seed_same_carrier(kind):
    first, second = (
        draw_carrier(kind, (64, 64), 0.25, 0.5, np.random.default_rng(3)) for _ in range(2)
    )
    assert all(np.array_equal(first[name], second[name]) for name in first)
