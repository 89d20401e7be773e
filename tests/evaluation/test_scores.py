import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import mscam_tf
from mscam_tf import ImageError, Manifest, RunError, Sample, read_manifest, select_samples
from mscam_tf.errors import OutputError
from mscam_tf.files import read_table
from mscam_tf.locks import hold
from mscam_tf.runs import OperatingPoint, write_operating_point
from tests.conftest import write_images


def test_scores_predictions_and_confusion_agree(finished_run, image_folder, tmp_path):
    samples = select_samples(finished_run, read_manifest(image_folder), "test")
    scores = mscam_tf.evaluate(finished_run, samples, tmp_path / "out", split="test", resamples=50)
    with (tmp_path / "out" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [sample.path for sample in samples.samples]
    right = np.mean([row["label"] == row["predicted"] for row in rows])
    assert scores.metrics["accuracy"]["value"] == pytest.approx(right)
    assert np.trace(scores.confusion) / scores.confusion.sum() == pytest.approx(right)
    probabilities = [
        float(row["probability_none"]) + float(row["probability_wide"]) for row in rows
    ]
    np.testing.assert_allclose(probabilities, 1, atol=1e-5)
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert written["num_images"] == len(rows)
    assert written["split"] == "test"
    wide = [row["predicted"] == "wide" for row in rows if row["label"] == "wide"]
    assert written["metrics"]["recall_wide"]["value"] == pytest.approx(np.mean(wide), abs=1e-6)
    assert set(written["metrics"]["auroc"]) == {"value", "low", "high"}
    assert written["confusion"] == scores.confusion.tolist()


def test_one_class_alone_can_be_scored(finished_run, tmp_path):
    manifest = read_manifest(write_images(tmp_path / "data", {"wide": 3}))
    samples = select_samples(finished_run, manifest, "all")
    scores = mscam_tf.evaluate(finished_run, samples, tmp_path / "out", resamples=20)
    assert np.isnan(scores.metrics["auroc"]["value"])
    text = (tmp_path / "out" / "metrics.json").read_text()
    assert "NaN" not in text
    assert '"value": null' in text


def test_bad_images_are_named_or_left_out(finished_run, tmp_path):
    folder = write_images(tmp_path / "data", {"none": 3, "wide": 3})
    bad = folder / "wide" / "wide1.png"
    bad.write_bytes(b"broken")
    manifest = read_manifest(folder)
    with pytest.raises(ImageError, match=r"wide1\.png(.|\n)*--skip-bad"):
        mscam_tf.evaluate(finished_run, manifest, tmp_path / "out", resamples=5)
    scores = mscam_tf.evaluate(finished_run, manifest, tmp_path / "out", resamples=5, skip_bad=True)
    assert scores.num_images == 5
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert [row["path"] for row in written["skipped"]] == [str(bad)]


def test_where_the_metrics_are_all_is(finished_run, image_folder, tmp_path, monkeypatch):
    """What stopped between the two files must not look done."""
    manifest = read_manifest(image_folder)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mscam_tf.evaluation.scores.write_table", stop)
    with pytest.raises(KeyboardInterrupt):
        mscam_tf.evaluate(finished_run, manifest, tmp_path / "scores", resamples=2)
    assert not (tmp_path / "scores" / "metrics.json").exists()


def test_images_of_one_group_count_once(finished_run, image_folder, tmp_path):
    manifest = read_manifest(image_folder)
    samples = [replace(s, group=f"film {i % 5}") for i, s in enumerate(manifest.samples)]
    counts = []
    scores = mscam_tf.evaluate(
        finished_run,
        replace(manifest, samples=tuple(samples)),
        tmp_path / "out",
        resamples=3,
        on_resample=counts.append,
    )
    assert (scores.num_images, scores.num_groups) == (32, 5)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["num_groups"] == 5
    assert counts == [1, 1, 1]


def test_a_run_is_held_while_it_is_scored(finished_run, image_folder, tmp_path):
    manifest = select_samples(finished_run, read_manifest(image_folder), "test")
    with hold(finished_run.folder), pytest.raises(RunError, match="Another command is writing"):
        mscam_tf.evaluate(finished_run, manifest, finished_run.folder)


def test_a_new_folder_is_held_while_scores_are_made(finished_run, image_folder, tmp_path):
    manifest = select_samples(finished_run, read_manifest(image_folder), "test")
    folder = tmp_path / "results" / "scores"

    def begin_another(_):
        with pytest.raises(RunError, match="Another command is writing"):
            mscam_tf.evaluate(finished_run, manifest, folder, resamples=2)

    mscam_tf.evaluate(finished_run, manifest, folder, resamples=2, on_resample=begin_another)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("confusion.png", "metrics.json", "predictions.csv"),
    ]


