import csv
import json
import sys

import numpy as np
import pytest
from PIL import Image

from mscam_tf import Box, evaluation, write_boxes
from tests.cli.command import call


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    monkeypatch.setattr(sys.modules["mscam_tf.cli.locate"], "RESAMPLES", 20)


@pytest.fixture
def boxed(tmp_path):
    """Write noise with dark squares in boxes, and without."""
    generator = np.random.default_rng(0)
    boxes = {}
    for number in range(6):
        label = ("none", "wide")[number % 2]
        pixels = generator.integers(120, 130, (40, 40)).astype(np.uint8)
        if number % 2:
            pixels[10:16, 20:26] = 10
            boxes[f"{label}/{number}.png"] = [Box(20, 10, 26, 16)]
        path = tmp_path / "boxed" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    write_boxes(boxes, tmp_path / "boxed" / "boxes.csv")
    return tmp_path / "boxed"


def test_scores_of_maps_are_printed_and_kept(three_class_run, boxed, tmp_path):
    out = tmp_path / "out"
    options = ("--split", "all", "--thresholds", "5,9", "--class", "wide", "--out", out)
    text = call("locate", three_class_run.folder, boxed, *options)
    assert "6 images (all) of 6 groups, in %" in text
    assert "all sizes (3)" in text
    assert "5 to 9 px (3)" in text
    assert "dark spots" in text
    assert "by chance" in text
    with (out / "localization.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    dark = next(row for row in rows if (row["map"], row["size"]) == ("dark spots", "all"))
    assert dark["found"] == "1.000000"
    written = json.loads((out / "localization.json").read_text())
    assert written["split"] == "all"
    assert written["thresholds"] == [5, 9]
    assert (out / "free_response.png").exists()


def test_the_folder_is_one_in_the_run(three_class_run, boxed):
    call("locate", three_class_run.folder, boxed, "--split", "all")
    assert (three_class_run.folder / "localization" / "localization.csv").exists()


def test_the_pretrained_classifier_needs_a_folder(boxed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "--out DIR" in call("locate", "xray", boxed, status=1)
    text = call("locate", "xray", boxed, "--split", "test", "--out", "scores", status=1)
    assert "no splits. Received: split='test'" in text


@pytest.mark.slow
def test_the_pretrained_classifier_is_scored(boxed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ("--image-size", "32", "--class", "void_small", "--out", "scores")
    assert "scale 4" in call("locate", "xray", boxed, *options)


def test_what_is_asked_wrongly_is_refused(three_class_run, boxed, image_folder, tmp_path):
    run, options = three_class_run.folder, ("--split", "all", "--out", tmp_path / "out")
    text = call("locate", run, boxed, *options, "--invert", status=1)
    assert "`mscam locate xray` alone" in text
    text = call("locate", run, boxed, *options, "--thresholds", "a", status=1)
    assert "Expected numbers, such as 12.5,22" in text
    assert "must be above 0 and rise" in call(
        "locate", run, boxed, *options, "--thresholds", "9,5", status=1
    )
    text = call("locate", run, boxed, *options, "--class", "glass", status=1)
    assert "`classes` (--class) must be of ['thin', 'wide']" in text
    text = call("locate", run, image_folder, *options, status=1)
    assert "Some objects must be marked" in text
    assert not (tmp_path / "out").exists()


def test_the_folder_is_held_until_all_is_written(three_class_run, boxed, tmp_path, monkeypatch):
    arguments = ("locate", three_class_run.folder, boxed, "--split", "all")
    arguments += ("--out", tmp_path / "new" / "scores")

    def try_another_and_stop(*_, **__):
        monkeypatch.undo()
        assert "Another command is writing" in call(*arguments, status=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "locate", try_another_and_stop)
    call(*arguments, status=130)
    assert not (tmp_path / "new").exists()


def test_files_of_others_stay(three_class_run, boxed, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    text = call(
        "locate",
        three_class_run.folder,
        boxed,
        "--split",
        "all",
        "--out",
        tmp_path / "out",
        status=1,
    )
    assert "is not known as scores of maps" in text
