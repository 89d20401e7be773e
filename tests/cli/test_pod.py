import json
import shutil

import numpy as np
import pytest

from mscam_tf import Box, write_boxes
from tests.cli.command import call
from tests.conftest import write_images


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_images(tmp_path_factory.mktemp("data"), {"none": 40, "steel": 66})
    widths = np.random.default_rng(0).uniform(1, 9, 66)
    boxes = {f"steel/steel{i}.png": [Box(5, 5, 5 + w, 20)] for i, w in enumerate(widths)}
    write_boxes(boxes, folder / "boxes.csv")
    return folder


def test_pod(three_class_run, data, tmp_path):
    """The run knows no class steel: labels other than that of good images need not be its own."""
    run = shutil.copytree(three_class_run.folder, tmp_path / "run")
    good = tmp_path / "good"
    shutil.copytree(data / "none", good / "none")
    call("calibrate", run, good, "--split", "all", "--max-false-rejects", "50%")
    options = ("--split", "all", "--out", tmp_path / "pod", "--pixel-pitch", 0.2)
    text = call("pod", run, data, *options, "--size", "width")
    assert "width (mm)" in text
    assert "false rejects" in text
    assert "of 40" in text
    assert "of 66" in text
    written = json.loads((tmp_path / "pod" / "pod.json").read_text())
    assert written["curves"][0]["n"] == 66
    assert "add --overwrite" in call("pod", run, data, *options, status=1)
    text = call("pod", run, data, *options, "--overwrite", "--hit", "mark", "--linear")
    assert json.loads((tmp_path / "pod" / "pod.json").read_text())["hit"] == "mark"


def test_a_run_without_an_operating_point_is_refused(three_class_run, data, tmp_path):
    text = call("pod", three_class_run.folder, data, "--split", "all", "--out", tmp_path, status=1)
    assert "mscam calibrate" in text
