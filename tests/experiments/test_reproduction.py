import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import keras
import pytest
from typer.testing import CliRunner

import mscam_tf
from mscam_tf.cli import app
from mscam_tf.errors import RunError
from mscam_tf.experiments import (
    MODELS,
    ReproductionConfig,
    Trial,
    configure,
    list_settings,
    reproduce,
    trials,
)
from mscam_tf.experiments.reproduction import keep_settings
from mscam_tf.experiments.trials import list_trials, run_trials
from mscam_tf.simulation import SimulationConfig
from tests.conftest import write_images

TINY = mscam_tf.TrainConfig(backbone="TinyNet", image_size=(32, 32), epochs=1, batch_size=16)
CONFIG = ReproductionConfig(
    seeds=1,
    weights=("none",),
    images=48,
    fresh=16,
    simulation=SimulationConfig(image_size=(32, 32), difficulty=0.2),
    training=TINY,
)


class Kill(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


# What is killed leaves its history open.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_reproduction_goes_on_and_repeats_nothing(tmp_path, monkeypatch):
    """It is killed within the training of (b): (a) is not trained again, (b) goes on."""
    started, epochs = [], []

    def note(trial, kill=""):
        name = trial.model.name
        started.append(name)
        count = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: epochs.append((name, epoch))
        )
        return [count, *([Kill()] if name == kill else [])]

    with pytest.raises(KeyboardInterrupt):
        reproduce(tmp_path, CONFIG, callbacks=lambda trial: note(trial, "b"))
    assert started == ["a", "b"]
    done = []
    page = reproduce(
        tmp_path, CONFIG, callbacks=note, on_trial=lambda trial: done.append(trial.model.name)
    )
    assert started == ["a", "b", "b", "c"]
    assert epochs == [(name, epoch) for name in "abc" for epoch in range(3)]
    assert done == ["a", "b", "c"]
    names = {path.name for path in tmp_path.iterdir()}
    tables = {f"{name}.{kind}" for name in ("table1", "differences") for kind in ("csv", "md")}
    folders = {"data", "fresh", "trials", "figures", "failures"}
    assert names == tables | folders | {"config.json", "scores.csv", "index.html"}
    assert (tmp_path / "figures" / "none.png").exists()
    text = page.read_text()
    assert "(c) multi-scale, four classes" in text
    assert "What is confused" in text
    with pytest.raises(ValueError, match=r"other settings.*Expected: .*'images': 48"):
        reproduce(tmp_path, replace(CONFIG, images=50))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("config.json", "scores.csv"):
        shutil.copy(tmp_path / name, elsewhere)
    reproduce(elsewhere, CONFIG, callbacks=note)
    assert started == ["a", "b", "b", "c"]
    assert (elsewhere / "table1.csv").read_text() == (tmp_path / "table1.csv").read_text()
    assert not (elsewhere / "trials").exists()
    # What was scored before there was such a file is neither trained nor scored again.
    kept = sorted((tmp_path / "scores.csv").read_text().splitlines())
    (tmp_path / "scores.csv").unlink()
    for name in ("train", "evaluate"):
        monkeypatch.setattr(trials, name, None)
    reproduce(tmp_path, CONFIG)
    assert sorted((tmp_path / "scores.csv").read_text().splitlines()) == kept
    (elsewhere / "config.json").unlink()
    with pytest.raises(RunError, match="not known as a reproduction"):
        reproduce(elsewhere, CONFIG)
    (tmp_path / "config.json").unlink()
    with pytest.raises(RunError, match="not known as a reproduction"):
        reproduce(tmp_path, CONFIG)


@pytest.mark.slow
def test_more_seeds_and_starts_join(tmp_path):
    """Starts are kept apart by what they are: a file of weights by its hash."""
    weights = tmp_path / "own.weights.h5"
    mscam_tf.build_multiscale_classifier(2, (32, 32), backbone="TinyNet", weights=None).get_layer(
        "backbone"
    ).save_weights(weights)
    out = tmp_path / "out"
    reproduce(out, CONFIG)
    page = reproduce(out, replace(CONFIG, weights=(str(weights),)))
    rows = (out / "table1.csv").read_text().splitlines()[1:]
    assert len(rows) == 2 * len(MODELS)
    starts = {row.split(",")[0] for row in rows}
    assert "none" in starts
    (start,) = starts - {"none"}
    assert start.startswith("own.weights-")
    assert page.read_text().count("where it looks") == 2
    assert "From none, seed 0" in page.read_text()


