import hashlib
import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

import mscam_tf
from mscam_tf import ExportError, MscamError, export_run
from mscam_tf.deployment import FORMATS
from mscam_tf.files import write_json
from mscam_tf.runs import OperatingPoint, create_run, write_operating_point
from tests.conftest import make_backbone, randomize

FILES = {
    "savedmodel": "saved_model",
    "onnx": "model.onnx",
    "openvino": "model.xml",
    "litert": "model.tflite",
}


def read_about(folder):
    return json.loads((folder / "export.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("format", "file"), FILES.items())
def test_an_export_says_what_the_run_says(export, finished_run, format, file):
    written = export(format)
    assert written.file == written.folder / file
    assert written.file.exists()
    exact = written.comparisons["float32"]
    assert 0 < exact.images == exact.same_verdicts
    assert exact.logits_error <= 1e-4
    assert exact.maps_error <= 1e-4
    about = read_about(written.folder)
    assert about["comparisons"]["float32"] == asdict(exact)
    assert (about["kind"], about["file"], about["precision"]) == (format, file, "float32")


def test_a_disk_without_room_for_the_weights_is_named(finished_run, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(MscamError, match=rf"^{tmp_path}/out cannot be written.*No space"):
        export_run(finished_run, tmp_path / "out", "openvino")
    assert list(tmp_path.iterdir()) == []


def test_what_openvino_does_by_default_is_stated(export):
    comparisons = export("openvino").comparisons
    assert list(comparisons) == ["float32", "fast"]
    assert comparisons["fast"].maps_error >= comparisons["float32"].maps_error


def test_about_has_all_that_a_program_needs(export, finished_run):
    about = read_about(export("onnx").folder)
    assert about["input"]["shape"] == [None, 64, 64, 1]
    assert about["outputs"]["maps"] == {"name": "maps", "layout": "NHWC"}
    assert about["run"]["class_names"] == ["none", "wide"]
    assert about["run"]["config"]["read"]["window"] is None
    assert about["run"]["data"] == ""
    assert (about["task"], about["activation"]) == ("one_label", "softmax")
    assert np.array(about["relevance"]).shape == (3, 2)
    for name in ("operating_point", "display"):
        values = json.loads((finished_run.folder / f"{name}.json").read_text(encoding="utf-8"))
        values.get("record", {}).pop("data", None)  # Where images lay says nothing on a line.
        assert about[name] == values
    assert about["operating_point"]["format"] == 1
    assert about["drift"] is None  # The run keeps no reference.
    assert {"mscam-tf", "keras", "onnx"} <= set(about["versions"])


@pytest.mark.parametrize("format", ["savedmodel", "openvino"])
def test_each_file_of_the_model_has_its_hash(export, finished_run, format):
    folder = export(format).folder
    hashes = read_about(folder)["sha256"]
    trained = hashes.pop("run/model.keras")
    assert trained == hash_of(finished_run.folder / "model.keras")
    assert hashes == {name: hash_of(folder / name) for name in hashes}
    assert sum(name.endswith((".xml", ".bin", ".pb")) for name in hashes) >= 2


def hash_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_openvino_calls_the_maps_as_model_api_does(export):
    about = read_about(export("openvino").folder)
    assert about["outputs"]["maps"] == {"name": "saliency_map", "layout": "NCHW"}


def test_what_differs_is_not_written(finished_run, tmp_path, monkeypatch):
    other = randomize(mscam_tf.build_multiscale_classifier(2, (64, 64), backbone=make_backbone()))
    explainer = mscam_tf.build_explainer(other)
    onnx = FORMATS["onnx"]

    def write(_, path, about):
        explainer(np.zeros((1, 64, 64, 1)))
        onnx.write(explainer, path, about)

    monkeypatch.setitem(FORMATS, "onnx", replace(onnx, write=write))
    with pytest.raises(ExportError, match=r"differs from the run.*Received: Comparison\(images=3"):
        export_run(finished_run, tmp_path / "export")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_into_another_folder(finished_run, export, tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(mscam_tf.RunError, match=r"holds mine.txt"):
        export_run(finished_run, tmp_path)
    with pytest.raises(mscam_tf.RunError, match=r"holds an export, and is left alone|overwrite"):
        export_run(finished_run, export("onnx").folder)


def test_an_unknown_format_is_named(finished_run, tmp_path):
    with pytest.raises(MscamError, match=r"one of \['savedmodel'.*Received: format='tensorrt'"):
        export_run(finished_run, tmp_path / "export", "tensorrt")


def make_run(folder, **settings):
    """Make a run by hand: it has no split."""
    config = mscam_tf.TrainConfig(
        backbone="TinyNet", image_size=(64, 32), batch_size=4, several=True, **settings
    )
    run = create_run(folder, config, ["bone", "large void"], "")
    write_json(folder / "display.json", {"low": -1, "high": 1})
    model = mscam_tf.build_multiscale_classifier(2, (64, 32), backbone=make_backbone())
    randomize(model, seed=5).save(folder / "model.keras")
    return run


@pytest.mark.slow
def test_images_of_any_size_and_the_maps_of_each_scale(tmp_path, image_folder):
    onnxruntime = pytest.importorskip("onnxruntime")
    run = make_run(tmp_path / "run")
    point = OperatingPoint(map_thresholds={"bone": 1.0, "large void": 2.0}, scale=2)
    write_operating_point(run, point)  # It marks the maps of one scale, so they must be there.
    paths = sorted(image_folder.glob("wide/*"))[:2]
    written = export_run(run, tmp_path / "export", free_size=True, images=paths)
    about = read_about(written.folder)
    assert about["input"]["shape"] == [None, None, None, 1]
    assert about["task"] == "several_findings"
    image = np.random.default_rng(0).random((1, 24, 48, 1), np.float32)
    session = onnxruntime.InferenceSession(written.file)
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"image": image}), strict=True))
    model = mscam_tf.build_multiscale_classifier(2, None, backbone=make_backbone())
    explainer = mscam_tf.build_explainer(
        randomize(model, seed=5),
        scale_maps=True,
        activation="sigmoid",
        cell_contributions=True,
    )
    for name, values in explainer.predict(image, verbose=0).items():
        np.testing.assert_allclose(found[name], values, atol=1e-4)


def test_without_real_images_nothing_is_exported(tmp_path):
    run = make_run(tmp_path / "run")
    with pytest.raises(MscamError, match=r"Give real images.*no split.csv"):
        export_run(run, tmp_path / "export")
