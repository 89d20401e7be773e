import pytest
from typer.testing import CliRunner

from mscam_tf.cli import app


def call(*arguments):
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)])


def test_simulate_writes_a_data_set(tmp_path):
    out = tmp_path / "bones"
    result = call(out, "--images", 4, "--image-size", 32, 48, "--processes", 1)
    assert result.exit_code == 0, result.output
    assert len(list(out.glob("*/*.png"))) == 4 + 3  # Three of them have a mask.
    assert (out / "manifest.csv").exists()
    again = call(out, "--images", 4)
    assert again.exit_code == 1
    assert "must be empty or new" in again.output


def test_frames(tmp_path):
    options = ("--frames", "--groups", 3, "--image-size", 64, 128, "--pixel-pitch", 2)
    result = call(tmp_path / "frames", "--images", 1, "--processes", 1, *options)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "frames" / "boxes.csv").exists()


@pytest.mark.parametrize("options", [("--groups", 3), ("--balance", "none=1", "--frames")])
def test_options_without_effect_are_refused(tmp_path, options):
    result = call(tmp_path / "x", *options)
    assert result.exit_code == 1
    assert f"Received: {options[0]}" in result.output


@pytest.mark.parametrize("balance", ["none", "none=1,none=2", "none:1"])
def test_bad_balance_is_explained(tmp_path, balance):
    result = call(tmp_path / "x", "--balance", balance)
    assert result.exit_code == 2
    assert "none=3,scale1=1" in result.output


def test_test_pieces(tmp_path):
    options = ("--repeats", 1, "--good-images", 2, "--image-size", 32, 32, "--pixel-pitch", 1)
    result = call(tmp_path / "pieces", "--test-pieces", "--processes", 1, *options)
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "pieces" / "none").iterdir())) == 2
    assert (tmp_path / "pieces" / "objects.csv").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--repeats", 2), "add --test-pieces"),
        (("--test-pieces", "--frames"), "With --test-pieces"),
        (("--test-pieces", "--labels", "binary"), "With --test-pieces"),
    ],
)
def test_test_pieces_are_no_fillets(tmp_path, options, message):
    result = call(tmp_path / "x", *options)
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "x").exists()
