import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import call
from tests.conftest import write_images


@pytest.fixture(scope="module")
def run(three_class_run, tmp_path_factory):
    """A run that was calibrated by 110 good images."""
    folder = tmp_path_factory.mktemp("drift")
    good = write_images(folder / "good", {"none": 110})
    run = shutil.copytree(three_class_run.folder, folder / "run")
    call("calibrate", run, good, "--split", "all", "--max-false-rejects", "5%")
    return run


def inspect(run, folder, out, *options):
    arguments = ("inspect", run, folder, "--out", out, "--pictures", "none", *options)
    try:
        return call(*arguments)
    except AssertionError:  # Some are rejected.
        return call(*arguments, status=3)


def test_like_images(run, tmp_path):
    text = inspect(run, write_images(tmp_path / "like", {"none": 60}, seed=9), tmp_path / "out")
    assert " of 60 images are unlike the reference" in text
    assert "Drift: 0 of 1 periods of 50 images moved" in text


def test_images_that_changed(run, tmp_path):
    folder = write_images(tmp_path / "changed", {"none": 60}, seed=6)
    for path in folder.rglob("*.png"):
        Image.fromarray((np.asarray(Image.open(path)) * 0.8).astype(np.uint8)).save(path)
    text = " ".join(inspect(run, folder, tmp_path / "out").split())
    assert "Drift since " in text
    assert "none0.png, in 50 images: " in text
    assert "intensity below" in text
    drift = json.loads((tmp_path / "out" / "summary.json").read_text())["drift"]
    assert drift["periods"][0]["features"]["intensity"] == "below"
    assert drift["unlike"] > 20


def test_it_is_said_why_drift_is_not_watched(run, three_class_run, tmp_path):
    folder = write_images(tmp_path / "few", {"none": 2})
    text = inspect(run, folder, tmp_path / "frames", "--frames")
    assert "Drift is not watched: frames are not compared" in text
    text = inspect(three_class_run.folder, folder, tmp_path / "none")
    assert "Drift is not watched: the run keeps no reference" in text
