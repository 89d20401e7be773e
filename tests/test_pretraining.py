import csv

import keras
import numpy as np
import pytest

from mscam_tf.data.simulation.scenes import TARGETS
from mscam_tf.pretrained import read_pretrained
from mscam_tf.pretraining import (
    PretrainConfig,
    build_pretraining_models,
    make_map_targets,
    pretrain,
)

TINY = {"backbone": "TinyNet", "image_size": (32, 32), "batch_size": 4, "save_every": 2}


@pytest.fixture(autouse=True)
def _few_probes(monkeypatch):
    monkeypatch.setattr("mscam_tf.pretraining._PROBE_BATCHES", 1)


def read_history(folder):
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_a_stopped_pretraining_goes_on_as_if_it_had_not(tmp_path):
    config = PretrainConfig(steps=10, **TINY)
    whole = pretrain(tmp_path / "whole", config, processes=0)
    with pytest.raises(KeyboardInterrupt):
        pretrain(tmp_path / "parts", config, processes=0, callbacks=[Stop()])
    assert not (tmp_path / "parts" / "model.keras").exists()
    resumed = pretrain(tmp_path / "parts", config, processes=0)
    rows, expected = (read_history(tmp_path / name) for name in ("parts", "whole"))
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 8, 10]
    for name in ("loss", "maps_loss"):
        values, wanted = ([float(row[name]) for row in table] for table in (rows, expected))
        assert values == pytest.approx(wanted, rel=1e-3)
    assert resumed.output_shape == whole.output_shape == (None, len(TARGETS))
    saved = keras.saving.load_model(tmp_path / "parts" / "model.keras")
    image = np.random.default_rng(0).random((1, 32, 32, 1), np.float32)
    np.testing.assert_allclose(saved(image), resumed(image), rtol=1e-5, atol=1e-6)


def test_the_weights_are_kept_in_half_precision_too(tmp_path):
    classifier = pretrain(tmp_path, PretrainConfig(steps=2, **TINY), processes=0)
    kept = read_pretrained(tmp_path / "weights.npz")
    assert kept.targets == TARGETS
    expected = keras.ops.convert_to_numpy(classifier.get_layer("scale1_logits").bias)
    np.testing.assert_allclose(kept.biases[0], expected, rtol=1e-3)


def test_other_settings_are_refused(tmp_path):
    pretrain(tmp_path, PretrainConfig(steps=2, **TINY), processes=0)
    with pytest.raises(ValueError, match=r"other settings.*Received: .*'seed': 1"):
        pretrain(tmp_path, PretrainConfig(steps=4, seed=1, **TINY), processes=0)


def test_maps_are_trained_unless_they_are_not():
    _, trainer = build_pretraining_models(PretrainConfig(**TINY))
    names = [name for name in trainer.output if name != "logits"]
    assert names == ["maps", "scale1_maps", "scale2_maps", "scale3_maps"]
    _, plain = build_pretraining_models(PretrainConfig(map_weight=0.0, **TINY))
    assert list(plain.output) == ["logits"]


def test_map_targets_by_hand():
    coverage = np.zeros((1, 4, 4, 1), np.float32)
    coverage[0, 0, 0], coverage[0, 0, 1] = 1.0, 0.44
    targets = make_map_targets(coverage)
    assert targets["maps"][0, 0, :2, 0] == pytest.approx([1.0, np.sqrt(0.44)])
    # The mean of four cells is 0.36, and of sixteen 0.09.
    assert targets["scale2_maps"][0, 0, 0, 0] == pytest.approx(0.6)
    assert targets["scale3_maps"][0, 0, 0, 0] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_size": (100, 128)}, r"`image_size` must be multiples of 32.*Received"),
        ({"steps": 0}, r"`steps` must be positive. Received: steps=0"),
        ({"map_weight": -1.0}, r"`map_weight` must not be negative"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        PretrainConfig(**settings)
