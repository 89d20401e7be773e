import csv
from dataclasses import replace

import pytest

import mscam_tf


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


def test_classes_of_names_alike_keep_a_picture_each(
    three_class_run, three_class_manifest, tmp_path
):
    names = {"none": "b/c", "thin": "b c", "wide": "b_c"}
    samples = [replace(s, label=names[s.label]) for s in three_class_manifest.samples]
    run = replace(three_class_run, class_names=list(names.values()))
    manifest = replace(three_class_manifest, samples=tuple(samples))
    confusions = mscam_tf.write_analysis(run, manifest, tmp_path / "out")
    assert len(confusions) > 1
    pictures = list((tmp_path / "out" / "confusions").iterdir())
    assert len(pictures) == len(confusions)
