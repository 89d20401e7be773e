import numpy as np
import pytest

from mscam_tf.simulation import TARGETS
from mscam_tf.simulation.defects import DEFECTS, Spot, find_spot


@pytest.mark.parametrize("kind", DEFECTS)
def test_defects_lie_at_their_spot_and_have_a_target(kind):
    spot = Spot((60.0, 30.0), 0.3)
    for seed in range(30):
        found = DEFECTS[kind]((96, 96), spot, np.random.default_rng(seed))
        assert 1 <= len(found) <= 42
        for defect in found:
            assert defect.target in TARGETS
            assert 0 < defect.contrast < 3
            assert 0.5 < defect.shape.diameter <= 40
            assert (defect.material is None) == (kind != "tungsten")


def test_spots_lie_on_the_seam_and_know_its_direction():
    """A seam along the rows of the middle: more than its share of the spots, and level."""
    rows = np.arange(96, dtype=np.float32)[:, None]
    thickness = np.broadcast_to(np.exp(-(((rows - 48) / 12) ** 2)), (96, 96))
    spots = [find_spot(thickness, np.random.default_rng(seed)) for seed in range(200)]
    assert np.mean([abs(spot.center[0] - 48) < 16 for spot in spots]) > 0.6
    assert np.mean([abs(np.sin(spot.angle)) < 0.01 for spot in spots]) > 0.6