def test_what_cannot_be_trained_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="NoNet"):
        reproduce(tmp_path / "out", replace(CONFIG, training=replace(TINY, backbone="NoNet")))
    assert not (tmp_path / "out").exists()


def test_all_models_of_a_seed_have_one_split(tmp_path, monkeypatch):
    data = mscam_tf.read_manifest(
        write_images(tmp_path / "data", {"none": 12, "thin": 12, "wide": 12})
    )
    trained = []

    def train(manifest, *_, **__):
        trained.append(manifest)
        return SimpleNamespace(versions={})

    monkeypatch.setattr(trials, "train", train)
    monkeypatch.setattr(trials, "evaluate", lambda *_, **__: None)
    monkeypatch.setattr(trials, "add_scores", lambda *_: None)
    done = list(run_trials(tmp_path, data, None, list_trials(["none"], 1), TINY))
    splits = [[(s.path, s.split) for s in manifest.samples] for manifest in trained]
    assert splits[0] == splits[1] == splits[2]
    for trial, manifest in zip(done, trained, strict=True):
        expected = {"none", "bone"} if trial.model.binary else {"none", "thin", "wide"}
        assert set(manifest.class_names) == expected


def test_a_second_command_is_refused_while_one_works(three_class_manifest, tmp_path, monkeypatch):
    """Both would write `scores.csv`, and lose rows of each other."""

    def run(folder, data, *_):
        with pytest.raises(mscam_tf.MscamError, match="Another command is writing"):
            reproduce(folder, CONFIG, data)
        raise KeyboardInterrupt

    monkeypatch.setattr("mscam_tf.experiments.reproduction.run_trials", run)
    with pytest.raises(KeyboardInterrupt):
        reproduce(tmp_path / "out", CONFIG, three_class_manifest)


def test_data_without_a_class_none_are_refused(image_folder, tmp_path):
    manifest = mscam_tf.label_binary(mscam_tf.read_manifest(image_folder), ("none", "x"))
    with pytest.raises(mscam_tf.ManifestError, match=r"'none' and two others.*Received"):
        reproduce(tmp_path, CONFIG, manifest)


def test_trainings_from_scratch_are_longer():
    scratch = configure(Trial(MODELS[0], "none", 4), TINY)
    assert (scratch.weights, scratch.epochs, scratch.seed) == (None, 3, 4)
    tuned = configure(Trial(MODELS[2], "xray", 4), TINY)
    assert (tuned.model, tuned.weights, tuned.epochs) == ("multiscale", "xray", 1)


def test_only_the_multiscale_model_has_heads_to_supervise():
    config = replace(TINY, deep_supervision=0.5)
    weights = [configure(Trial(model, "none", 0), config).deep_supervision for model in MODELS]
    assert weights == [0.0, 0.0, 0.5]


def test_settings_are_compared_and_named(tmp_path):
    """What an older version did not know is the default; what is not the default is named."""
    config = replace(CONFIG, simulation=SimulationConfig(image_size=(32, 32), difficulty=0.5))
    keep_settings(tmp_path, config, None)
    path = tmp_path / "config.json"
    settings = json.loads(path.read_text())
    del settings["training"]["deep_supervision"]
    path.write_text(json.dumps(settings))
    keep_settings(tmp_path, config, None)
    assert json.loads(path.read_text())["training"]["deep_supervision"] == 0.0
    deep = replace(config, training=replace(TINY, deep_supervision=0.5))
    with pytest.raises(RunError, match="other settings"):
        keep_settings(tmp_path, deep, None)
    named = list_settings(tmp_path)
    assert named["difficulty"] == 0.5
    assert named["backbone"] == "TinyNet"
    assert "deep_supervision" not in named


def test_the_size_of_simulated_images_is_named_where_trainings_choose_theirs(tmp_path):
    simulation = SimulationConfig(image_size=(32, 32))
    keep_settings(tmp_path, ReproductionConfig(simulation=simulation), None)
    assert list_settings(tmp_path) == {"image_size": [32, 32]}


@pytest.mark.parametrize("settings", [{"seeds": 0}, {"weights": ()}, {"fresh": 3}])
def test_bad_settings(settings):
    with pytest.raises(ValueError, match="Received"):
        ReproductionConfig(**settings)


@pytest.mark.slow
def test_reproduce_from_the_command_line(tmp_path):
    options = "--seeds 1 --weights none --backbone TinyNet --epochs 1 --images 32 --fresh 8"
    arguments = [*options.split(), "--image-size", "32", "32", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["reproduce", *arguments])
    assert result.exit_code == 0, result.output
    assert "done: none, seed 0, (c) multi-scale" in result.output
    assert "(c) - (b)" in result.output
