import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mscam_tf import ReadOptions, open_run, read_manifest, select_samples
from mscam_tf.cli import app
from tests.datasets.fakes import write_fishbones

RUNNER = CliRunner()


def call(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    "command", [[], ["train"], ["evaluate"], ["explain"], ["analyze"], ["demo"]]
)
def test_help_teaches(command):
    result = call(*command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_help_loads_neither_keras_nor_tensorflow():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom mscam_tf.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print([m for m in ('keras', 'tensorflow', 'matplotlib', 'numpy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_analyze(three_class_run, three_class_manifest, tmp_path):
    root = three_class_manifest.root
    options = ("--split", "all", "--unlabelled", root / "thin", "--threshold", 0.2)
    result = call("analyze", three_class_run.folder, root, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    assert "of 24 images are wrong" in result.output
    assert (tmp_path / "out" / "label_next.csv").exists()


def test_evaluate_and_explain(finished_run, image_folder, tmp_path):
    result = call("evaluate", finished_run.folder, image_folder, "--out", tmp_path / "scores")
    assert result.exit_code == 0, result.output
    assert "accuracy" in result.output
    assert (tmp_path / "scores" / "confusion.png").exists()
    image = image_folder / "wide" / "wide0.png"
    result = call("explain", finished_run.folder, image, "--flips", "--out", tmp_path / "maps")
    assert result.exit_code == 0, result.output
    assert "logit of" in result.output
    assert (tmp_path / "maps" / "wide0_scales.png").exists()
    part = ("--split", "test", "--out", tmp_path / "test")
    result = call("explain", finished_run.folder, image_folder, *part)
    assert result.exit_code == 0, result.output
    tested = select_samples(finished_run, read_manifest(image_folder), "test")
    overlays = {path.name for path in (tmp_path / "test").glob("*_overlay.png")}
    assert overlays == {f"{path.stem}_overlay.png" for path in tested.paths}


def test_train_shows_progress_and_draws_curves(image_folder, tmp_path):
    run = tmp_path / "run"
    size = ("--image-size", 64, 64)
    result = call(
        "train", image_folder, "--out", run, "--backbone", "TinyNet", "--epochs", 1, *size
    )
    assert result.exit_code == 0, result.output
    assert "epoch 1/1: loss" in result.output
    assert (run / "history.png").exists()
    again = call("train", image_folder, "--out", run)
    assert again.exit_code == 1
    assert "--overwrite" in again.output


def test_train_reads_as_it_is_told_and_skips_bad_images(image_folder, tmp_path):
    data = shutil.copytree(image_folder, tmp_path / "data")
    (data / "none" / "bad.png").write_bytes(b"broken")
    options = ["--backbone", "TinyNet", "--epochs", 1, "--image-size", 32, "--invert"]
    options += ["--window", 0, 300.5, "--max-pixels", 5000]
    result = call("train", data, "--out", tmp_path / "run", *options)
    assert result.exit_code == 1
    assert "bad.png" in result.output
    assert "--skip-bad" in result.output
    result = call("train", data, "--out", tmp_path / "run", *options, "--skip-bad")
    assert result.exit_code == 0, result.output
    assert "skipped.csv" in result.output
    config = open_run(tmp_path / "run").config
    assert config.image_size == (32, 32)
    assert config.read == ReadOptions(window=(0, 300.5), invert=True, max_pixels=5000)


def test_data_sets_of_tfds(tmp_path, monkeypatch):
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path))
    manual = write_fishbones(tmp_path / "downloads" / "manual")
    run, data = tmp_path / "run", "tfds:gdxray_fishbones"
    size = ("--image-size", 64, 64)
    result = call("train", data, "--out", run, "--backbone", "TinyNet", "--epochs", 1, *size)
    assert result.exit_code == 0, result.output
    assert f"mscam evaluate {run} {data}" in " ".join(result.output.split())
    result = call("evaluate", run, data)
    assert result.exit_code == 0, result.output
    assert "4 images (test)" in result.output
    result = call("evaluate", run, "tfds:bones")
    assert result.exit_code == 1
    assert "gdxray_welds/films" in result.output
    shutil.rmtree(manual)
    result = call("train", "tfds:gdxray_welds", "--out", tmp_path / "welds")
    assert result.exit_code == 1
    assert "Welds/W0001/ground_truth.txt" in result.output


def test_errors_are_one_message_and_status_1(finished_run, image_folder, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text((finished_run.folder / "config.json").read_text())
    (broken / "model.keras").write_bytes(b"no model")
    windows = ["--window", 0, 1, "--window-percentiles", 1, 99]
    cases = [
        (["train", tmp_path / "missing", "--out", tmp_path / "r"], "DATA must be a folder"),
        (["train", image_folder, "--out", tmp_path / "r", "--model", "x"], "`model` must be"),
        (
            ["train", image_folder, "--out", tmp_path / "r", "--backbone", "DenseNet12"],
            "Did you mean 'DenseNet121'?",
        ),
        (
            ["train", image_folder, "--out", tmp_path / "r", "--weights", "imagnet"],
            "Did you mean 'imagenet'?",
        ),
        (
            ["train", image_folder, "--out", tmp_path / "r", "--learning-rate", "nan"],
            "`learning_rate` must be a number above 0",
        ),
        (
            ["train", image_folder, "--out", tmp_path / "r", *windows],
            "Give --window or --window-percentiles",
        ),
        (["evaluate", tmp_path, image_folder], "no config.json"),
        (["explain", finished_run.folder, tmp_path / "no.png", "--out", tmp_path], "No such image"),
        (["evaluate", broken, image_folder, "--split", "all"], "not a readable Keras model"),
    ]
    for arguments, message in cases:
        result = call(*arguments)
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
        assert "Traceback" not in result.output


@pytest.mark.slow
def test_demo(tmp_path, monkeypatch):
    monkeypatch.setattr("mscam_tf.cli.runs._DEMO_IMAGES", 45)
    monkeypatch.setattr("mscam_tf.cli.runs._DEMO_EPOCHS", 1)
    result = call("demo", "--out", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "demo" / "maps" / "sheet.png").exists()
