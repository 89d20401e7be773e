from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mscam_tf
from mscam_tf import MscamError, ReadOptions
from mscam_tf.models import load_pretrained
from mscam_tf.runs import names_pretrained
from mscam_tf.simulation import TARGETS, simulate_scene


def test_it_knows_the_pretrained_targets_as_findings():
    run = mscam_tf.open_pretrained((64, 96), ReadOptions(invert=True))
    assert run.task.class_names == list(TARGETS)
    assert run.task.activation == "sigmoid"
    assert run.image_size == (64, 96)
    assert run.config.read.invert
    low, high = run.read_value_range()
    assert -15 < low < 0 < high < 15


def test_it_explains_as_the_pretrained_classifier_does(tmp_path):
    images = [simulate_scene((64, 64), np.random.default_rng(seed)).image for seed in (1, 2)]
    paths = [tmp_path / f"{number}.npy" for number in range(2)]
    for path, image in zip(paths, images, strict=True):
        np.save(path, image)
    found = list(mscam_tf.explain(mscam_tf.open_pretrained((64, 64)), paths))
    model = mscam_tf.build_pretrained_classifier((64, 64))
    expected = model.predict(np.stack(images)[..., None], verbose=0)
    np.testing.assert_allclose([one.logits for one in found], expected, rtol=1e-3, atol=1e-3)
    probabilities = 1 / (1 + np.exp(-expected))
    np.testing.assert_allclose([one.probabilities for one in found], probabilities, atol=1e-3)


def test_too_small_a_size_is_refused():
    with pytest.raises(MscamError, match=r"`image_size` must be .*at least 32 and.*Received: .*16"):
        mscam_tf.open_pretrained((16, 64))


def test_weights_without_a_range_are_named(monkeypatch):
    without = replace(load_pretrained(), display=None)
    run = mscam_tf.open_pretrained()
    monkeypatch.setattr("mscam_tf.runs.pretrained.load_pretrained", lambda: without)
    with pytest.raises(mscam_tf.RunError, match=r"no range of the maps.*Received: display=None"):
        run.read_value_range()


def test_a_run_folder_of_that_name_comes_first(tmp_path, monkeypatch, caplog, finished_run):
    monkeypatch.chdir(tmp_path)
    assert names_pretrained(Path("xray"))
    assert not names_pretrained(Path("xrays"))
    assert not names_pretrained(tmp_path / "xray")
    (tmp_path / "xray").mkdir()  # Such as one of images.
    assert names_pretrained(Path("xray"))
    assert not caplog.text
    config = (finished_run.folder / "config.json").read_bytes()
    (tmp_path / "xray" / "config.json").write_bytes(config)
    assert not names_pretrained(Path("xray"))
    assert "xray is taken for the run folder of that name" in caplog.text
