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


@pytest.mark.parametrize("command", ["check", "split", "relabel", "tile"])
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


@pytest.fixture
def films(tmp_path):
    """Write four films with bars of 2, 6 and 12 pixels, in a patch each, and an empty patch."""
    generator = np.random.default_rng(0)
    lines = ["film,x_min,y_min,x_max,y_max"]
    (tmp_path / "films").mkdir()
    for name in "abcd":
        pixels = generator.integers(0, 100, (32, 128)).astype(np.uint8)
        for start, width in ((4, 2), (36, 6), (68, 12)):
            lines.append(f"{name}.png,{start},4,{start + width},{4 + width}")
        Image.fromarray(pixels).save(tmp_path / "films" / f"{name}.png")
    (tmp_path / "boxes.csv").write_text("\n".join(lines))
    return tmp_path


def test_from_films_to_a_split_of_scales(films, capsys):
    boxes = ("--boxes", films / "boxes.csv", "--size", 32)
    text = call("tile", films / "films", *boxes, "--out", films / "patches")
    assert "4 frames: 12 patches with an object, 4 without" in text
    labels = films / "lists" / "labels.csv"
    text = call(
        "relabel", films / "patches", "--from", "boxes", "--thresholds", "5,10", "--out", labels
    )
    assert labels.with_name("labels.sizes.png").exists()
    manifest = read_manifest(labels)
    assert [sample.label for sample in manifest.samples[:4]] == [
        "scale1",
        "scale2",
        "scale3",
        "none",
    ]
    assert manifest.samples[1].extra["object_size"] == "6"
    split = films / "lists" / "split.csv"
    call("split", labels, "--out", split)
    call("check", split)
    text = call(
        "relabel", split, "--from", "boxes", "--classes", 2, "--out", films / "lists" / "two.csv"
    )
    assert "Thresholds: 6" in text
    text = call("relabel", split, "--binary", "--out", films / "binary.csv", status=1)
    assert "Other boxes are in the way" in text  # Those of the films.
    call(
        "relabel",
        split,
        "--binary",
        "--names",
        "none",
        "pore",
        "--out",
        films / "lists" / "binary.csv",
    )
    assert read_manifest(films / "lists" / "binary.csv").class_names == ["none", "pore"]


def test_empty_patches_and_overwriting(films):
    options = ("tile", films / "films", "--boxes", films / "boxes.csv", "--size", 32)
    out = ("--out", films / "patches")
    call(*options, *out, "--empty", "skip")
    assert len(read_manifest(films / "patches").samples) == 12
    assert "add --overwrite" in call(*options, *out, status=1)
    call(*options, *out, "--empty", "0.25", "--overwrite")
    assert len(read_manifest(films / "patches").samples) == 15
    assert "every patch is labelled none" in call("tile", films / "films", "--out", films / "all")


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


def test_simulated_fillets_become_patches(tmp_path):
    frames, patches = tmp_path / "frames", tmp_path / "patches"
    options = ("--image-size", 64, 128, "--pixel-pitch", 2, "--processes", 1)
    call("simulate", frames, "--frames", "--images", 2, "--groups", 3, *options)
    text = call("tile", frames, "--size", 32, "--out", patches)
    assert "2 frames: " in text
    truth = {sample.path: frames / sample.mask for sample in read_manifest(frames).samples}
    manifest = read_manifest(patches)
    assert {sample.group for sample in manifest.samples} == set(truth)
    assert "object" in manifest.class_names
    for sample in manifest.samples:
        x, y = int(sample.extra["x"]), int(sample.extra["y"])
        whole = np.asarray(Image.open(truth[sample.group]))
        mask = np.asarray(Image.open(patches / sample.mask))
        np.testing.assert_array_equal(mask, whole[y : y + 32, x : x + 32])
        assert sample.label == "none" or mask.any()


def test_masks_and_boxes_that_are_named_go_first(films):
    (films / "manifest.csv").write_text("path,label\nfilms/a.png,x\n")
    (films / "none.csv").write_text("path,x_min,y_min,x_max,y_max\n")
    (films / "masks" / "films").mkdir(parents=True)
    mask = np.zeros((32, 128), np.uint8)
    Image.fromarray(mask).save(films / "masks" / "films" / "a.png")
    options = ("tile", films, "--size", 32)
    assert "3 patches with an object" in call(*options, "--out", films / "1")
    text = call(*options, "--boxes", films / "none.csv", "--out", films / "2")
    assert "0 patches with an object" in text
    text = call(*options, "--masks", films / "masks", "--out", films / "3")
    assert "0 patches with an object" in text
    assert read_manifest(films / "3").samples[0].mask


def test_a_window_for_patches(films):
    options = ("tile", films / "films" / "a.png", "--size", 32, "--out", films / "patches")
    call(*options, "--window", 10, 60, "--invert")
    stored = np.asarray(Image.open(films / "films" / "a.png"))[:32, :32].astype(float)
    patch = np.asarray(Image.open(read_manifest(films / "patches").paths[0]))
    expected = 65535 * (1 - np.clip((stored - 10) / 50, 0, 1))
    np.testing.assert_allclose(patch, expected, atol=0.51)


def test_tile_does_not_eat_its_input(films):
    call("tile", films / "films", "--size", 32, "--out", films / "patches")
    options = ("--size", 32, "--out", films / "patches", "--overwrite")
    for arguments in (
        [films / "patches"],
        [films / "films", "--boxes", films / "patches" / "boxes.csv"],
        [films / "films", "--masks", films / "patches" / "masks"],
    ):
        if arguments[1:2] == ["--masks"]:
            (films / "patches" / "masks").mkdir()
            for path in (films / "films").iterdir():
                (films / "patches" / "masks" / path.name).write_bytes(path.read_bytes())
        assert "must hold none of the inputs" in call("tile", *arguments, *options, status=1)
    assert all(path.exists() for path in read_manifest(films / "patches").paths)


def test_no_output_is_replaced_unasked(data, tmp_path, monkeypatch):
    monkeypatch.setattr("mscam_tf.cli.data.read_data", None)  # Nothing is read before.
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
        assert f"add --overwrite. Received: {path}" in call(*command, status=1)
    assert pairs.read_text() == "mine"


def test_boxes_of_another_program_do_not_block(data, tmp_path, caplog):
    (data / "boxes.csv").write_text("id,score\n1,2\n")
    call("split", data, "--out", tmp_path / "folds", "--folds", 3)
    assert caplog.text.count("is passed over") == 1


def test_tile_says_what_is_wrong(films, data):
    options = ("tile", films / "films", "--size", 32)
    assert "must be empty, or one" in call(*options, "--out", data, "--overwrite", status=1)
    text = call(*options, "--out", films / "new", "--empty", "some", status=1)
    assert "keep, skip or a number" in text
    assert "Each frame needs a mask" in call(
        *options, "--out", films / "new", "--masks", data, status=1
    )
