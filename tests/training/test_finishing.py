import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

import mscam_tf
from mscam_tf import Manifest, read_manifest
from mscam_tf.drift import measure_image, read_reference
from mscam_tf.runs import (
    describe_samples,
    find_good_images,
    measure_maxima,
    read_operating_point,
)
from mscam_tf.training.finishing import finish
from mscam_tf.training.preparation import make_split_dataset
from tests.conftest import write_images


def read_validation(run):
    return Manifest(Path(run.data), read_manifest(run.split_file).select("validation").samples)


def measure(run, images):
    explainer = mscam_tf.build_explainer(run.load_model(), activation=run.task.activation)
    return measure_maxima(explainer, (batch for batch, _ in make_split_dataset(run, images)))


def test_the_map_thresholds_are_those_of_good_validation_images(finished_run):
    point = read_operating_point(finished_run)
    assert (point.decision_threshold, point.scale, point.good) == (0.0, "sum", "none")
    assert [*point.map_thresholds] == ["wide"]
    images = read_validation(finished_run)
    good = np.array([sample.label == "none" for sample in images.samples])
    assert point.record["images"] == good.sum()
    chosen = (sample for sample in images.samples if sample.label == "none")
    fitted_on = describe_samples(replace(images, samples=tuple(chosen)))
    assert point.record.items() >= fitted_on.items()
    assert point.record["split"] == "validation"
    highest = measure(finished_run, images)[good, 1].max()
    np.testing.assert_allclose(point.map_thresholds["wide"], highest, rtol=1e-4)


def test_several_findings_have_a_threshold_each(findings_run):
    point = read_operating_point(findings_run)
    assert [*point.map_thresholds] == findings_run.class_names
    assert point.good is None
    task, images = findings_run.task, read_validation(findings_run)
    assert find_good_images(task, task.encode(images), None).any() == point.record["good"]


def test_without_good_images_those_of_other_classes_count(tmp_path, image_folder):
    manifest = read_manifest(image_folder)
    renamed = [sample.label.replace("none", "thin") for sample in manifest.samples]
    samples = [
        mscam_tf.Sample(s.path, label, s.group)
        for s, label in zip(manifest.samples, renamed, strict=True)
    ]
    config = mscam_tf.TrainConfig(backbone="TinyNet", image_size=(64, 64), epochs=1, batch_size=8)
    run = mscam_tf.train(mscam_tf.Manifest(manifest.root, tuple(samples)), tmp_path / "run", config)
    point = read_operating_point(run)
    assert sorted(point.map_thresholds) == ["thin", "wide"]
    assert (point.good, point.record["good"]) == (None, False)


def test_what_good_validation_images_are_like_is_kept(finished_run, tmp_path):
    assert read_reference(finished_run) is None  # They are too few.
    run = replace(finished_run, folder=shutil.copytree(finished_run.folder, tmp_path / "run"))
    found = read_manifest(write_images(tmp_path / "data", {"none": 100, "wide": 2}))
    samples = [replace(one, split="validation") for one in found.samples]
    finish(run, Manifest(found.root, tuple(samples)))
    reference = read_reference(run)
    assert len(reference.features) == 100
    (said,) = mscam_tf.open_session(run).explain(found.paths[:1])
    np.testing.assert_allclose(reference.features[0], measure_image(said.image), rtol=1e-5)
    np.testing.assert_allclose(reference.logits[0], said.logits, rtol=1e-4, atol=1e-5)
