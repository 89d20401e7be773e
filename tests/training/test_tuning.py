import json
from dataclasses import replace

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import MscamError, RunError, TrainConfig, read_manifest
from mscam_tf.files import read_table, write_json
from mscam_tf.runs import create_run
from mscam_tf.training import make_split_dataset
from mscam_tf.training.progress import Progress
from mscam_tf.training.tuning import say_what_is_kept
from tests.conftest import write_images

CONFIG = TrainConfig(
    backbone="TinyNet", model="single", image_size=(32, 32), batch_size=8, epochs=2, seed=2
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    data = write_images(tmp_path_factory.mktemp("data"), {"none": 30, "wide": 15}, (32, 32))
    return read_manifest(data)


def read_tuning(run):
    return json.loads((run.folder / "tuning.json").read_text())


def measure_loss(run, manifest):
    """Compute the validation loss of the model of a run with Keras, weighted as it is."""
    split = replace(read_manifest(run.split_file), root=manifest.root)
    validation = split.select("validation")
    logits = run.load_model().predict(make_split_dataset(run, validation), verbose=0)
    labels = run.task.encode(validation)
    weights = run.task.weigh_classes(split.select("train"))
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]
    return np.mean([weights[c] * loss for c, loss in zip(labels, losses, strict=True)])


def test_heads_alone_make_a_run_without_epochs(manifest, tmp_path):
    run = mscam_tf.train(manifest, tmp_path / "run", replace(CONFIG, tune="heads"))
    names = {path.name for path in run.folder.iterdir()}
    assert names >= {"config.json", "model.keras", "display.json", "tuning.json", "checkpoints"}
    assert "history.csv" not in names
    tuning = read_tuning(run)
    assert tuning["kept"] == "heads"
    assert tuning["heads"]["val_loss"] == pytest.approx(measure_loss(run, manifest), rel=1e-2)
    again = mscam_tf.train(manifest, run.folder, resume=True)
    assert again == run
    scores = mscam_tf.evaluate(run, manifest, run.folder, resamples=2)
    assert scores.num_images == 45


def test_heads_outlive_what_follows_them(manifest, tmp_path, monkeypatch, caplog):
    folder = tmp_path / "run"

    def fail(*arguments):
        raise MemoryError

    monkeypatch.setattr("mscam_tf.training.finishing.fit_range", fail)
    with pytest.raises(MemoryError):
        mscam_tf.train(manifest, folder, replace(CONFIG, tune="heads"))
    monkeypatch.undo()
    assert "until the heads were fitted is kept" in caplog.text
    names = ("model.keras", "checkpoints/best.weights.h5")
    kept = [(folder / name).read_bytes() for name in names]
    run = mscam_tf.train(manifest, folder, resume=True)
    assert [(folder / name).read_bytes() for name in names] == kept
    low, high = run.read_value_range()
    assert low < high
    assert not (folder / "checkpoints" / "progress.json").exists()


def test_auto_keeps_what_has_the_lower_loss(manifest, tmp_path, caplog):
    config = replace(CONFIG, tune="auto", pooling="soft", epochs=4)
    for rate in (1e-6, 1e-2):  # By the first, all tuned hardly moves from the heads.
        folder = tmp_path / str(rate)
        run = mscam_tf.train(manifest, folder, replace(config, learning_rate=rate))
        tuning = read_tuning(run)
        losses = [float(row["val_loss"]) for row in read_table(run.folder / "history.csv")]
        assert tuning["all"]["val_loss"] == pytest.approx(min(losses))
        best = min(tuning["heads"]["val_loss"], *losses)
        kept = "all" if best < tuning["heads"]["val_loss"] else "heads"
        assert tuning["kept"] == kept
        assert measure_loss(run, manifest) == pytest.approx(best, rel=1e-2)
        assert "Kept:" in caplog.text


def test_auto_goes_on_after_an_epoch(manifest, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    folder, config = tmp_path / "run", replace(CONFIG, tune="auto", epochs=3)
    whole = mscam_tf.train(manifest, tmp_path / "whole", config)
    with pytest.raises(KeyboardInterrupt):
        mscam_tf.train(manifest, folder, config, callbacks=[Stop()])
    run = mscam_tf.train(manifest, folder, resume=True)
    ours, expected = read_tuning(run), read_tuning(whole)
    assert ours["kept"] == expected["kept"]
    assert ours["heads"] == expected["heads"]
    assert ours["all"] == pytest.approx(expected["all"], rel=1e-3)


@pytest.mark.parametrize(("lowest", "kept"), [(0.25, "all"), (0.75, "heads")])
def test_what_is_kept_is_said(tmp_path, caplog, lowest, kept):
    run = create_run(tmp_path, CONFIG, ["none", "wide"], "")
    write_json(tmp_path / "tuning.json", {"kept": "heads", "heads": {"val_loss": 0.5}})
    say_what_is_kept(run, Progress(epoch=3, best=min(0.5, lowest), lowest=lowest))
    assert read_tuning(run)["kept"] == kept
    assert read_tuning(run)["all"] == {"epochs": 3, "val_loss": lowest}
    assert f"0.500 of the heads alone, {lowest:.3f} of all tuned" in caplog.text


def test_a_broken_record_is_named(tmp_path):
    run = create_run(tmp_path, CONFIG, ["none", "wide"], "")
    write_json(tmp_path / "tuning.json", {"heads": {}})
    with pytest.raises(RunError, match=r"tuning\.json must say the loss of the heads"):
        say_what_is_kept(run, Progress(epoch=3))


def test_heads_of_unit_norm_are_refused():
    with pytest.raises(MscamError, match=r"kernels of any norm\. Received: tune='auto', unit"):
        TrainConfig(tune="auto", unit_norm_heads=True)
