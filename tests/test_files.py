import csv
import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mscam_tf.errors import MscamError
from mscam_tf.files import (
    TableReader,
    append_row,
    name_files,
    read_table,
    remove_stale,
    shorten_name,
    write_png,
    write_table,
    write_whole,
)


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write():
        with write_whole(path) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_success_replaces(tmp_path):
    path = tmp_path / "new" / "table.csv"
    for text in ("first", "second"):
        with write_whole(path) as partial:
            assert partial.suffix == ".csv"
            partial.write_text(text)
    assert path.read_text() == "second"


def test_what_a_link_leads_to_is_written_and_the_link_stays(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "data").write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(Path("far", "data"))
    with write_whole(link) as partial:
        assert (partial.parent, partial.suffix) == (tmp_path / "far", ".csv")
        partial.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "far" / "data").read_text() == "new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["data", "far", "link.csv"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "table.csv"
    with write_whole(path) as first, write_whole(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # Renamed last.
    assert list(tmp_path.iterdir()) == [path]


def test_the_longest_name_has_room_for_what_is_partial(tmp_path):
    path = tmp_path / f"{'a' * 244}.weights.h5"
    with write_whole(path) as partial:
        assert partial.name.endswith(".weights.h5")
        partial.touch()
    assert path.exists()


def test_what_a_killed_command_left_is_removed_an_hour_later(tmp_path):
    left, fresh = tmp_path / ".partial-a.csv", tmp_path / ".partial-b.csv"
    for path in (left, fresh):
        path.touch()
    os.utime(left, (time.time() - 3700,) * 2)
    remove_stale(tmp_path)
    assert list(tmp_path.iterdir()) == [fresh]


def test_what_cannot_be_removed_does_no_harm(tmp_path, monkeypatch):
    """As in a folder that is read-only."""
    left = tmp_path / ".partial-a.csv"
    left.touch()
    os.utime(left, (time.time() - 3700,) * 2)

    def refuse(path, missing_ok=False):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    remove_stale(tmp_path)
    assert left.exists()


@pytest.mark.parametrize("text", ["-1.5", "+1e-05", "-inf", "+0.011 ± 0.028 [-0.029, +0.050]"])
def test_figures_stay_as_they_are(tmp_path, text):
    write_table(tmp_path / "a.csv", [{"difference": text}])
    assert (tmp_path / "a.csv").read_text().splitlines()[1].strip('"') == text
    assert read_table(tmp_path / "a.csv") == [{"difference": text}]


@pytest.mark.parametrize(
    "text",
    ["=1+2", "+a", "-b", "-1+cmd|x!A0", "@c", "'=d", "''=e", "\t=f", "a,b", '"', "'g", "\udcff"],
)
def test_names_are_no_formulas_and_read_back(tmp_path, text):
    path = tmp_path / "table.csv"
    write_table(path, [{text: text, "x": "y"}])
    with path.open(newline="", errors="replace") as file:
        for row in csv.reader(file):
            assert not row[0].startswith(("=", "+", "-", "@", "\t"))
    assert read_table(path) == [{text: text, "x": "y"}]


def test_numbers_and_signs_stay_as_they_are(tmp_path):
    path = tmp_path / "table.csv"
    write_table(path, [{"a": -1.5, "b": "-0.25", "c": "-inf", "d": "-", "e": "+1e-3", "f": None}])
    assert path.read_bytes() == b"a,b,c,d,e,f\r\n-1.5,-0.25,-inf,-,+1e-3,\r\n"


def test_rows_are_appended_under_one_header(tmp_path):
    for step in (1, 2):
        append_row(tmp_path / "history.csv", {"step": step, "loss": 0.5})
    assert (tmp_path / "history.csv").read_text().split() == ["step,loss", "1,0.5", "2,0.5"]


def test_a_quote_that_is_not_closed_is_an_error():
    with pytest.raises(csv.Error):
        list(TableReader(["path,label\n", '"a.png,bone\n', "b.png,none\n"]))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_keep_their_values(tmp_path, dtype):
    values = np.array([[0, 7], [np.iinfo(dtype).max, 1], [2, 3]], dtype)
    write_png(tmp_path / "new" / "a.png", values[:, ::-1])
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "new" / "a.png")), values[:, ::-1]
    )


def test_names_are_short_and_unique():
    long = "필름" * 40
    paths = [Path(f"a/{long}{end}.png") for end in ("1", "2")] + [Path("a/x.png"), Path("b/X.png")]
    names = name_files(paths, room=60)
    assert len({name.casefold() for name in names}) == 4
    assert all(len(name.encode()) <= 60 for name in names)
    assert names[2:] == ["a_x", "b_X"]
    assert len(shorten_name("\udcff" * 300).encode(errors="surrogateescape")) <= 255


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EFBIG"])
def test_a_full_disk_is_a_message_that_names_the_file(tmp_path, name):
    path = tmp_path / "a.txt"
    path.write_text("old")
    number = getattr(errno, name)

    def fail():
        with write_whole(path) as partial:
            partial.write_text("half")
            raise OSError(number, os.strerror(number))

    with pytest.raises(MscamError, match=rf"a\.txt cannot be written.*{os.strerror(number)}"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_errors_of_the_system_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), write_whole(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "Permission denied")
