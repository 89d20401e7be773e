import json

import pytest

import mscam_tf
from mscam_tf.simulation import TARGETS
from tests.cli.command import call
from tests.conftest import make_backbone, randomize


def test_export_a_run(finished_run, image_folder, tmp_path):
    arguments = ("--images", image_folder / "wide", "--out", tmp_path / "export")
    text = call("export", finished_run.folder, "--format", "onnx", *arguments)
    assert "12 of 12" in text
    assert "Wrote" in text
    assert (tmp_path / "export" / "model.onnx").exists()


def test_int8_is_for_openvino(finished_run, tmp_path):
    arguments = ("--int8", "--out", tmp_path / "export")
    assert "Only OpenVINO" in call("export", finished_run.folder, *arguments, status=1)


def test_unknown_formats_are_named(finished_run, tmp_path):
    arguments = ("--format", "caffe", "--out", tmp_path / "export")
    assert "Received: format='caffe'" in call("export", finished_run.folder, *arguments, status=1)


def test_the_place_for_a_server_has_a_name(finished_run, tmp_path):
    arguments = ("--server", "my bones", "--out", tmp_path / "export")
    assert "Received: server='my bones'" in call(
        "export", finished_run.folder, *arguments, status=1
    )


@pytest.fixture
def tiny_xray(monkeypatch):
    """Stand in for the pretrained network, which takes long to export."""

    def build(image_size):
        model = mscam_tf.build_multiscale_classifier(
            len(TARGETS), image_size, backbone=make_backbone()
        )
        return randomize(model, seed=5)

    monkeypatch.setattr("mscam_tf.models.build_pretrained_classifier", build)


def test_the_pretrained_classifier_is_exported(tiny_xray, image_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = ("--images", next(iter(sorted(image_folder.glob("wide/*")))))
    text = call("export", "xray", *images, "--image-size", "64", "32", "--invert", "--out", "out")
    assert "1 of 1" in text
    about = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert about["input"]["shape"] == [None, 64, 32, 1]
    assert about["run"]["class_names"] == list(TARGETS)
    assert about["run"]["config"]["read"]["invert"]
    assert (about["task"], about["operating_point"]) == ("several_findings", None)
    run = mscam_tf.load_exported(tmp_path / "out").run
    assert run.read_value_range() == mscam_tf.open_pretrained().read_value_range()


def test_the_pretrained_classifier_needs_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "some of yours (--images)" in call("export", "xray", "--out", "out", status=1)


def test_a_run_is_read_as_its_training_did(finished_run, tmp_path):
    arguments = ("--invert", "--out", tmp_path / "export")
    text = call("export", finished_run.folder, *arguments, status=1)
    assert "mscam export xray" in text
