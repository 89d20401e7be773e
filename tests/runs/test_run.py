import json

import pytest

from mscam_tf import ReadOptions, RunError, TrainConfig, open_run
from mscam_tf.runs import check_free, create_run, replace_run


def make_run(tmp_path, **settings):
    config = TrainConfig(image_size=(64, 64), **settings)
    return create_run(tmp_path / "run", config, ["none", "bone"], "data")


def test_round_trip(tmp_path):
    run = make_run(tmp_path)
    assert open_run(run.folder) == run
    assert run.versions["keras"]
    assert json.loads((run.folder / "config.json").read_text())["format"] == 1


def test_the_way_of_reading_is_kept(tmp_path):
    read = ReadOptions(window=(10.5, 4095), invert=True, page=1)
    run = make_run(tmp_path, read=read, window_percentiles=(0.1, 99.9))
    assert open_run(run.folder) == run
    assert open_run(run.folder).config.read == read


def test_replacing_leaves_nothing_of_the_old_run(tmp_path):
    run = make_run(tmp_path)
    (run.folder / "old.png").touch()
    with replace_run(run.folder):
        make_run(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "config.json"]


def test_a_failure_brings_the_old_run_back(tmp_path):
    run = make_run(tmp_path)
    (run.folder / "old.png").touch()

    def fail():
        with replace_run(run.folder):
            make_run(tmp_path)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert {path.name for path in tmp_path.rglob("*")} == {"run", "config.json", "old.png"}


def test_only_runs_are_free_to_be_overwritten(tmp_path):
    check_free(tmp_path / "new", overwrite=False)
    run = make_run(tmp_path)
    with pytest.raises(RunError, match="exists; choose another folder"):
        check_free(run.folder, overwrite=False)
    check_free(run.folder, overwrite=True, data=tmp_path)
    with pytest.raises(RunError, match="holds the data"):
        check_free(run.folder, overwrite=True, data=run.folder / "images")
    (run.folder / "config.json").write_text("{}")  # Many a tool writes a file of this name.
    with pytest.raises(RunError, match="not a run; it is left alone"):
        check_free(run.folder, overwrite=True)


def test_not_a_run(tmp_path):
    with pytest.raises(RunError, match=r"no config\.json. Received: "):
        open_run(tmp_path)


@pytest.mark.parametrize("text", ["{", "{}", '{"config": {"image_size": null, "colour": 1}}'])
def test_broken_config(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunError, match=r"config\.json"):
        open_run(tmp_path)


def test_unfinished_and_broken_models(tmp_path):
    run = make_run(tmp_path)
    with pytest.raises(RunError, match="did not finish"):
        run.load_model()
    (run.folder / "model.keras").write_bytes(b"not a model")
    with pytest.raises(RunError, match="not a readable Keras model"):
        run.load_model()
    with pytest.raises(RunError, match=r"display\.json cannot be read"):
        run.read_value_range()
