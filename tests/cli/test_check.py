import csv

import numpy as np
import pytest
from PIL import Image

from mscam_tf import read_manifest
from tests.cli.command import call


@pytest.fixture
def fourfold(data):
    """Add the three flipped copies of each image, named as the public fish-bone set names them."""
    for path in list(data.rglob("*.png")):
        pixels = np.asarray(Image.open(path))
        for letter, copy in {
            "U": pixels[::-1],
            "L": pixels[:, ::-1],
            "B": pixels[::-1, ::-1],
        }.items():
            Image.fromarray(np.ascontiguousarray(copy)).save(path.with_name(letter + path.name))
    return data


def test_clean_data_pass(data):
    assert "Nothing is wrong" in call("check", data)


def test_constant_images_are_named(data):
    Image.fromarray(np.full((40, 40), 7, np.uint8)).save(data / "bone" / "flat.png")
    text = call("check", data)
    assert "Warning: 1 images show nothing, all their pixels are alike:" in text
    assert "bone/flat.png" in text
    assert "Nothing is wrong" not in text


def test_fourfold_copies_are_found_and_grouped(fourfold, tmp_path):
    text = call(
        "check", fourfold, "--out", tmp_path / "pairs.csv", "--write-groups", tmp_path / "g.csv"
    )
    assert "Warning: 40 images in 10 sets of copies are in several groups" in text
    assert len(list(csv.DictReader((tmp_path / "pairs.csv").read_text().splitlines()))) == 30
    grouped = read_manifest(tmp_path / "g.csv")
    assert len({sample.group for sample in grouped.samples}) == 10
    call("split", tmp_path / "g.csv", "--out", tmp_path / "honest.csv")
    assert "Nothing is wrong" in call("check", tmp_path / "honest.csv")


def test_an_image_without_objects_that_has_a_box_has_status_1(data):
    (data / "boxes.csv").write_text("path,x_min,y_min,x_max,y_max\nnone/0.png,1,1,9,9\n")
    text = call("check", data, status=1)
    assert "WRONG: 1 labels or marks contradict each other: none/0.png: it is labelled" in text
    assert "boxes.csv, line 2 marks an object in it" in text


def test_a_leak_has_status_1(fourfold, tmp_path):
    call("split", fourfold, "--out", tmp_path / "split.csv")
    text = call("check", tmp_path / "split.csv", status=1)
    assert "LEAK: " in text
    text = call("check", fourfold, "--split-file", tmp_path / "split.csv", status=1)
    assert "LEAK: " in text
    assert "(train)" in text


def test_splits_that_copies_tear_are_not_lost_unsaid(fourfold, tmp_path, caplog):
    split = tmp_path / "split.csv"
    call("split", fourfold, "--out", split)
    before = split.read_bytes()
    for options in ((split,), (fourfold, "--split-file", split)):
        text = call("check", *options, "--write-groups", split, "--overwrite", status=1)
        assert "its splits would be lost, because copies are in several of them" in text
        assert split.read_bytes() == before
    call("check", split, "--write-groups", tmp_path / "grouped.csv", status=1)
    assert "No image keeps its split, because copies are in several splits" in caplog.text
    assert {sample.split for sample in read_manifest(tmp_path / "grouped.csv").samples} == {""}


def test_broken_files_and_two_labels_have_status_1(data):
    (data / "none" / "broken.png").write_bytes(b"no image")
    (data / "bone" / "0.png").write_bytes((data / "none" / "0.png").read_bytes())
    text = call("check", data, status=1)
    assert "BROKEN: 1 files cannot be read" in text
    assert "broken.png" in text
    assert "WRONG: 2 images in 1 set of copies are under several labels" in text


def test_masks_that_may_be_inverted_are_named(data):
    Image.new("L", (40, 40), 255).save(data / "white.png")
    (data / "masked.csv").write_text("path,label,mask\nbone/1.png,bone,white.png\n")
    text = call("check", data / "masked.csv")
    assert "Warning: 1 images have a mask of more than half of them; is it inverted?" in text
    assert "Nothing is wrong" not in text


def test_empty_masks_are_named(data):
    Image.new("L", (40, 40)).save(data / "empty.png")
    rows = "bone/1.png,bone,empty.png\nnone/0.png,none,empty.png\n"
    (data / "masked.csv").write_text(f"path,label,mask\n{rows}")
    text = call("check", data / "masked.csv")
    assert "Warning: 1 images have an empty mask, but a label other than none: bone/1.png" in text
    assert "Nothing is wrong" not in text
