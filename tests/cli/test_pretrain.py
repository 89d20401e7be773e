from functools import partial

import pytest
from typer.testing import CliRunner

import mscam_tf.pretraining
from mscam_tf.cli import app

TINY = ("--backbone", "TinyNet", "--image-size", "32", "32", "--batch-size", "2")


@pytest.fixture(autouse=True)
def _few_probes(monkeypatch):
    few = partial(mscam_tf.pretraining.pretrain, probe_batches=1, calibration_scenes=20)
    monkeypatch.setattr("mscam_tf.pretraining.pretrain", few)


def call(*arguments):
    return CliRunner().invoke(app, ["pretrain", *map(str, arguments)])


@pytest.mark.slow
def test_pretrain_shows_its_probes_and_goes_on(tmp_path):
    options = ("--out", tmp_path, *TINY, "--scales", 3, "--save-every", 1, "--processes", 0)
    result = call(*options, "--steps", 1)
    assert result.exit_code == 0, result.output
    assert "step 1: loss" in result.output
    result = call(*options, "--steps", 2)
    assert result.exit_code == 0, result.output
    assert "step 2: loss" in result.output
    assert "step 1: loss" not in result.output
    assert (tmp_path / "model.keras").exists()
    result = call(*options, "--steps", 2, "--seed", 1)
    assert result.exit_code == 1
    assert "other settings" in result.output
