import csv
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mscam_tf import read_manifest
from mscam_tf.cli import app

RUNNER = CliRunner()


def call(*arguments, status=0):
    result = RUNNER.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


@pytest.fixture
def data(tmp_path):
    """Write ten noise images in two classes."""
    noise = np.random.default_rng(0).integers(0, 255, (10, 40, 40)).astype(np.uint8)
    for number, pixels in enumerate(noise):
        folder = tmp_path / "data" / ("none", "bone")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "data"


@pytest.fixture
def fourfold(data):
    """Add the three flipped copies of each image, named as the public fish-bone set names them."""
    for path in list(data.rglob("*.png")):
        pixels = np.asarray(Image.open(path))
        for letter, copy in {
            "U": pixels[::-1],
            "L": pixels[:, ::-1],
            "B": pixels[::-1, ::-1],
        }.items():
            Image.fromarray(np.ascontiguousarray(copy)).save(path.with_name(letter + path.name))
    return data


@pytest.mark.parametrize("command", ["check", "split", "relabel"])
def test_help_teaches(command):
    text = call(command, "--help")
    assert "Usage" in text
    assert f"mscam {command}" in text


def test_these_commands_load_neither_keras_nor_tensorflow(data):
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom mscam_tf.cli import app\n"
        f"result = CliRunner().invoke(app, ['check', {str(data)!r}])\n"
        "assert result.exit_code == 0, result.output\n"
        "print([m for m in ('keras', 'tensorflow', 'matplotlib') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_a_split_elsewhere_leads_to_the_images(data, tmp_path):
    out = tmp_path / "lists" / "split.csv"
    text = call("split", data, "--out", out)
    assert "10 images" in text
    assert "validation" in text
    manifest = read_manifest(out)
    assert all(path.exists() for path in manifest.paths)
    assert {sample.split for sample in manifest.samples} == {"train", "validation", "test"}
    assert "add --overwrite" in call("split", data, "--out", out, status=1)
    call("split", out, "--out", out, "--seed", 5, "--overwrite")
    assert read_manifest(out) != manifest


def test_folds(data, tmp_path):
    call("split", data, "--out", tmp_path / "folds", "--folds", 3)
    folds = [read_manifest(tmp_path / "folds" / f"fold{i}.csv") for i in (1, 2, 3)]
    tested = [sample.path for fold in folds for sample in fold.select("test").samples]
    assert len(tested) == len(set(tested)) == 10


def test_clean_data_pass(data):
    assert "Nothing is wrong" in call("check", data)


def test_fourfold_copies_are_found_and_grouped(fourfold, tmp_path):
    text = call(
        "check", fourfold, "--out", tmp_path / "pairs.csv", "--write-groups", tmp_path / "g.csv"
    )
    assert "Warning: 40 images in 10 sets of copies are in several groups" in text
    assert len(list(csv.DictReader((tmp_path / "pairs.csv").read_text().splitlines()))) == 60
    grouped = read_manifest(tmp_path / "g.csv")
    assert len({sample.group for sample in grouped.samples}) == 10
    call("split", tmp_path / "g.csv", "--out", tmp_path / "honest.csv")
    assert "Nothing is wrong" in call("check", tmp_path / "honest.csv")


def test_a_leak_has_status_1(fourfold, tmp_path):
    call("split", fourfold, "--out", tmp_path / "split.csv")
    text = call("check", tmp_path / "split.csv", status=1)
    assert "LEAK: " in text
    text = call("check", fourfold, "--split-file", tmp_path / "split.csv", status=1)
    assert "LEAK: " in text
    assert "(train)" in text


def test_broken_files_and_two_labels_have_status_1(data):
    (data / "none" / "broken.png").write_bytes(b"no image")
    (data / "bone" / "0.png").write_bytes((data / "none" / "0.png").read_bytes())
    text = call("check", data, status=1)
    assert "BROKEN: 1 files cannot be read" in text
    assert "broken.png" in text
    assert "WRONG: 2 images in 1 sets of copies are under several labels" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--from", "boxes"],
            "exactly one of --thresholds, --classes and --binary. Received: --thresholds None",
        ),
        (["--classes", "2"], "Sizes need a source: `--from` must be one of masks, boxes, column."),
        (["--from", "eyes", "--classes", "2"], "Received: --from eyes"),
        (["--from", "column", "--classes", "2"], "(--column) must be one of []. Received: column="),
        (["--from", "boxes", "--classes", "2"], "boxes.csv"),
        (["--from", "masks", "--thresholds", "1,b"], "Expected numbers, such as 12.5,22"),
        (["--binary", "--names", "good", "bad"], "One class must be 'good'"),
    ],
)
def test_relabel_says_what_is_missing(data, tmp_path, arguments, message):
    text = call("relabel", data, "--out", tmp_path / "labels.csv", *arguments, status=1)
    assert message in text
    assert "Traceback" not in text
    assert not (tmp_path / "labels.csv").exists()


def test_no_output_is_replaced_unasked(data, tmp_path, monkeypatch):
    for command in ("check", "split", "relabel"):  # Nothing is read before.
        monkeypatch.setattr(sys.modules[f"mscam_tf.cli.{command}"], "read_data", None)
    pairs, labels = tmp_path / "pairs.csv", tmp_path / "labels.csv"
    (tmp_path / "labels.sizes.png").touch()
    for path in (pairs, tmp_path / "fold2.csv"):
        path.write_text("mine")
    commands = {
        pairs: ("check", data, "--out", pairs),
        tmp_path / "fold2.csv": ("split", data, "--folds", 3, "--out", tmp_path),
        tmp_path / "labels.sizes.png": (
            *("relabel", data, "--from", "masks", "--thresholds", 3, "--out", labels),
        ),
    }
    for path, command in commands.items():
        assert f"{path} exists; it is left alone. Choose another place, or add --overwrite" in call(
            *command, status=1
        )
    assert pairs.read_text() == "mine"


def test_boxes_of_another_program_do_not_block(data, tmp_path, caplog):
    (data / "boxes.csv").write_text("id,score\n1,2\n")
    call("split", data, "--out", tmp_path / "folds", "--folds", 3)
    assert caplog.text.count("is passed over") == 1
