from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from mscam_tf.simulation import CARRIERS, TARGETS, simulate_scene
from mscam_tf.simulation.exposure import Tone, draw_exposure
from mscam_tf.simulation.scenes import Odds, sort_shadows
from mscam_tf.simulation.things import Shadow


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
    odds = Odds({carrier: 1.0}, {carrier: {"dense": 1.0}}, empty={})
    brighter = []
    for seed in range(100):
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


def test_some_objects_are_hidden_and_are_no_targets(scenes):
    hidden = [scene for scene in scenes if scene.hidden and not scene.masks]
    assert hidden
    assert all(scene.targets.max() == 0 for scene in hidden)
    assert np.mean([bool(scene.masks) for scene in scenes]) > 0.4


def test_what_is_clipped_is_hidden():
    """One void of contrast 0.3 in a wall of depth 1: seen, unless the white end begins at 0.5."""
    depth = np.ones((48, 48), np.float32)
    depth += 0.01 * np.random.default_rng(0).standard_normal((48, 48), dtype=np.float32)
    void = np.full((6, 6), -0.3, np.float32)
    depth[20:26, 20:26] += void
    shadow = Shadow(("void_large",), (slice(20, 26),) * 2, np.ones((6, 6), bool), void, 6.0)
    exposure = draw_exposure((48, 48), False, np.random.default_rng(0))
    tone = Tone(depth, replace(exposure, quality=None, headroom=1.0, inverted=False))
    for span, seen in ((1.2, True), (0.5, False)):
        tone.span = span
        masks, hidden = sort_shadows([shadow], depth, tone(depth), tone, exposure)
        assert (bool(masks), bool(hidden)) == (seen, not seen)
