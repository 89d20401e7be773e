import errno
import os

import pytest

from mscam_tf import MscamError
from mscam_tf.swaps import (
    discard_folder,
    hide_name,
    is_fixed,
    is_free,
    is_unused,
    list_others,
    put_folder,
    replace_files,
)


def make(folder, **files):
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def read(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("there", [None, {}, {"model": "old", "notes": "mine"}])
def test_a_complete_folder_takes_the_place_of_what_is_there(tmp_path, there):
    if there is not None:
        make(tmp_path / "run", **there)
    put_folder(make(tmp_path / "new", model="new"), tmp_path / "run", ["model"])
    others = {"notes": "mine"} if there else {}
    assert read(tmp_path / "run") == {"model": "new", **others}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_somebodys_goes_to_the_new_folder_or_stays(tmp_path):
    old, new = make(tmp_path / "old", model="a", notes="b"), make(tmp_path / "new", notes="c")
    discard_folder(old, new, ["model"])
    assert read(new) == {"notes": "c"}
    assert read(old) == {"model": "a", "notes": "b"}  # Not lost for a name that is taken.
    assert list_others(old, ["mod*"]) == ["notes"]


def test_what_is_somebodys_in_a_folder_of_ours_stays(tmp_path):
    old, new = tmp_path / "old", make(tmp_path / "new", model="b")
    for name in ("images/0.png", "images/deep/1.png", "images/a.txt", "images/deep/b.png", "c/d"):
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).write_text(name)
    entries = ["images", "images/*[0-9].png", "c", "model"]
    assert list_others(old, entries) == ["images/a.txt", "images/deep/b.png"]
    discard_folder(old, new, entries)
    assert not old.exists()
    left = {path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file()}
    assert left == {"model", "images/a.txt", "images/deep/b.png"}


def test_what_cannot_be_removed_is_named(tmp_path, monkeypatch, caplog):
    old, new = make(tmp_path / "old", model="a"), make(tmp_path / "new", model="b")
    monkeypatch.setattr("shutil.rmtree", lambda folder, **options: None)
    discard_folder(old, new, ["model"])
    assert f"{old} is old, and could not be removed whole" in caplog.text


def test_free_is_nothing_or_an_empty_folder(tmp_path):
    assert is_free(tmp_path / "missing")
    assert is_free(tmp_path)
    (tmp_path / "file").touch()
    assert not is_free(tmp_path)
    assert not is_free(tmp_path / "file")


def test_a_folder_that_is_bound_from_the_same_disk_is_a_mount_point(tmp_path, monkeypatch):
    """A folder that is bound is no mount point for `Path.is_mount`, and cannot be swapped."""
    folder = make(tmp_path / "my run", model="old")
    assert not is_fixed(folder)
    assert not folder.is_mount()
    table = tmp_path / "mountinfo"
    where = str(folder).replace(" ", r"\040")
    table.write_text(f"25 1 8:1 / / rw - ext4 /dev/sda rw\n36 25 8:1 /a {where} rw - ext4 x rw\n")
    monkeypatch.setattr("mscam_tf.swaps.MOUNTS", table)
    assert is_fixed(folder)
    assert not is_fixed(tmp_path / "my")


def test_hidden_names_have_room_for_more(tmp_path):
    assert hide_name(tmp_path / "run") == ".run"
    assert len(hide_name(tmp_path / ("x" * 255))) < 210


def test_only_the_first_file_of_a_killed_command_leaves_a_folder_unused(tmp_path):
    assert is_unused(tmp_path / "new")
    (tmp_path / ".partial-6a564ba81fb1.json").write_text("{")
    assert is_unused(tmp_path)
    (tmp_path / ".partial-films").mkdir()  # Somebody's own folder.
    assert not is_unused(tmp_path)
    (tmp_path / ".partial-films").rmdir()
    (tmp_path / ".partial-notes.txt").write_text("mine")
    assert not is_unused(tmp_path)


def test_files_are_replaced_together(tmp_path):
    folder = make(tmp_path / "run", table="old", picture="old", notes="mine")
    (folder / ".partial-0123456789ab").mkdir()  # Of a command that was killed.
    with replace_files(folder, "picture") as partial:
        (partial / "table").write_text("new")
        (partial / "picture").write_text("new")
        assert (folder / "table").read_text() == "old"
    assert read(folder) == {"table": "new", "picture": "new", "notes": "mine"}


def test_a_stop_between_two_files_leaves_no_old_last_one(tmp_path, monkeypatch):
    folder = make(tmp_path / "run", table="old", picture="old")
    replaced = []

    def replace(path, target):
        if replaced:
            raise KeyboardInterrupt
        replaced.append(target.name)

    def fill():
        with replace_files(folder, "picture") as partial:
            (partial / "table").write_text("new")
            (partial / "picture").write_text("new")
            monkeypatch.setattr("pathlib.Path.replace", replace)

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert replaced == ["table"]
    assert "picture" not in read(folder)  # Not beside a table of another time.


def test_files_that_are_not_all_made_replace_none(tmp_path):
    folder = make(tmp_path / "run", table="old", picture="old")

    def fill():
        with replace_files(folder, "picture") as partial:
            (partial / "table").write_text("new")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(MscamError, match=rf"^{folder} cannot be written.*No space left"):
        fill()
    assert read(folder) == {"table": "old", "picture": "old"}
