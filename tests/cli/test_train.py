import errno
import os
import shutil
from pathlib import Path

import pytest

from mscam_tf import Box, ReadOptions, open_run
from mscam_tf.data.manifests import export_boxes
from tests.cli.command import call
from tests.training.marked import write_marked


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


def test_a_training_that_was_stopped_goes_on(image_folder, tmp_path, monkeypatch):
    run = tmp_path / "run"
    options = ("--backbone", "TinyNet", "--epochs", 2, "--image-size", "32x32")

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("mscam_tf.training.trainer.finish", stop)
    call("train", image_folder, "--out", run, *options, status=130)
    monkeypatch.undo()
    text = call("train", image_folder, "--out", run, *options, status=1)
    assert "--resume (resume=True) to go on with it" in text
    text = call("train", image_folder, "--out", run, "--resume", "--epochs", 3, status=1)
    assert "Expected: {'epochs': 2}. Received: {'epochs': 3}" in text
    # The settings are known: only those that are given are compared.
    call("train", image_folder, "--out", run, "--resume", "--epochs", 2)
    assert open_run(run).config.backbone == "TinyNet"
    assert (run / "history.png").exists()
    call("train", image_folder, "--out", run, "--resume")


def test_a_run_without_room_for_its_picture_is_finished(image_folder, tmp_path, monkeypatch):
    run, write = tmp_path / "run", Path.replace

    def fail(path, target):
        if Path(target).suffix == ".png":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    options = ("--backbone", "TinyNet", "--epochs", 1, "--image-size", "32x32")
    text = call("train", image_folder, "--out", run, *options, status=1)
    assert "is finished but for its picture, which the same command with --resume draws" in text
    assert "history.png cannot be written" in text
    assert "No space left on device" in text
    monkeypatch.undo()
    call("train", image_folder, "--out", run, "--resume")
    assert (run / "history.png").exists()


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


def test_boxes_that_the_maps_learned_from_are_said(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_marked(folder, 12)
    options = ("--backbone", "TinyNet", "--epochs", 1, "--batch-size", 8)
    text = call("train", folder, "--out", tmp_path / "run", *options)
    assert "learned from masks or boxes" in text
    assert "marks.csv" in text
    labels = ("--map-weight", 0, "--out", tmp_path / "labels", *options)
    assert "masks or boxes" not in call("train", folder, *labels)


def test_train_takes_the_boxes_of_a_labelling_tool(image_folder, tmp_path):
    images = sorted(image_folder.glob("wide/*.png"))
    sizes = {f"wide/{path.name}": (40, 40) for path in images}
    boxes = {path: [Box(10, 5, 22, 30, "wide")] for path in sizes}
    export_boxes(boxes, sizes, tmp_path / "boxes.json", "coco")
    run = tmp_path / "run"
    options = ["--backbone", "TinyNet", "--epochs", 1, "--image-size", 32, "--out", run]
    text = call("train", image_folder, "--boxes", tmp_path / "boxes.json", *options)
    assert "The maps learned from masks or boxes" in text
    assert len((run / "marks.csv").read_text().splitlines()) == 1 + len(images)
