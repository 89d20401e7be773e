"""An export opens where there is no TensorFlow, and says what the run says."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

import mscam_tf
from mscam_tf.deployment import load_exported
from mscam_tf.runs import read_operating_point

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import mscam_tf
session = mscam_tf.load_exported(sys.argv[1])
results = list(session.explain(map(Path, sys.argv[3:])))
point = mscam_tf.runs.read_operating_point(session.run)
assert {"tensorflow", "keras"} & set(sys.modules) == set(), "TensorFlow or Keras was loaded"
np.savez(sys.argv[2], images=[r.image for r in results], maps=[r.maps for r in results],
         logits=[r.logits for r in results], threshold=point.decision_threshold)
"""


@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_a_session_without_tensorflow(export, finished_run, image_folder, tmp_path, format):
    paths = sorted(image_folder.glob("wide/*"))
    command = [sys.executable, "-c", SCRIPT, export(format).folder, tmp_path / "found.npz", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "found.npz")
    expected = list(mscam_tf.open_session(finished_run).explain(paths))
    np.testing.assert_array_equal(found["images"], [one.image for one in expected])
    np.testing.assert_allclose(found["logits"], [one.logits for one in expected], atol=1e-4)
    np.testing.assert_allclose(found["maps"], [one.maps for one in expected], atol=1e-4)
    assert found["threshold"] == read_operating_point(finished_run).decision_threshold


def test_commands_take_the_session(export, finished_run, image_folder, tmp_path):
    manifest = mscam_tf.read_manifest(image_folder)
    session = load_exported(export("onnx").folder, threads=1)
    scores = mscam_tf.evaluate(session, manifest, tmp_path / "scores", resamples=2)
    own = mscam_tf.evaluate(finished_run, manifest, tmp_path / "own", resamples=2)
    assert scores.metrics["accuracy"] == own.metrics["accuracy"]
    assert session.run.read_value_range() == finished_run.read_value_range()


@pytest.mark.parametrize("threads", [0, 2**31, 10**30])
def test_threads_are_as_many_as_a_machine_has(tmp_path, threads):
    with pytest.raises(
        mscam_tf.MscamError, match=r"`threads` must be a whole number of at least 1"
    ):
        load_exported(tmp_path, threads=threads)


def test_fast_is_for_openvino(export, image_folder):
    paths = sorted(image_folder.glob("wide/*"))[:2]
    (first, _) = load_exported(export("openvino").folder, fast=True).explain(paths)
    assert np.isfinite(first.maps).all()
    with pytest.raises(mscam_tf.MscamError, match=r"Only OpenVINO.*Received: fast=True"):
        load_exported(export("onnx").folder, fast=True)


def test_a_changed_file_is_refused(export, tmp_path):
    folder = shutil.copytree(export("onnx").folder, tmp_path / "export")
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\\0")
    with pytest.raises(mscam_tf.RunError, match=r"model.onnx is not the file that was exported"):
        load_exported(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(mscam_tf.RunError, match=r"model.onnx is missing: export"):
        load_exported(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"file": "../model.onnx"}, r"not among the files that were exported.*'\.\./model\.onnx'"),
        ({"sha256": {}}, r"not among the files that were exported"),
        ({"relevance": [0.5, 0.5]}, r"export the run anew.*Received: relevance=\[0\.5, 0\.5\]"),
        ({"relevance": [["a"]]}, r"the relevance, a number for each scale"),
        (
            {"input": {"shape": [None, 64, 64, 3]}},
            r"json is damaged.*\(\d+, \d+\).*shape=\[None, 64",
        ),
        ({"input": None}, r"json is damaged: export the run anew.*Received: shape=None"),
        ({"relevance": [[1.0]]}, r"the relevance, a number for each scale"),
    ],
)
def test_a_damaged_description_is_refused(export, tmp_path, values, message):
    folder = shutil.copytree(export("onnx").folder, tmp_path / "export")
    about = json.loads((folder / "export.json").read_text()) | values
    (folder / "export.json").write_text(json.dumps(about))
    with pytest.raises(mscam_tf.RunError, match=message):
        load_exported(folder)


def test_other_formats_are_named(export):
    with pytest.raises(mscam_tf.MscamError, match=r"opens the formats onnx and openvino"):
        load_exported(export("litert").folder)


def test_a_run_is_no_export(finished_run):
    with pytest.raises(mscam_tf.RunError, match=r"Not an export, it has no export.json"):
        load_exported(finished_run.folder)


def test_a_newer_format_is_named(export, tmp_path):
    folder = shutil.copytree(export("onnx").folder, tmp_path / "export")
    about = json.loads((folder / "export.json").read_text()) | {"format": 9}
    (folder / "export.json").write_text(json.dumps(about))
    with pytest.raises(mscam_tf.RunError, match=r"Expected: format=1. Received: format=9"):
        load_exported(folder)
