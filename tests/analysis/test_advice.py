import csv

import numpy as np
import pytest

import mscam_tf
from mscam_tf.analysis.advice import write_advice
from tests.analysis.test_overlaps import make_confusion, make_overlap

HIGH, LOW = [0.5, 0.7, 0.6, 0.55, 0.65], [0.1, 0.3, 0.2, 0.15, 0.25]


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_tables_pictures_and_words(three_class_run, three_class_manifest, image_folder, tmp_path):
    more = sorted(image_folder.glob("wide/*"))[:2]
    confusions = mscam_tf.write_analysis(
        three_class_run, three_class_manifest, tmp_path / "out", unlabelled=more
    )
    names = {path.name for path in (tmp_path / "out").iterdir()}
    tables = {"confusions.csv", "images.csv", "label_next.csv"}
    assert names == tables | {"advice.md", "overlaps.png", "confusions"}
    pictures = {f"{found.true}_as_{found.predicted}.png" for found in confusions}
    assert {path.name for path in (tmp_path / "out" / "confusions").iterdir()} == pictures
    rows = read(tmp_path / "out" / "confusions.csv")
    assert len(rows) == 6  # All ordered pairs of three classes.
    counts = [len(found.images) for found in confusions]
    assert [int(row["wrong"]) for row in rows] == counts + [0] * (6 - len(counts))
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
    for name in ("advice.md", "overlaps.png"):
        (tmp_path / name).write_text("of an earlier analysis")
    (tmp_path / "confusions.csv").write_text("true,predicted,wrong,of,rate\n")
    (tmp_path / "mine.txt").write_text("stays")
    assert mscam_tf.write_analysis(three_class_run, manifest, tmp_path) == []
    assert (tmp_path / "advice.md").read_text().startswith("# What is confused, and where\n\n0 of")
    assert not (tmp_path / "overlaps.png").exists()
    assert (tmp_path / "mine.txt").read_text() == "stays"


def test_files_that_are_no_analysis_stay(three_class_run, three_class_manifest, tmp_path):
    (tmp_path / "images.csv").write_text("mine")
    with pytest.raises(mscam_tf.RunError, match=r"images\.csv, and is not known as an analysis"):
        mscam_tf.write_analysis(three_class_run, three_class_manifest, tmp_path)
    assert (tmp_path / "images.csv").read_text() == "mine"


def test_bad_images_are_left_out_on_request(three_class_run, three_class_manifest, tmp_path):
    bad, out = tmp_path / "bad.png", tmp_path / "out"
    bad.write_bytes(b"no image")
    with pytest.raises(mscam_tf.ImageError, match=r"bad\.png"):
        mscam_tf.write_analysis(three_class_run, three_class_manifest, out, unlabelled=[bad])
    mscam_tf.write_analysis(
        three_class_run, three_class_manifest, out, unlabelled=[bad], skip_bad=True
    )
    assert read(out / "skipped.csv")[0]["path"] == str(bad)
    assert not (out / "label_next.csv").exists()


@pytest.mark.parametrize(
    ("wrong", "right", "like", "words"),
    [
        (HIGH, LOW, LOW, "claim the same region"),
        (HIGH, LOW, [], "claim the same region"),
        (HIGH, LOW, HIGH, "lie as on any image of b"),
        (LOW, HIGH, HIGH, "further apart than usual"),
        ([0.1, 0.5, 0.3, 0.2, 0.4], [0.2, 0.4, 0.3, 0.1, 0.5], LOW, "no clear difference"),
        (HIGH[:4], LOW, LOW, "too few to judge"),
    ],
)
def test_the_advice_follows_the_figures(wrong, right, like, words):
    text = write_advice(20, [make_confusion(wrong, right, like)])
    assert f"{len(wrong)} of 20 images are wrong" in text
    assert words in text
    assert "## a taken for b" in text


def test_many_pairs_need_more_evidence():
    """One of ten pairs with p = 0.016 is what chance gives."""
    close = make_confusion([0.3, 0.32, 0.34, 0.36, 0.18], [0.1, 0.12, 0.14, 0.16, 0.19])
    assert close.p_value == pytest.approx(4 / 252)
    assert "claim the same region" in write_advice(20, [close])
    nothing = make_confusion([0.1, 0.5, 0.3, 0.2, 0.4], [0.2, 0.4, 0.3, 0.1, 0.5])
    assert "claim the same region" not in write_advice(20, [close] + 9 * [nothing])


def test_what_to_label_next_is_listed():
    text = write_advice(3, [], [make_overlap("x.png", "", np.array([0.5, 0.3, 0.2]))])
    assert "x.png: a or b (margin 0.20)" in text
