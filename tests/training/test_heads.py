import math
from dataclasses import replace

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import RunError, read_manifest
from mscam_tf.training.heads import choose_strength, fit_heads
from tests.training.conftest import CONFIG, build_classifier


def test_the_strongest_pull_that_is_not_clearly_worse_is_chosen():
    clear = np.array([[0.9, 0.9, 0.8], [0.5, 0.6, 0.7], [0.1, 0.2, 0.3]])
    assert choose_strength(clear) == 2
    # One image alone is better by much: the standard error is 0.3, and so is the difference.
    assert choose_strength(np.array([[0.9, 0.1, 0.1], [0.0, 0.1, 0.1]])) == 0
    assert choose_strength(np.array([[0.19], [0.1]])) == 0  # Of one image there is no error.
    assert choose_strength(np.array([[0.21], [0.1]])) == 1


def test_the_more_images_the_less_a_strength_may_be_worse():
    small = np.array([[0.04], [0.02], [0.0]])
    assert choose_strength(np.repeat(small, 2, axis=1)) == 0
    assert choose_strength(np.repeat(small, 4, axis=1)) == 1  # By 0.1 / 4 at most.
    assert choose_strength(np.repeat(small, 8, axis=1)) == 2


def test_only_heads_change_and_the_loss_falls(heads_run, few_images):
    classifier = mscam_tf.build_multiscale_classifier(
        2, (32, 32), backbone="TinyNet", pooling="soft"
    )
    before = {v.path: keras.ops.convert_to_numpy(v) for v in classifier.variables}
    train = few_images.select("train")
    fit = fit_heads(classifier, heads_run, train, train)
    changed = {v.path for v in classifier.variables if not np.array_equal(v, before[v.path])}
    assert changed
    assert all(path.startswith(("scale", "relevance")) for path in changed)
    assert fit.strengths[0] == math.inf
    assert fit.loss < fit.losses[0]
    assert (fit.images, fit.views) == (28, 4)


def test_losses_that_are_no_numbers_are_refused(heads_run, few_images):
    classifier = build_classifier("soft")
    kernel = classifier.get_layer("scale1_maps").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(RunError, match=r"heads cannot be fitted.*--tune all\. Received: losses="):
        fit_heads(
            classifier, heads_run, few_images.select("train"), few_images.select("validation")
        )


def test_findings_and_deep_supervision(findings_folder, tmp_path):
    manifest = read_manifest(findings_folder)
    config = replace(CONFIG, several=True, deep_supervision=0.5)
    run = mscam_tf.train(manifest, tmp_path / "run", config)
    assert run.load_model().output_shape == (None, len(run.class_names))
