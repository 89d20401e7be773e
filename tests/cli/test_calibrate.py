import json
import shutil

import pytest

from tests.cli.command import call
from tests.conftest import write_images


@pytest.fixture
def run(three_class_run, tmp_path):
    return shutil.copytree(three_class_run.folder, tmp_path / "run")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("good"), {"none": 60})


def test_calibrate(run, good):
    text = call("calibrate", run, good, "--split", "all", "--max-false-rejects", "5%")
    assert "0 of 60" in text
    assert f"Wrote {run / 'operating_point.json'}" in text
    point = json.loads((run / "operating_point.json").read_text())
    assert point["record"]["max_false_rejects"] == 0.05
    again = call("calibrate", run, good, "--split", "all", "--max-false-rejects", 0.05)
    assert again == text
    call("calibrate", run, good, "--split", "all", "--max-false-rejects", "5%", "--scale", 1)
    assert json.loads((run / "operating_point.json").read_text())["scale"] == 1
    assert "operating point, in logits" in again
    options = ("--split", "all", "--max-false-rejects", "5%", "--scale", "sharp")
    assert "sharp maps in strengths of spots" in call("calibrate", run, good, *options)


def test_the_number_needed_is_said(run, good):
    text = call("calibrate", run, good, "--split", "all", "--max-false-rejects", "1%", status=1)
    assert "299 groups of images that are good are needed. Received: 60 groups" in text
    text = call("calibrate", run, good, "--split", "all", "--max-misses", "5%", status=1)
    assert "59 groups of images that are not good are needed. Received: 0 groups" in text
    assert not (run / "operating_point.json").exists()


def test_an_area_larger_than_the_image_is_refused(run, good):
    options = ("--split", "all", "--max-false-rejects", "5%", "--minimum-area")
    text = call("calibrate", run, good, *options, 1e6, status=1)
    assert "(--minimum-area) must be at most" in text
    assert not (run / "operating_point.json").exists()


def test_what_is_no_share_is_refused(run, good):
    text = call("calibrate", run, good, "--max-false-rejects", "few", status=2)
    assert "it looks like 0.5% or 0.005" in text
    text = call("calibrate", run, good, "--split", "all", status=1)
    assert "Give one of" in text
