import shutil

import pytest

from tests.cli.command import call
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
