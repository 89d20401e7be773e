import pytest

from mscam_tf import RunError, TrainConfig, open_run
from mscam_tf.runs import create_run


def make_run(tmp_path, **arguments):
    config = TrainConfig(image_size=(64, 64))
    return create_run(tmp_path / "run", config, ["none", "bone"], "data", **arguments)


def test_round_trip(tmp_path):
    run = make_run(tmp_path)
    assert open_run(run.folder) == run
    assert run.versions["keras"]


def test_overwriting_replaces_the_whole_run(tmp_path):
    run = make_run(tmp_path)
    (run.folder / "old.png").touch()
    make_run(tmp_path, overwrite=True)
    assert not (run.folder / "old.png").exists()


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
