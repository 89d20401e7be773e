import csv
import errno
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

import mscam_tf.pretraining
from mscam_tf import MscamError
from mscam_tf.locks import hold
from mscam_tf.models import read_pretrained
from mscam_tf.pretraining import PretrainConfig
from mscam_tf.pretraining.checkpoints import drop_later_rows
from mscam_tf.pretraining.models import build_pretraining_models
from mscam_tf.pretraining.supervision import make_map_targets, measure_asked
from mscam_tf.simulation import TARGETS, simulate_batch

pytestmark = pytest.mark.backends

TINY = {
    "backbone": "TinyNet",
    "scales": 3,
    "image_size": (32, 32),
    "batch_size": 4,
    "save_every": 2,
}
QUICK = TINY | {"learning_rate": 0.2}  # Each step shows, though the rate rises for 100 steps.


pretrain = partial(
    mscam_tf.pretraining.pretrain, processes=0, probe_batches=1, calibration_scenes=20
)


def read_history(folder):
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_stopped_pretraining_goes_on_as_if_it_had_not(tmp_path):
    config = PretrainConfig(steps=10, **QUICK)
    whole = pretrain(tmp_path / "whole", config)
    with pytest.raises(KeyboardInterrupt):
        pretrain(tmp_path / "parts", config, callbacks=[Stop()])
    assert not (tmp_path / "parts" / "model.keras").exists()
    # As if it had been killed between the two files that each checkpoint consists of.
    (tmp_path / "parts" / "history.csv").write_text(
        (tmp_path / "parts" / "history.csv").read_text() + "8" + ",0" * 20 + "\n"
    )
    resumed = pretrain(tmp_path / "parts", config)
    rows, expected = (read_history(tmp_path / name) for name in ("parts", "whole"))
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 8, 10]
    for name in ("loss", "maps_loss"):
        values, wanted = ([float(row[name]) for row in table] for table in (rows, expected))
        assert values == pytest.approx(wanted, rel=1e-3)
    assert resumed.output_shape == whole.output_shape == (None, len(TARGETS))
    saved = keras.saving.load_model(tmp_path / "parts" / "model.keras")
    image = np.random.default_rng(0).random((1, 32, 32, 1), np.float32)
    found, expected = (keras.ops.convert_to_numpy(model(image)) for model in (saved, resumed))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_weights_are_kept_in_half_precision_too(tmp_path):
    classifier = pretrain(tmp_path, PretrainConfig(steps=2, **TINY))
    kept = read_pretrained(tmp_path / "weights.npz")
    assert kept.targets == TARGETS
    assert kept.pooling == "soft"
    expected = keras.ops.convert_to_numpy(classifier.get_layer("scale1_maps").bias)
    np.testing.assert_allclose(kept.biases[0], expected, rtol=1e-3)


@pytest.mark.slow
def test_a_finished_pretraining_is_extended_from_before_its_fall(tmp_path):
    for name, steps in (("longer", 10), ("longer", 20), ("whole", 20)):
        pretrain(tmp_path / name, PretrainConfig(steps=steps, **QUICK))
    rows, expected = (read_history(tmp_path / name) for name in ("longer", "whole"))
    assert [row["step"] for row in rows] == [row["step"] for row in expected]
    values, wanted = ([float(row["loss"]) for row in table] for table in (rows, expected))
    assert values == pytest.approx(wanted, rel=1e-3)
    with pytest.raises(ValueError, match=r"of 20 steps: give as many or more.*Received: steps=10"):
        pretrain(tmp_path / "longer", PretrainConfig(steps=10, **QUICK))


def test_a_pretraining_that_diverges_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"diverged.*a lower learning rate.*Received"):
        pretrain(tmp_path, PretrainConfig(steps=4, learning_rate=1e30, **TINY))
    assert not (tmp_path / "weights.npz").exists()


