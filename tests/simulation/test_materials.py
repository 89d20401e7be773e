import numpy as np
import pytest

from mscam_tf.simulation.materials import MATERIALS, SPECTRUM, bone_thickness, transmit


def test_transmission_by_hand():
    # 2 cm of muscle: 0.3 exp(-0.794) + 0.45 exp(-0.564) + 0.25 exp(-0.476) = 0.5469;
    # 0.1 cm of bone beside them: 0.3 exp(-1.0496) + 0.45 exp(-0.6918) + 0.25 exp(-0.5574) = 0.4735.
    thickness = {"muscle": np.array([2.0, 2.0]), "bone": np.array([0.0, 0.1])}
    np.testing.assert_allclose(transmit(thickness), [0.5469, 0.4735], atol=1e-4)


def test_spectrum_is_complete():
    assert sum(SPECTRUM) == pytest.approx(1)
    assert all(len(values) == len(SPECTRUM) for values in MATERIALS.values())


@pytest.mark.parametrize("contrast", [0.01, 0.05])
def test_bone_in_place_of_muscle_has_the_contrast_asked_for(contrast):
    bone = np.array([0.0, bone_thickness(contrast)])
    depth = -np.log(transmit({"muscle": 2 - bone, "bone": bone}))
    # A hard spectrum's mean; behind 2 cm of muscle the beam is a little harder still.
    assert depth[1] - depth[0] == pytest.approx(contrast, rel=0.12)
