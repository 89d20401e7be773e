import pytest

from tests.cli.command import call


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("pairs.csv", ["check", "--out", "pairs.csv"]),
        ("fold2.csv", ["split", "--folds", 3, "--out", "."]),
        (
            "labels.sizes.png",
            ["relabel", "--from", "masks", "--thresholds", 3, "--out", "labels.csv"],
        ),
    ],
)
def test_no_output_is_replaced_unasked(tmp_path, monkeypatch, name, command):
    """The images do not exist: the command does not even look for them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("mine")
    assert f"{name} exists; it is left alone. Choose another place, or add --overwrite" in call(
        *command, "missing", status=1
    )
    assert (tmp_path / name).read_text() == "mine"
