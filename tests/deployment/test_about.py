from dataclasses import replace

import numpy as np
import pytest

import mscam_tf
from mscam_tf.deployment import load_exported
from mscam_tf.deployment.about import (
    EXPORT_FOLDER,
    describe_export,
    describe_model,
    read_about,
    restore_run,
)
from mscam_tf.drift import FEATURES, fit_reference, read_reference, write_reference
from mscam_tf.files import write_json
from mscam_tf.runs import encode_run, read_operating_point, write_operating_point
from mscam_tf.swaps import list_others


@pytest.fixture(scope="module")
def exported(export):
    return load_exported(export("onnx").folder).run


def test_it_gives_back_the_run(exported, finished_run):
    assert exported.config == finished_run.config
    assert exported.class_names == finished_run.class_names
    point = read_operating_point(finished_run)
    record = {name: value for name, value in point.record.items() if name != "data"}
    assert record["sha256"]
    assert read_operating_point(exported) == replace(point, record=record)


def test_it_has_no_model_of_keras(exported):
    with pytest.raises(mscam_tf.RunError, match=r"open it with mscam_tf.load_exported"):
        exported.load_model()


def test_it_has_the_range_of_the_maps_that_the_run_has(exported, finished_run):
    assert exported.read_value_range() == finished_run.read_value_range()


def test_a_run_without_a_range_of_the_maps_is_named(exported):
    without = replace(exported, records={"display": None})
    with pytest.raises(mscam_tf.RunError, match=r"is an export without a range.*display=None"):
        without.read_value_range()


@pytest.mark.parametrize("name", ["kind", "file", "relevance", "run", "sha256"])
@pytest.mark.parametrize("value", [None, 3])
def test_what_is_missing_is_named(exported, tmp_path, name, value):
    about = read_about(exported.folder)
    write_json(tmp_path / "export.json", about | {name: value})
    with pytest.raises(mscam_tf.RunError, match=rf"export the run anew. Expected: '{name}', a "):
        load_exported(tmp_path)


def test_what_servers_load_beside_ours_is_somebodys(tmp_path):
    """They take all models of one folder."""
    hashes = {"models/a/1/model.onnx": "x", "run/model.keras": "y"}
    values = {"kind": "onnx", "file": "models/a/1/model.onnx", "relevance": [], "run": {}}
    write_json(tmp_path / "export.json", {"format": 1, **values, "sha256": hashes})
    names = ("a/1/model.onnx", "a/config.pbtxt", "config.json", "b/1/model.onnx", "b/config.pbtxt")
    for path in [tmp_path / "models" / name for name in names]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    others = ["models/b/1/model.onnx", "models/b/config.pbtxt"]
    assert list_others(tmp_path, EXPORT_FOLDER.find(tmp_path)) == others
    (tmp_path / "export.json").write_text("{}")
    assert len(list_others(tmp_path, EXPORT_FOLDER.find(tmp_path))) == 5


def test_records_are_names_with_values(finished_run):
    about = {"run": encode_run(finished_run), "display": [0, 1]}
    with pytest.raises(mscam_tf.RunError, match=r"export\.json must hold .*'display'.*\[0, 1\]"):
        restore_run(finished_run.folder, about)


@pytest.mark.parametrize(
    ("point", "match"),
    [
        ({"format": 1}, r"Expected: map_thresholds, .* Received: \[\]"),
        ({"map_thresholds": {}, "thresholds": 3}, r"Received: \['map_thresholds', 'thresholds'\]"),
        ({"map_thresholds": {"dog": 1.0}}, "must be of the classes"),
        ({"map_thresholds": {}, "format": 2}, "has a format that this version"),
    ],
)
def test_an_operating_point_changed_by_hand_is_named(finished_run, point, match):
    """By the file that was opened: an export has no operating_point.json."""
    about = {"run": encode_run(finished_run), "operating_point": point}
    run = restore_run(finished_run.folder, about)
    with pytest.raises(mscam_tf.RunError, match=rf"export\.json .*{match}"):
        read_operating_point(run)


def test_names_in_files_are_in_utf8(finished_run):
    """ONNX and OpenVINO take no others; Model API parts them at white space."""
    run = replace(finished_run, class_names=["caf\udce9", "two words"])
    assert describe_model(run)["labels"] == r"caf\udce9 two_words"
    run = replace(finished_run, class_names=["a b", "a  b", "a_b", "a_b_2"])
    assert describe_model(run)["labels"] == "a_b a_b_2 a_b_3 a_b_2_2"  # Four, as there are.


def test_it_stays_as_it_is(exported):
    with pytest.raises(mscam_tf.RunError, match=r"change the run, and export it anew"):
        write_operating_point(exported, read_operating_point(exported))


def test_it_keeps_what_images_are_like(exported, finished_run, tmp_path):
    assert read_reference(exported) is None
    run = replace(finished_run, folder=tmp_path)
    write_reference(run, fit_reference(np.ones((99, len(FEATURES))), np.zeros((99, 2))))
    about = describe_export(
        run,
        kind="onnx",
        file="model.onnx",
        precision="float32",
        free_size=False,
        relevance=np.ones((3, 2)),
        hashes={},
        outputs={},
        comparisons={},
    )
    found = read_reference(restore_run(exported.folder, about))
    assert found.sha256 == read_reference(run).sha256
