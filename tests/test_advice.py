import csv

import numpy as np
import pytest

import mscam_tf
from mscam_tf.advice import write_advice
from tests.test_analysis import make_confusion, make_overlap


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_tables_pictures_and_words(three_class_run, three_class_manifest, image_folder, tmp_path):
    more = sorted(image_folder.glob("wide/*"))[:2]
    confusions = mscam_tf.write_analysis(
        three_class_run, three_class_manifest, tmp_path / "out", unlabelled=more
    )
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {f"{found.true}_as_{found.predicted}.png" for found in confusions}
    tables = {"confusions.csv", "images.csv", "label_next.csv"}
    assert names == pictures | tables | {"advice.md", "overlaps.png"}
    rows = read(tmp_path / "out" / "confusions.csv")
    assert [int(row["wrong"]) for row in rows] == [len(found.images) for found in confusions]
    assert len(read(tmp_path / "out" / "images.csv")) == len(three_class_manifest.samples)
    assert {row["path"] for row in read(tmp_path / "out" / "label_next.csv")} == set(map(str, more))


def test_a_run_without_an_error_says_so(three_class_run, three_class_manifest, tmp_path):
    _, images = mscam_tf.find_confusions(three_class_run, three_class_manifest)
    right = tuple(
        sample
        for sample, one in zip(three_class_manifest.samples, images, strict=True)
        if one.first == sample.label
    )
    manifest = mscam_tf.Manifest(three_class_manifest.root, right)
    assert mscam_tf.write_analysis(three_class_run, manifest, tmp_path) == []
    assert (tmp_path / "advice.md").read_text().startswith("# What is confused, and where\n\n0 of")
    assert not (tmp_path / "overlaps.png").exists()


def test_bad_images_are_left_out_on_request(three_class_run, three_class_manifest, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    with pytest.raises(mscam_tf.ImageError, match=r"bad\.png"):
        mscam_tf.write_analysis(three_class_run, three_class_manifest, tmp_path, unlabelled=[bad])
    mscam_tf.write_analysis(
        three_class_run, three_class_manifest, tmp_path, unlabelled=[bad], skip_bad=True
    )
    assert read(tmp_path / "skipped.csv")[0]["path"] == str(bad)
    assert not (tmp_path / "label_next.csv").exists()


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ([0.5, 0.7, 0.6], [0.1, 0.3, 0.2], "claim the same region"),
        ([0.1, 0.3, 0.2], [0.5, 0.7, 0.6], "further apart than usual"),
        ([0.1, 0.5, 0.3], [0.2, 0.4, 0.3], "no clear difference"),
        ([0.5], [0.1, 0.3], "too few images"),
    ],
)
def test_the_advice_follows_the_figures(wrong, right, words):
    text = write_advice(20, [make_confusion(wrong, right)])
    assert f"{len(wrong)} of 20 images are wrong" in text
    assert words in text
    assert "## a taken for b" in text


def test_what_to_label_next_is_listed():
    text = write_advice(3, [], [make_overlap("x.png", "", np.array([0.5, 0.3, 0.2]))])
    assert "x.png: a or b (margin 0.20)" in text
