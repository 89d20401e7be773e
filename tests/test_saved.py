"""What a version wrote is read for ever: a run, a classifier and pretrained weights of 0.1.0, a
reference for drift of 0.4.0, and an operating point from before they had a format number."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf.drift import FEATURES, measure_image, read_reference
from mscam_tf.models import read_pretrained
from mscam_tf.runs import read_operating_point, write_operating_point

SAVED = Path(__file__).parent / "saved"


@pytest.fixture(scope="module")
def expected():
    with np.load(SAVED / "expected.npz") as file:
        return {name: file[name] for name in file.files}


def load_run():
    return mscam_tf.open_run(SAVED / "run").load_model()


def load_classifier():
    return keras.saving.load_model(SAVED / "classifier.keras")


def load_weights():
    pretrained = read_pretrained(SAVED / "weights.npz")
    return mscam_tf.build_pretrained_classifier((64, 64), pretrained)


@pytest.mark.parametrize(
    ("name", "load"),
    [("run", load_run), ("classifier", load_classifier), ("weights", load_weights)],
)
def test_logits_and_maps_are_what_they_were(expected, name, load):
    model, images = load(), expected["images"].astype(np.float32)
    activation = "sigmoid" if name == "weights" else "softmax"
    found = mscam_tf.build_explainer(model, activation=activation).predict(images, verbose=0)
    logits = model.predict(images, verbose=0)
    np.testing.assert_allclose(logits, expected[f"{name}_logits"], atol=1e-4)
    np.testing.assert_allclose(found["logits"], logits, atol=1e-4)
    np.testing.assert_allclose(found["maps"][:, ::8, ::8], expected[f"{name}_maps"], atol=1e-4)


def test_the_settings_are_what_they_were():
    run = mscam_tf.open_run(SAVED / "run")
    assert "format" not in json.loads((SAVED / "run" / "config.json").read_text())
    assert (run.config.backbone, run.config.image_size, run.config.seed) == ("TinyNet", (64, 64), 3)
    assert run.class_names == ["none", "wide"]
    assert run.read_value_range()[0] < run.read_value_range()[1]


@pytest.mark.parametrize("number", [3, -1, "new", None, 1.5])
def test_a_newer_run_is_refused(tmp_path, number):
    shutil.copytree(SAVED / "run", tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    path.write_text(json.dumps({"format": number, **json.loads(path.read_text())}))
    with pytest.raises(mscam_tf.RunError, match=r"install a newer version.*up to 2\. Received: "):
        mscam_tf.open_run(tmp_path / "run")


def test_a_run_without_read_options_has_the_default(tmp_path):
    path = tmp_path / "config.json"
    values = json.loads((SAVED / "run" / "config.json").read_text())
    del values["config"]["read"]
    path.write_text(json.dumps(values))
    assert mscam_tf.open_run(tmp_path).config.read == mscam_tf.ReadOptions()


def test_a_reference_for_drift_is_what_it_was(tmp_path, expected):
    """Images that did not change would seem to drift, if a feature of them were another number."""
    for name in ("run/config.json", "drift.json"):
        shutil.copy(SAVED / name, tmp_path)
    reference = read_reference(mscam_tf.open_run(tmp_path))
    pair = expected["images"].astype(np.float32)
    images = np.stack([np.roll(pair[i % 2], i, axis=0) * (0.5 + i / 200) for i in range(99)])
    features = np.stack([measure_image(image) for image in images[..., 0]])
    for name, found, kept in zip(FEATURES, features.T, reference.features.T, strict=True):
        np.testing.assert_allclose(found, kept, atol=1e-4, err_msg=name)
    logits = load_run().predict(images, verbose=0)
    np.testing.assert_allclose(logits, reference.logits, atol=1e-4)


def test_an_operating_point_is_what_it_was(tmp_path):
    """Without a number it is the first format; it is written again with one."""
    for name in ("run/config.json", "operating_point.json"):
        shutil.copy(SAVED / name, tmp_path)
    run, path = mscam_tf.open_run(tmp_path), tmp_path / "operating_point.json"
    before = json.loads(path.read_text())
    assert "format" not in before
    point = read_operating_point(run)
    assert (point.decision_threshold, point.map_thresholds) == (0.625, {"wide": 1.375})
    assert (point.scale, point.minimum_area, point.good) == (1, 16.0, "none")
    assert point.record["false_rejects"]["groups"] == 100
    write_operating_point(run, point)
    assert json.loads(path.read_text()) == {"format": 1, **before}
    assert read_operating_point(run) == point
