import csv
import errno
import os
from pathlib import Path

import mscam_tf
from mscam_tf import read_manifest, select_samples
from tests.cli.command import call


def test_explain_an_image(finished_run, image_folder, tmp_path):
    image = image_folder / "wide" / "wide0.png"
    text = call("explain", finished_run.folder, image, "--flips", "--out", tmp_path / "maps")
    assert "logit of" in text
    assert "region" in text
    assert (tmp_path / "maps" / "wide0_scales.png").exists()


def test_the_threshold_of_regions(finished_run, image_folder, tmp_path):
    image = image_folder / "wide" / "wide0.png"
    arguments = (finished_run.folder, image, "--threshold", "1000", "--out", tmp_path / "maps")
    assert "no region of" in call("explain", *arguments)


def test_explain_a_split(finished_run, image_folder, tmp_path):
    options = ("--split", "test", "--out", tmp_path / "test")
    call("explain", finished_run.folder, image_folder, *options)
    tested = select_samples(finished_run, read_manifest(image_folder), "test")
    overlays = {path.name for path in (tmp_path / "test").glob("*_overlay.png")}
    assert overlays == {f"{path.stem}_overlay.png" for path in tested.paths}


def test_missing_images_are_named(finished_run, tmp_path):
    image = tmp_path / "no.png"
    text = call("explain", finished_run.folder, image, "--out", tmp_path, status=1)
    assert "No such image" in text
    assert "Traceback" not in text


def test_an_image_that_may_not_be_read_is_left_out(
    finished_run, image_folder, tmp_path, monkeypatch
):
    images = [image_folder / "wide" / f"wide{number}.png" for number in range(2)]
    access, read = os.access, Path.read_bytes

    def refuse(path):
        if path == images[0]:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path)

    # The superuser, whom tests may run as, may read all.
    monkeypatch.setattr(os, "access", lambda path, *a, **k: path != images[0] and access(path, *a))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    out = tmp_path / "maps"
    call("explain", finished_run.folder, *images, "--skip-bad", "--out", out)
    assert "permission denied" in (out / "skipped.csv").read_text()
    assert (out / "wide1_scales.png").exists()


def test_explain_without_a_run(image_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image = image_folder / "wide" / "wide0.png"
    text = call("explain", "xray", image, "--invert", "--image-size", "64", "--out", "maps")
    assert "logit of" in text
    with (tmp_path / "maps" / "explanations.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["predicted"] in mscam_tf.load_pretrained().targets
    assert (tmp_path / "maps" / "wide0_maps.png").exists()


def test_the_pretrained_classifier_has_no_splits(image_folder, tmp_path):
    arguments = ("xray", image_folder, "--split", "test", "--out", tmp_path / "maps")
    assert "no splits. Received: split='test'" in call("explain", *arguments, status=1)


def test_a_run_reads_as_its_training_did(finished_run, image_folder, tmp_path):
    arguments = (finished_run.folder, image_folder, "--invert", "--out", tmp_path / "maps")
    text = call("explain", *arguments, status=1)
    assert "reads all images as its training did" in text
    assert "Received: {'invert': True}" in text
