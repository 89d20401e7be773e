import shutil

import numpy as np
import pytest

from tests.cli.command import call
from tests.conftest import write_images
from tests.datasets.fakes import write_fishbones


def test_evaluate(finished_run, image_folder, tmp_path):
    text = call("evaluate", finished_run.folder, image_folder, "--out", tmp_path / "scores")
    assert "accuracy" in text
    assert (tmp_path / "scores" / "confusion.png").exists()


def test_data_sets_of_tfds(tmp_path, monkeypatch):
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path))
    manual = write_fishbones(tmp_path / "downloads" / "manual")
    run, data = tmp_path / "run", "tfds:gdxray_fishbones"
    options = ("--backbone", "TinyNet", "--epochs", 1, "--image-size", 64, 64)
    text = call("train", data, "--out", run, *options)
    assert f"mscam evaluate {run} {data}" in text
    assert "4 images (test)" in call("evaluate", run, data)
    assert "gdxray_welds/films" in call("evaluate", run, "tfds:bones", status=1)
    shutil.rmtree(manual)
    text = call("train", "tfds:gdxray_welds", "--out", tmp_path / "welds", status=1)
    assert "Welds/W0001/ground_truth.txt" in text


@pytest.mark.parametrize("name", ["missing", "broken"])
def test_what_is_no_run_is_named(finished_run, image_folder, tmp_path, name):
    message = "no config.json"
    if name == "broken":
        message = "not a readable Keras model"
        (tmp_path / name).mkdir()
        shutil.copy(finished_run.folder / "config.json", tmp_path / name)
        (tmp_path / name / "model.keras").write_bytes(b"no model")
    text = call("evaluate", tmp_path / name, image_folder, "--split", "all", status=1)
    assert message in text
    assert "Traceback" not in text


def test_the_bound_without_an_error_counts_groups(finished_run, tmp_path, monkeypatch):
    """Images of one film are alike: they bound the error as one image does."""

    def activate(logits):
        return np.eye(2)[np.zeros(len(logits), int)]

    folder = write_images(tmp_path / "images", {"none": 12})
    monkeypatch.setattr(type(finished_run.task), "activate", staticmethod(activate))
    rows = [f"none/none{i}.png,none,film {i % 4}" for i in range(12)]
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(["path,label,group", *rows]))
    args = ("evaluate", finished_run.folder, manifest, "--split", "all", "--out", tmp_path / "out")
    assert "75.0% (3 / n, with n = 4 groups)" in call(*args)
    manifest.write_text("\n".join(["path,label", *(r.rsplit(",", 1)[0] for r in rows)]))
    assert "25.0% (3 / n, with n = 12 images)" in call(*args)
