import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet
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
    assert "inspect these as images" in " ".join(text.split())
    text = inspect(three_class_run.folder, folder, tmp_path / "none")
    assert "Drift is not watched: the run keeps no reference" in text


def test_patches_of_frames_are_watched_as_images(run, tmp_path):
    frames, patches = write_images(tmp_path / "frames", {"none": 3}, (80, 80)), tmp_path / "patches"
    call("tile", frames, "--size", "40", "--overlap", "0", "--out", patches)
    header, *rows = (patches / "manifest.csv").read_text().splitlines(keepends=True)
    drawn = [rows[index] for index in np.random.default_rng(0).permutation(len(rows))]
    (patches / "drawn.csv").write_text("".join([header, *drawn]))
    text = inspect(run, patches / "drawn.csv", tmp_path / "out")
    assert " of 12 images are unlike the reference" in text
    table = pyarrow.parquet.read_table(tmp_path / "out" / "images", columns=["path"])
    names = [Path(path).name for path in table["path"].to_pylist()]
    assert names == [Path(row.split(",")[0]).name for row in drawn]


def test_images_that_show_nothing_are_said_once_and_counted(three_class_run, tmp_path):
    folder = write_images(tmp_path / "data", {"none": 4})
    for number in (1, 2):
        Image.new("L", (40, 40), 60 * number).save(folder / "none" / f"none{number}.png")
    for number, options in enumerate(([], ["--frames"])):
        options += ["--pictures", "none", "--out", tmp_path / f"out{number}"]
        text = call("inspect", three_class_run.folder, folder, *options, status=3)
        assert text.count("none1.png shows nothing, as it is stored") == 1
        assert text.count("none2.png") == 0
        assert "2 images show nothing: all their pixels are alike" in text
