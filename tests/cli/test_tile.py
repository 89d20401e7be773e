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


def test_help_teaches():
    text = call("tile", "--help")
    assert "mscam tile films" in text
    assert "--window" in text


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


def test_earlier_patches_are_no_films(films, caplog):
    call("tile", films / "films", "--size", 32, "--out", films / "films" / "patches")
    before = read_manifest(films / "films" / "patches")
    call("tile", films / "films", "--size", 32, "--out", films / "again")
    assert "data sets of their own (1, such as patches)" in caplog.text
    again = read_manifest(films / "again")
    assert [(s.path, s.label) for s in again.samples] == [(s.path, s.label) for s in before.samples]


def test_tile_says_what_is_wrong(films):
    options = ("tile", films / "films", "--size", 32)
    assert "is not known as patches" in call(
        *options, "--out", films / "films", "--overwrite", status=1
    )
    text = call(*options, "--out", films / "new", "--empty", "some", status=2)
    assert "keep, skip or a number" in text
    assert "Each frame needs a mask" in call(
        *options, "--out", films / "new", "--masks", films, status=1
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,x_min,y_min,x_max,y_max\na.png,4,4,9,9\na.png,4,4,4,9\n", "line 3: A box must"),
        ("path,x_min,y_min,x_max,y_max\nother.png,4,4,9,9\n", "must be of images that are listed"),
        ("id,score\n1,2\n", "must have the columns path, x_min"),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_boxes_beside_films_are_never_passed_over(films, text, message, listed):
    if listed:
        (films / "films" / "manifest.csv").write_text("path,label\na.png,x\nb.png,x\n")
    (films / "films" / "boxes.csv").write_text(text)
    out = films / "patches"
    assert message in call("tile", films / "films", "--size", 32, "--out", out, status=1)
    assert not out.exists()


def test_boxes_in_the_folder_of_films_are_read(films):
    (films / "boxes.csv").rename(films / "films" / "boxes.csv")
    text = call("tile", films / "films", "--size", 32, "--out", films / "patches")
    assert "4 frames: 12 patches with an object, 4 without" in text


def test_an_empty_file_of_boxes_is_said(films):
    (films / "none.csv").write_text("path,x_min,y_min,x_max,y_max\n")
    options = ("--size", 32, "--boxes", films / "none.csv", "--out", films / "patches")
    text = call("tile", films / "films", *options)
    assert "The file of boxes is empty: every patch is labelled none." in text
    labelled = ("--from", "boxes", "--binary", "--out", films / "patches/labels.csv")
    text = call("relabel", films / "patches", "--boxes", films / "none.csv", *labelled)
    assert "The file of boxes is empty: no image has an object." in text
