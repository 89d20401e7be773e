import shutil

import pytest

from mscam_tf import ReadOptions, open_run
from tests.cli.command import call


def test_train_shows_progress_and_draws_curves(image_folder, tmp_path):
    run = tmp_path / "run"
    options = ("--backbone", "TinyNet", "--epochs", 1, "--image-size", 64, 64)
    assert "epoch 1/1: loss" in call("train", image_folder, "--out", run, *options)
    assert (run / "history.png").exists()
    assert "--overwrite" in call("train", image_folder, "--out", run, status=1)


def test_train_reads_as_it_is_told_and_skips_bad_images(image_folder, tmp_path):
    data = shutil.copytree(image_folder, tmp_path / "data")
    (data / "none" / "bad.png").write_bytes(b"broken")
    options = ["--backbone", "TinyNet", "--epochs", 1, "--image-size", 32, "--invert"]
    options += ["--window", 0, 300.5, "--max-pixels", 5000]
    text = call("train", data, "--out", tmp_path / "run", *options, status=1)
    assert "bad.png" in text
    assert "--skip-bad" in text
    text = call("train", data, "--out", tmp_path / "run", *options, "--skip-bad")
    assert "skipped.csv" in text
    config = open_run(tmp_path / "run").config
    assert config.image_size == (32, 32)
    assert config.read == ReadOptions(window=(0, 300.5), invert=True, max_pixels=5000)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("missing", [], "DATA must be a folder"),
        (None, ["--model", "x"], "`model` must be"),
        (None, ["--backbone", "DenseNet12"], "Did you mean 'DenseNet121'?"),
        (None, ["--weights", "imagnet"], "Did you mean 'imagenet'?"),
        (None, ["--learning-rate", "nan"], "`learning_rate` must be a number above 0"),
        (
            None,
            ["--window", 0, 1, "--window-percentiles", 1, 99],
            "Give --window or --window-percentiles",
        ),
    ],
)
def test_errors_are_one_message_and_status_1(image_folder, tmp_path, data, options, message):
    data = tmp_path / data if data else image_folder
    text = call("train", data, "--out", tmp_path / "run", *options, status=1)
    assert message in text
    assert "Traceback" not in text
    assert not (tmp_path / "run").exists()