def test_a_folder_for_scores_that_failed_is_removed(finished_run, tmp_path):
    missing = Manifest(tmp_path, (Sample("missing.png", "none", "1"),))
    with pytest.raises(ImageError, match=r"missing\.png"):
        mscam_tf.evaluate(finished_run, missing, tmp_path / "results" / "scores")
    assert not list(tmp_path.iterdir())


def test_the_verdict_is_that_of_the_operating_point(finished_run, image_folder, tmp_path):
    run = replace(finished_run, folder=shutil.copytree(finished_run.folder, tmp_path / "run"))
    samples = select_samples(run, read_manifest(image_folder), "all")
    point = OperatingPoint({"wide": 0.0}, decision_threshold=0.3, good="none")
    write_operating_point(run, point)
    scores = mscam_tf.evaluate(run, samples, tmp_path / "out", resamples=5)
    rows = read_table(tmp_path / "out" / "predictions.csv")
    for row in rows:
        wide, none = float(row["probability_wide"]), float(row["probability_none"])
        assert float(row["score"]) == pytest.approx(np.log(wide / none), abs=1e-3)
        assert row["verdict"] == ("reject" if float(row["score"]) >= 0.3 else "accept")
    rejected = [row["label"] for row in rows if row["verdict"] == "reject"]
    assert scores.rates["false_rejects"].count == rejected.count("none")
    assert scores.rates["misses"].count == 12 - rejected.count("wide")
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert written["rates"]["misses"] == scores.rates["misses"].to_json()


def test_a_run_without_an_operating_point_gives_no_verdict(finished_run, image_folder, tmp_path):
    run = replace(finished_run, folder=shutil.copytree(finished_run.folder, tmp_path / "run"))
    (run.folder / "operating_point.json").unlink()
    samples = select_samples(run, read_manifest(image_folder), "test")
    scores = mscam_tf.evaluate(run, samples, tmp_path / "out", resamples=5)
    assert scores.rates == {}
    assert "verdict" not in read_table(tmp_path / "out" / "predictions.csv")[0]


def read_files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_scores_of_others_are_replaced_on_demand_alone(finished_run, image_folder, tmp_path):
    everything = select_samples(finished_run, read_manifest(image_folder), "all")
    test = select_samples(finished_run, read_manifest(image_folder), "test")
    copy = read_manifest(shutil.copytree(image_folder, tmp_path / "copy"))
    out = tmp_path / "out"
    mscam_tf.evaluate(finished_run, test, out, split="test", resamples=2)
    mscam_tf.evaluate(finished_run, test, out, split="test", resamples=3)  # Its own anew.
    before = read_files(out)
    for manifest, split in ((everything, "all"), (copy, "test")):
        with pytest.raises(OutputError, match="holds the scores of the split test") as caught:
            mscam_tf.evaluate(finished_run, manifest, out, split=split, resamples=2)
        assert f"Received: the split {split} of {manifest.root}" in str(caught.value)
        assert read_files(out) == before
    scores = mscam_tf.evaluate(finished_run, everything, out, resamples=2, overwrite=True)
    assert json.loads((out / "metrics.json").read_text())["num_images"] == scores.num_images


@pytest.mark.parametrize("writer", ["write_table", "save_figure", "write_json"])
def test_a_disk_that_fills_leaves_the_earlier_scores(
    writer, finished_run, image_folder, tmp_path, monkeypatch
):
    samples, out = select_samples(finished_run, read_manifest(image_folder), "all"), tmp_path / "o"
    mscam_tf.evaluate(finished_run, samples, out, resamples=2)
    before = read_files(out)

    def fail(*_):
        raise OutputError("No space left")

    monkeypatch.setattr(f"mscam_tf.evaluation.scores.{writer}", fail)
    with pytest.raises(OutputError, match="No space left"):
        mscam_tf.evaluate(finished_run, samples, out, resamples=3)
    assert read_files(out) == before
