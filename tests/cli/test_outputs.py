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


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (["check", "--out", "x.csv"], "a list of copies"),
        (["check", "--write-groups", "x.csv"], "a manifest"),
        (["split", "--out", "x.csv"], "a manifest"),
        (["relabel", "--binary", "--out", "x.csv"], "a manifest"),
    ],
)
def test_tables_of_others_are_not_replaced(tmp_path, monkeypatch, command, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("path,kind,diameter\na.png,rib,3\n")
    text = call(*command, "missing", "--overwrite", status=1)
    assert f"x.csv exists, and is not known as {kind}; it is left alone" in text
    assert "rib" in (tmp_path / "x.csv").read_text()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["check", "m.csv", "--out", "m.csv"], "m.csv is what is read; choose another place"),
        (["check", "d", "--out", "d/a.png"], "The list of copies is a .csv file"),
        (["check", "d", "--out", "x.csv", "--write-groups", "x.csv"], "must be a file of its own"),
        (["check", "d", "--out", "d/boxes.csv"], "boxes.csv is read as boxes"),
        (["split", "d", "--out", "d/boxes.csv"], "boxes.csv is read as boxes"),
        (
            ["relabel", "d", "--from", "boxes", "--thresholds", 12, "--out", "d/boxes.csv"],
            "boxes.csv is read as boxes",
        ),
    ],
)
def test_what_is_read_is_not_replaced(tmp_path, monkeypatch, command, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    for name in ("m.csv", "x.csv", "d/a.png", "d/boxes.csv"):
        (tmp_path / name).write_text("mine")
    assert message in call(*command, "--overwrite", status=1)
    assert {path.read_text() for path in tmp_path.rglob("*.*")} == {"mine"}


@pytest.mark.parametrize(
    "command", [("split", "--out"), ("check", "--write-groups"), ("check", "--out")]
)
def test_the_record_of_a_run_is_not_replaced(data, tmp_path, command):
    (tmp_path / "config.json").write_text('{"config": {}, "class_names": []}')
    (tmp_path / "split.csv").write_text("path,label,group,split\n")
    (tmp_path / "link").symlink_to(tmp_path)
    name, option = command
    for place in (tmp_path, tmp_path / "link"):
        text = call(name, data, option, place / "split.csv", "--overwrite", status=1)
        assert "split.csv is of a run; choose another place." in text
    call("split", data, "--out", tmp_path / "other.csv")
