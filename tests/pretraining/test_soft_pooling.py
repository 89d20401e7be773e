import numpy as np
import pytest

import mscam_tf
from mscam_tf.pretraining import PretrainConfig
from mscam_tf.pretraining.soft_pooling import fit_zero, pool_softly
from tests.conftest import randomize

pytestmark = pytest.mark.backends


def test_zero_is_even_odds():
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, 4000)
    targets = generator.random(4000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))
    # Even odds are where 0.5 t = 1.
    assert fit_zero(logits, targets) == pytest.approx(-2, abs=0.3)


@pytest.mark.parametrize("targets", [np.zeros(4), np.ones(4), np.array([1, 1, 0, 0])])
def test_what_tells_nothing_moves_nothing(targets):
    assert fit_zero(np.array([0.0, 1.0, 2.0, 3.0]), targets) == 0


@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("spread", [1e-9, 1e-3, 1.0, 1e4])
@pytest.mark.parametrize("seed", range(3))
def test_targets_that_logits_hardly_tell_give_small_offsets(share, spread, seed):
    """Where the gain is nearly zero, even odds would lie anywhere, beyond float16 too."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(2, spread, 2000)
    targets = (generator.random(2000) < share).astype(float)
    offset = fit_zero(logits, targets)
    assert logits.min() <= -offset <= logits.max() or offset == 0


def test_logits_that_are_all_alike_give_a_finite_offset():
    assert np.isfinite(fit_zero(np.full(10, 3.0), np.arange(10) % 2))


def test_maps_stay_and_zero_moves():
    config = PretrainConfig(backbone="TinyNet", image_size=(32, 32), scales=3, views=("global",))
    mean = randomize(mscam_tf.build_multiscale_classifier(2, (32, 32), backbone="TinyNet"))
    generator = np.random.default_rng(0)
    images = generator.random((40, 32, 32, 1), "float32")
    images[:20, 8:12] *= 3
    targets = np.repeat([[1, 0], [0, 1]], 20, axis=0)
    soft = pool_softly(mean, images, targets, config)
    before, after = (
        mscam_tf.build_explainer(model).predict(images, verbose=0) for model in (mean, soft)
    )
    np.testing.assert_allclose(after["maps"], before["maps"], rtol=1e-3, atol=1e-4)
    logits = soft.predict(images, verbose=0)
    for c in (0, 1):
        assert fit_zero(logits[:, c], targets[:, c]) == pytest.approx(0, abs=0.05)
