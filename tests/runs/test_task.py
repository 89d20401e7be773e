"""Several findings in one image, from training to pictures."""

import csv
from pathlib import Path

import numpy as np
import pytest

import mscam_tf
from mscam_tf import ManifestError
from mscam_tf.data.manifests import encode_findings
from mscam_tf.metrics import finding_auroc
from mscam_tf.runs import OneLabel, SeveralFindings
from mscam_tf.training import make_split_dataset

NAMES = ["bone", "metal", "void"]


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_run_knows_its_findings(findings_run, findings_folder):
    assert findings_run.class_names == NAMES
    assert mscam_tf.open_run(findings_run.folder).config.several
    manifest = mscam_tf.read_manifest(findings_folder)
    encoded = findings_run.task.encode(manifest)
    np.testing.assert_array_equal(encoded, encode_findings(manifest, NAMES))
    assert findings_run.task.weigh_classes(manifest) is None
    _, labels = next(iter(make_split_dataset(findings_run, manifest)))
    assert labels.shape == (8, 3)
    assert labels.dtype == "float32"


def test_every_split_has_every_finding(findings_folder):
    manifest = SeveralFindings.split(mscam_tf.read_manifest(findings_folder))
    for name in ("train", "validation", "test"):
        assert encode_findings(manifest.select(name), NAMES).max(0).tolist() == [1, 1, 1]


def make_manifest(labels, splits=()):
    splits = splits or [""] * len(labels)
    pairs = enumerate(zip(labels, splits, strict=True))
    samples = [mscam_tf.Sample(f"{i}.png", x, str(i), split) for i, (x, split) in pairs]
    return mscam_tf.Manifest(Path(), tuple(samples))


@pytest.mark.parametrize(
    "labels",
    [
        ["a|b"] * 40 + ["none"] * 20 + ["a"],
        ["a"] * 30 + ["b"] * 30 + ["none"] * 2,
        ["a|b", "b|a"] * 3 + ["b", "none"] * 9,
    ],
)
def test_what_is_rare_hinders_no_split(labels):
    splits = {sample.split for sample in SeveralFindings.split(make_manifest(labels)).samples}
    assert splits == {"train", "validation", "test"}


def test_given_splits_need_each_finding_not_each_combination():
    splits = ["train", "validation", "test"]
    labels = ["a|b", "a", "a", "none", "b", "b", "none", "none", "none"]
    manifest = make_manifest(labels, [splits[0], *splits[1:], splits[0], *splits[1:], *splits])
    assert SeveralFindings.split(manifest) == manifest
    with pytest.raises(ManifestError, match=r"split validation\. Received: none of \['a'\]"):
        SeveralFindings.split(make_manifest(["a", "b", "none", "b"], ["train", *splits]))


@pytest.mark.parametrize("label", ["a|b", "b|a", "a|"])
def test_labels_of_several_findings_are_no_classes(label):
    labels = ["none"] * 9 + ["a"] * 9 + [label] * 9
    with pytest.raises(ManifestError, match=rf"--several .*Received: \['{label[0]}\|"):
        OneLabel.split(make_manifest(labels))
    assert OneLabel.split(make_manifest(labels[:18]))


def test_scores_of_findings(findings_run, findings_folder, tmp_path):
    manifest = mscam_tf.read_manifest(findings_folder)
    scores = mscam_tf.evaluate(findings_run, manifest, tmp_path, resamples=20)
    rows = read(tmp_path / "predictions.csv")
    probabilities = np.array([[row[f"probability_{n}"] for n in NAMES] for row in rows], float)
    labels = encode_findings(manifest, NAMES)
    assert scores.metrics["auroc"]["value"] == pytest.approx(
        finding_auroc(labels, probabilities), abs=1e-4
    )
    assert scores.metrics["auroc"]["value"] == pytest.approx(
        np.mean([scores.metrics[f"auroc_{name}"]["value"] for name in NAMES])
    )
    right = ((probabilities > 0.5) == (labels > 0)).mean()
    assert scores.metrics["accuracy"]["value"] == pytest.approx(right)
    assert scores.confusion.shape == (3, 2, 2)
    likely = "|".join(name for name, p in zip(NAMES, probabilities[0], strict=True) if p > 0.5)
    assert rows[0]["predicted"] == (likely or "none")


def test_images_without_a_finding_can_be_scored(findings_run, findings_folder, tmp_path):
    manifest = mscam_tf.read_manifest(findings_folder)
    empty = tuple(sample for sample in manifest.samples if sample.label == "none")
    few = mscam_tf.Manifest(manifest.root, empty)
    scores = mscam_tf.evaluate(findings_run, few, tmp_path, resamples=5)
    assert np.isnan(scores.metrics["auroc"]["value"])


def test_unknown_findings_are_refused(findings_run, findings_folder):
    sample = mscam_tf.Sample("images/00000.png", "bone|glass", "x")
    with pytest.raises(ManifestError, match=r"Received: \['glass'\]"):
        mscam_tf.select_samples(findings_run, mscam_tf.Manifest(findings_folder, (sample,)), "all")


def test_a_map_for_each_finding(findings_run, findings_folder, tmp_path):
    path = findings_folder / "images" / "00000.png"
    mscam_tf.write_explanations(findings_run, [path], tmp_path / "maps")
    assert (tmp_path / "maps" / "00000_maps.png").exists()
    (found,) = mscam_tf.explain(findings_run, [path])
    np.testing.assert_allclose(found.probabilities, 1 / (1 + np.exp(-found.logits)), rtol=1e-4)


def test_rare_classes_weigh_more(finished_run, image_folder):
    weights = finished_run.task.weigh_classes(mscam_tf.read_manifest(image_folder))
    assert weights == {0: pytest.approx(32 / 40), 1: pytest.approx(32 / 24)}
