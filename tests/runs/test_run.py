import json
import subprocess
import sys

import keras
import pytest

from mscam_tf import ReadOptions, RunError, TrainConfig, open_run
from mscam_tf.models import LocalContrast, SoftPool
from mscam_tf.outputs import claim
from mscam_tf.runs import RUN_FOLDER, create_run
from tests.conftest import forbid
from tests.hostile import add_bomb, declare_more, edit_weights, link_elsewhere, save_lambda


def make_run(tmp_path, **settings):
    config = TrainConfig(image_size=(64, 64), **settings)
    return create_run(tmp_path / "run", config, ["none", "bone"], "data")


def test_round_trip(tmp_path):
    run = make_run(tmp_path)
    assert open_run(run.folder) == run
    assert run.versions["keras"]
    assert json.loads((run.folder / "config.json").read_text())["format"] == 2


def test_the_way_of_reading_is_kept(tmp_path):
    read = ReadOptions(window=(10.5, 4095), invert=True, page=1)
    run = make_run(tmp_path, read=read, window_percentiles=(0.1, 99.9))
    assert open_run(run.folder) == run
    assert open_run(run.folder).config.read == read


@pytest.mark.parametrize("text", ['{"low": NaN, "high": 1}', '{"low": 1, "high": 0}', "{}"])
def test_the_range_of_the_maps_is_two_numbers_that_rise(tmp_path, text):
    run = make_run(tmp_path)
    run.write_record("display", {"low": 0, "high": 0})  # Of maps that are constant.
    assert run.read_value_range() == (0.0, 0.0)
    (run.folder / "display.json").write_text(text)
    with pytest.raises(RunError, match="must have numbers low and high, in this order"):
        run.read_value_range()


def test_only_runs_are_known_as_runs(tmp_path):
    run = make_run(tmp_path)
    claim(run.folder, RUN_FOLDER, overwrite=True)
    (run.folder / "config.json").write_text("{}")  # Many a tool writes a file of this name.
    with pytest.raises(RunError, match="not known as a run"):
        claim(run.folder, RUN_FOLDER, overwrite=True)


def test_not_a_run(tmp_path):
    with pytest.raises(RunError, match=r"no config\.json. Received: "):
        open_run(tmp_path)


@pytest.mark.parametrize("text", ["{", "{}", "7", '{"config": {"image_size": null, "colour": 1}}'])
def test_broken_config(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunError, match=r"config\.json"):
        open_run(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(RunError, match=r"must hold names with values. Received: \[\]"):
        open_run(tmp_path)


def test_unfinished_and_broken_models(tmp_path):
    run = make_run(tmp_path)
    with pytest.raises(RunError, match="did not finish"):
        run.load_model()
    save_dense(run.folder / "model.keras", lambda path: path.write_bytes(path.read_bytes()[:-9]))
    with pytest.raises(RunError, match="not a readable Keras model: it is damaged"):
        run.load_model()
    with pytest.raises(RunError, match=r"display\.json cannot be read"):
        run.read_value_range()
    (run.folder / "display.json").write_text("{}")
    with pytest.raises(RunError, match=r"display\.json must have numbers low and high"):
        run.read_value_range()


@pytest.mark.parametrize("names", [["a", "a"], ["a", ""], [], "ab", [1, 2], None])
def test_classes_have_names(tmp_path, names):
    run = make_run(tmp_path)
    values = json.loads((run.folder / "config.json").read_text())
    run.write_record("config", {**values, "class_names": names})
    with pytest.raises(
        RunError, match=r"config\.json .*`class_names` must be a tuple of different names"
    ):
        open_run(run.folder)


@pytest.mark.parametrize(
    ("classes", "size", "expected"),
    [
        (3, (64, 64), r"Expected: 3 classes, .* Received: 2 classes, \['none', 'bone'\]"),
        (1, (None, None), r"Expected: 1 classes, images of .* = \(64, 64\)"),
        (2, (64, 96), r"images of .* = \(64, 96\). Received: .*images of \(64, 64\)"),
    ],
)
def test_settings_that_do_not_go_with_the_model_are_refused(tmp_path, classes, size, expected):
    run = make_run(tmp_path)
    pool = keras.layers.GlobalAveragePooling2D()
    layers = [keras.Input((*size, 1)), pool, keras.layers.Dense(classes)]
    keras.Sequential(layers).save(run.folder / "model.keras")
    with pytest.raises(RunError, match=rf"config\.json does not go with the model.*{expected}"):
        run.load_model()


def test_files_that_may_not_be_read_are_not_called_missing(tmp_path, monkeypatch):
    run = make_run(tmp_path)
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(run.folder / "model.keras")
    run.write_record("display", {"low": 0, "high": 1})
    forbid(monkeypatch, "model.keras", "display.json", "config.json")
    for name, read in (("model.keras", run.load_model), ("display.json", run.read_value_range)):
        with pytest.raises(RunError, match=rf"{name} cannot be read.*Permission denied"):
            read()
    for act in (open_run, lambda folder: claim(folder, RUN_FOLDER)):
        with pytest.raises(RunError, match=r"config\.json cannot be read.*Permission denied"):
            act(run.folder)


def save_dense(path, edit, *arguments):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")]).save(path)
    edit(path, *arguments)


KERNEL = "layers/dense/vars/0"
HUGE = (200_000, 30_000)


@pytest.mark.parametrize(
    ("save", "reason"),
    [
        (save_lambda, "Lambda"),
        (lambda path: save_dense(path, edit_weights, link_elsewhere, KERNEL), "ExternalLink"),
        (
            lambda path: save_dense(path, edit_weights, declare_more, KERNEL, HUGE),
            "GB",
        ),
        (lambda path: save_dense(path, add_bomb, 300), "decompression bomb"),
    ],
    ids=["code", "link", "shape", "zip"],
)
def test_a_model_that_means_harm_is_refused(tmp_path, save, reason):
    """Keras' safe mode does it, from the release on that `setup.cfg` asks for."""
    run = make_run(tmp_path)
    save(run.folder / "model.keras")
    with pytest.raises(RunError, match=rf"model\.keras is not a readable(.|\n)*{reason}"):
        run.load_model()


def test_a_process_that_has_built_no_model_loads_one(tmp_path):
    """Keras knows only layers whose modules were imported."""
    run = make_run(tmp_path)
    layers = [keras.Input((64, 64, 1)), LocalContrast(4.0), SoftPool(), keras.layers.Dense(2)]
    keras.Sequential(layers).save(run.folder / "model.keras")
    code = f"import mscam_tf; print(mscam_tf.open_run({str(run.folder)!r}).load_model().name)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
