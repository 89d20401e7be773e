import math
from dataclasses import replace

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import RunError, TrainConfig, read_manifest
from mscam_tf.runs import create_run
from mscam_tf.training import features as features_module
from mscam_tf.training import make_split_dataset
from mscam_tf.training.features import FeatureReader, Features
from mscam_tf.training.heads import _Objective, build_head_model, choose_strength, fit_heads
from tests.conftest import make_backbone, randomize, write_images

CONFIG = TrainConfig(backbone="TinyNet", image_size=(32, 32), batch_size=8, tune="heads")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = write_images(tmp_path_factory.mktemp("data"), {"none": 20, "wide": 20}, (32, 32))
    return mscam_tf.split_manifest(read_manifest(folder))


@pytest.fixture
def run(manifest, tmp_path):
    return create_run(tmp_path / "run", CONFIG, manifest.class_names, str(manifest.root))


def build(pooling, model="multi"):
    make = {
        "multi": mscam_tf.build_multiscale_classifier,
        "single": mscam_tf.build_single_scale_classifier,
    }[model]
    classifier = make(2, (32, 32), backbone=make_backbone(), pooling=pooling)
    return randomize(classifier)


@pytest.mark.parametrize("pooling", ["mean", "soft"])
@pytest.mark.parametrize("model", ["multi", "single"])
def test_heads_say_of_features_what_the_classifier_says_of_images(run, manifest, pooling, model):
    classifier = build(pooling, model)
    part = manifest.select("validation")
    found = FeatureReader(classifier, run).read(part)
    logits = build_head_model(classifier).predict_on_batch(
        [x.astype("float32") for x in found.maps]
    )
    expected = classifier.predict(make_split_dataset(run, part), verbose=0)
    np.testing.assert_allclose(logits, expected, rtol=5e-3, atol=5e-3)
    np.testing.assert_array_equal(found.labels, run.task.encode(part))
    side = 1 if pooling == "mean" else 4
    assert found.maps[-1].shape == (len(part.samples), side, side, 8)


def test_views_differ_and_are_the_same_each_time(run, manifest):
    part, reader = manifest.select("validation"), FeatureReader(build("mean"), run)
    count = len(part.samples)
    found, again = reader.read(part, views=2), reader.read(part, views=2)
    assert len(found.labels) == 2 * count
    np.testing.assert_array_equal(found.maps[0], again.maps[0])
    first, second = found.maps[0][:count], found.maps[0][count:]
    assert not np.allclose(np.sort(first.ravel()), np.sort(second.ravel()))


def test_memory_takes_views_first_and_then_images(run, manifest, monkeypatch):
    part, reader = manifest.select("train"), FeatureReader(build("soft"), run)
    one = 2 * (16 * 16 * 4 + 8 * 8 * 6 + 4 * 4 * 8)  # Bytes of the maps of a view.
    for images, expected in ((200, (28, 4)), (60, (28, 2)), (28, (28, 1)), (10, (10, 1))):
        monkeypatch.setattr(features_module, "_BYTES", one * images)
        chosen, views = reader.choose(part, 4)
        assert (len(chosen.samples), views) == expected
    assert [sample.label for sample in chosen.samples].count("wide") == 5


def test_the_strongest_pull_that_is_not_clearly_worse_is_chosen():
    clear = np.array([[0.9, 0.9, 0.8], [0.5, 0.6, 0.7], [0.1, 0.2, 0.3]])
    assert choose_strength(clear) == 2
    # One image alone is better by much: the standard error is 0.3, and so is the difference.
    assert choose_strength(np.array([[0.9, 0.1, 0.1], [0.0, 0.1, 0.1]])) == 0
    assert choose_strength(np.array([[0.14], [0.1]])) == 0  # Of one image there is no error.
    assert choose_strength(np.array([[0.16], [0.1]])) == 1


def test_the_minimum_is_that_of_a_ridge_regression(run):
    """With a strong pull the way from the start is minus the slope over the strength."""
    classifier = build("mean", "single")
    objective = _Objective(classifier, run, {0: 1.0, 1: 3.0}, 0.0)
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


def test_a_relevance_stays_within_its_bounds(run):
    classifier = build("soft")
    objective = _Objective(classifier, run, None, 0.0)
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


def test_only_heads_change_and_the_loss_falls(run, manifest):
    classifier = mscam_tf.build_multiscale_classifier(
        2, (32, 32), backbone="TinyNet", pooling="soft"
    )
    before = {v.path: keras.ops.convert_to_numpy(v) for v in classifier.variables}
    train = manifest.select("train")
    fit = fit_heads(classifier, run, train, train)
    changed = {v.path for v in classifier.variables if not np.array_equal(v, before[v.path])}
    assert changed
    assert all(path.startswith(("scale", "relevance")) for path in changed)
    assert fit.strengths[0] == math.inf
    assert fit.loss < fit.losses[0]
    assert (fit.images, fit.views) == (28, 4)


def test_losses_that_are_no_numbers_are_refused(run, manifest):
    classifier = build("soft")
    kernel = classifier.get_layer("scale1_maps").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(RunError, match=r"heads cannot be fitted.*--tune all\. Received: losses="):
        fit_heads(classifier, run, manifest.select("train"), manifest.select("validation"))


def test_findings_and_deep_supervision(findings_folder, tmp_path):
    manifest = read_manifest(findings_folder)
    config = replace(CONFIG, several=True, deep_supervision=0.5)
    run = mscam_tf.train(manifest, tmp_path / "run", config)
    assert run.load_model().output_shape == (None, len(run.class_names))
