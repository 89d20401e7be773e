import numpy as np
import pytest

from mscam_tf.training import make_split_dataset
from mscam_tf.training.features import FeatureReader, Features
from mscam_tf.training.objective import HeadObjective, build_head_model
from tests.training.conftest import build_classifier


@pytest.mark.parametrize("pooling", ["mean", "soft"])
@pytest.mark.parametrize("model", ["multi", "single"])
def test_heads_say_of_features_what_the_classifier_says_of_images(
    heads_run, few_images, pooling, model
):
    classifier = build_classifier(pooling, model)
    part = few_images.select("validation")
    found = FeatureReader(classifier, heads_run).read(part)
    logits = build_head_model(classifier).predict_on_batch(
        [x.astype("float32") for x in found.maps]
    )
    expected = classifier.predict(make_split_dataset(heads_run, part), verbose=0)
    np.testing.assert_allclose(logits, expected, rtol=5e-3, atol=5e-3)
    np.testing.assert_array_equal(found.labels, heads_run.task.encode(part))
    side = 1 if pooling == "mean" else 4
    assert found.maps[-1].shape == (len(part.samples), side, side, 8)


def test_the_minimum_is_that_of_a_ridge_regression(heads_run):
    """With a strong pull the way from the start is minus the slope over the strength."""
    classifier = build_classifier("mean", "single")
    objective = HeadObjective(classifier, heads_run, {0: 1.0, 1: 3.0}, 0.0)
    generator = np.random.default_rng(0)
    maps = generator.normal(size=(6, 1, 1, 8)).astype("float16")
    labels = np.array([0, 1, 0, 1, 1, 0], np.int32)
    start = objective.get()
    kernel, bias = start[:16].reshape(8, 2), start[16:]
    x = maps.reshape(6, 8).astype(float)
    z = x @ kernel + bias
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    slope = (p - np.eye(2)[labels]) * np.where(labels, 3, 1)[:, None] / 6
    found = objective.minimize(Features([maps], labels), 1e4, start, start)
    away = np.concatenate([(x.T @ slope).ravel(), slope.sum(0)]) / -1e4
    np.testing.assert_allclose(found - start, away, rtol=1e-2, atol=1e-7)


def test_a_relevance_stays_within_its_bounds(heads_run):
    classifier = build_classifier("soft")
    objective = HeadObjective(classifier, heads_run, None, 0.0)
    shapes = [(16, 16, 4), (8, 8, 6), (4, 4, 8)]
    generator = np.random.default_rng(0)
    maps = [generator.random((8, *shape)).astype("float16") for shape in shapes]
    labels = np.arange(8, dtype=np.int32) % 2
    start = objective.get()
    for away in (1.0, -1.0):
        objective.minimize(Features(maps, labels), 1e-6, start, start + away * 1e-3)
        relevance = classifier.get_layer("relevance").get_relevance()
        assert relevance.min() >= 0
        assert relevance.max() <= 1
