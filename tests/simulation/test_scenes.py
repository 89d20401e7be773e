import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from mscam_tf.simulation import CARRIERS, TARGETS, simulate_scene
from mscam_tf.simulation.scenes import Odds


@pytest.fixture(scope="module")
def scenes():
    return [simulate_scene((64, 64), np.random.default_rng([0, seed])) for seed in range(150)]


def test_every_carrier_and_every_target_occurs(scenes):
    assert {scene.carrier for scene in scenes} == set(CARRIERS)
    assert np.sum([scene.targets for scene in scenes], axis=0).min() > 0
    empty = np.mean([not scene.masks for scene in scenes])
    assert 0.3 < empty < 0.7


def test_images_are_in_range(scenes):
    for scene in scenes:
        assert scene.image.shape == (64, 64)
        assert scene.image.dtype == np.float32
        assert 0 <= scene.image.min() <= scene.image.max() <= 1


def test_masks_and_targets_agree(scenes):
    for scene in scenes:
        assert scene.targets.tolist() == [float(name in scene.masks) for name in TARGETS]
        assert all(mask.sum() >= 4 for mask in scene.masks.values())
        sizes = [mask for name, mask in scene.masks.items() if name.startswith("bone_")]
        assert bool(sizes) == ("bone" in scene.masks)
        if sizes:
            assert np.array_equal(np.any(sizes, axis=0), scene.masks["bone"])


def test_objects_change_what_is_seen(scenes):
    """Dense things are brighter than their surroundings, voids darker, in most scenes."""

    def contrast(prefix):
        values = []
        for scene in scenes:
            for name, mask in scene.masks.items():
                if name.startswith(prefix) and mask.mean() < 0.3:
                    beside = scene.image[~mask].mean()
                    values.append((scene.image[mask].mean() - beside) / scene.image.std())
        return np.median(values)

    assert contrast("dense") > 0.3
    assert contrast("void") < -0.3


@pytest.mark.parametrize("carrier", CARRIERS)
def test_dense_things_are_bright_in_every_carrier(carrier):
    odds = Odds({carrier: 1.0}, {carrier: {"dense": 1.0}}, empty=0.0)
    brighter = []
    for seed in range(40):
        scene = simulate_scene((64, 64), np.random.default_rng([1, seed]), odds)
        mask = np.any(list(scene.masks.values()), axis=0)
        around = binary_dilation(mask, iterations=3) & ~binary_dilation(mask)
        if mask.any() and around.any():
            brighter.append(scene.image[mask].mean() > scene.image[around].mean())
    # One in ten scenes is inverted, and the faintest objects drown in noise.
    assert np.mean(brighter) > 0.7


def test_same_state_same_scene():
    first, second = (simulate_scene((64, 64), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert first.masks.keys() == second.masks.keys()