def test_weights_that_are_no_numbers_do_not_take_the_place_of_the_checkpoint(tmp_path, monkeypatch):
    """Rectified layers may hide them from the loss."""
    pretrain(tmp_path, PretrainConfig(steps=2, **TINY))
    before = (tmp_path / "state.weights.h5").read_bytes()

    class Break(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for variable in self.model.trainable_variables[:1]:
                variable.assign(variable * float("nan"))

    monkeypatch.setattr("keras.callbacks.TerminateOnNaN", Break)
    with pytest.raises(MscamError, match=r"its (weights are|loss is) no numbers?\. .*is kept"):
        pretrain(tmp_path, PretrainConfig(steps=4, **TINY))
    assert (tmp_path / "state.weights.h5").read_bytes() == before


def test_a_history_that_is_missing_is_named(tmp_path, caplog):
    drop_later_rows(tmp_path / "history.csv", 0)
    assert not caplog.text
    drop_later_rows(tmp_path / "history.csv", 4)
    assert "history.csv: what it told until step 4 is lost" in caplog.text


@pytest.mark.parametrize("text", ["step;loss\n2;1\n", "step,loss\ntwo,1\n", 'step\n"2\n'])
def test_a_history_that_another_program_wrote_is_named(tmp_path, text):
    history = tmp_path / "history.csv"
    history.write_text(text)
    with pytest.raises(MscamError, match=r"history\.csv cannot be read; move it away.*column step"):
        drop_later_rows(history, 2)
    assert history.read_text() == text


@pytest.mark.parametrize(("step", "rows"), [(4, ["2,1.0", "4,0.5"]), (3, ["2,1.0"]), (0, [])])
def test_rows_of_steps_that_are_done_once_more_go(tmp_path, step, rows):
    history = tmp_path / "history.csv"
    history.write_text("step,loss\n2,1.0\n4,0.5\n")
    drop_later_rows(history, step)
    found = history.read_text().splitlines()[1:] if history.exists() else []
    assert found == rows


def test_what_the_scenes_raise_is_raised_as_it_is(tmp_path, monkeypatch):
    def stream(size, batch, stride, seed, first, processes):
        yield simulate_batch(size, batch, stride, seed, first)
        raise MscamError("A process that simulates was stopped.")

    monkeypatch.setattr("mscam_tf.pretraining.training.stream_batches", stream)
    with pytest.raises(MscamError, match=r"^A process that simulates was stopped\.$"):
        pretrain(tmp_path, PretrainConfig(steps=2, **TINY))


@pytest.mark.parametrize(
    "start", ["imagenet", "auto", "xary", "own.weights.h5", "run/model.keras", "", 3]
)
def test_weights_without_heads_are_no_start(start):
    message = (
        r"`start` \(--start\) must be one of 'none', 'xray', 'xray-2', 'xray-1', or the \.npz file "
        rf"of a pretraining\..* Received: start={start!r}"
    )
    with pytest.raises(MscamError, match=message) as raised:
        PretrainConfig(start=start)
    assert ("Did you mean 'xray'?" in str(raised.value)) == (start == "xary")


@pytest.mark.parametrize(
    ("start", "kept"),
    [(None, None), ("none", None), ("xray-1", "xray-1"), (Path("a/b.npz"), str(Path("a/b.npz")))],
)
def test_starts(start, kept):
    assert PretrainConfig(start=start).start == kept


def test_a_full_disk_is_a_message_and_the_last_checkpoint_stays(tmp_path, monkeypatch):
    def fail(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    pretrain(tmp_path, PretrainConfig(steps=2, **TINY))
    before = (tmp_path / "state.weights.h5").read_bytes()
    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(MscamError, match=r"state\.weights\.h5 cannot be written.*No space left"):
        pretrain(tmp_path, PretrainConfig(steps=4, **TINY))
    assert (tmp_path / "state.weights.h5").read_bytes() == before


def test_a_second_command_is_refused(tmp_path):
    with hold(tmp_path), pytest.raises(MscamError, match="Another command is writing"):
        pretrain(tmp_path, PretrainConfig(steps=2, **TINY))


def test_what_a_killed_pretraining_was_writing_is_in_nobodys_way(tmp_path):
    (tmp_path / ".partial-6a564ba81fb1.json").write_text("{")  # The first file of all.
    pretrain(tmp_path, PretrainConfig(steps=2, **TINY))
    assert not list(tmp_path.glob(".partial-*"))


def test_a_damaged_checkpoint_is_named(tmp_path):
    pretrain(tmp_path, PretrainConfig(steps=2, **TINY))
    (tmp_path / "state.weights.h5").write_bytes(b"half")
    with pytest.raises(MscamError, match=r"state\.weights\.h5 cannot be read; remove it"):
        pretrain(tmp_path, PretrainConfig(steps=2, **TINY))


def test_other_settings_are_refused(tmp_path):
    pretrain(tmp_path, PretrainConfig(steps=2, **TINY))
    with pytest.raises(ValueError, match=r"other settings.*Expected: .*0.*Received: .*'seed': 1"):
        pretrain(tmp_path, PretrainConfig(steps=4, seed=1, **TINY))


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"config": {}, "data": "there"}')
    with pytest.raises(ValueError, match=r"config\.json, and is not known as a pretraining"):
        pretrain(tmp_path, PretrainConfig(steps=2, **TINY))


@pytest.mark.parametrize("settings", [{"scales": 9}, {"views": (4.0, 4.0)}])
def test_what_cannot_be_built_leaves_no_folder(tmp_path, settings):
    with pytest.raises(MscamError):
        pretrain(tmp_path / "deep" / "out", PretrainConfig(steps=2, **(TINY | settings)))
    assert not list(tmp_path.iterdir())


def test_maps_are_trained_unless_they_are_not():
    _, trainer = build_pretraining_models(PretrainConfig(**TINY))
    names = [name for name in trainer.output if name != "logits"]
    assert names == ["maps", "scale1_maps", "scale2_maps", "scale3_maps"]
    _, plain = build_pretraining_models(PretrainConfig(map_weight=0.0, **TINY))
    assert list(plain.output) == ["logits"]


def test_the_sum_counts_as_much_as_its_scales_together():
    _, trainer = build_pretraining_models(PretrainConfig(map_weight=0.5, **TINY))
    stride = 32 // trainer.output["maps"].shape[1]
    batch = simulate_batch((32, 32), 2, stride, seed=1, step=0)
    targets = make_map_targets(batch.coverage, batch.hidden, 3)
    outputs = trainer(batch.images)
    maps = {name: to_numpy(measure_asked(targets[name], outputs[name])).mean() for name in targets}
    labels = keras.losses.BinaryCrossentropy(from_logits=True)(batch.targets, outputs["logits"])
    scales = sum(maps[f"scale{scale}_maps"] for scale in (1, 2, 3))
    found = trainer.compute_loss(batch.images, {"logits": batch.targets, **targets}, outputs)
    assert to_numpy(found) == pytest.approx(
        to_numpy(labels) + 0.5 * (scales + 3 * maps["maps"]), rel=1e-5
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_size": (100, 128)}, r"`image_size` must be .* multiple of 32.*Received"),
        ({"steps": 0}, r"`steps` must be a whole number of at least 1. Received: steps=0"),
        ({"steps": 150}, r"multiple of `save_every`. Received: steps=150, save_every=100"),
        ({"map_weight": -1.0}, r"`map_weight` must be a number of at least 0"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        PretrainConfig(**settings)
