import errno
import os
import pickle
import re
import signal
import subprocess
import sys
from contextlib import nullcontext

import pytest

from mscam_tf import MscamError
from mscam_tf.errors import FullDiskError, RunError
from mscam_tf.files import PARTIAL, write_whole
from mscam_tf.folders import (
    clear_leftovers,
    find_unfinished,
    replace_folder,
    write_whole_folder,
)
from mscam_tf.locks import hold


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "data"
    for text in ("first", "second"):
        with write_whole_folder(folder) as partial:
            assert not list(partial.iterdir())
            (partial / text).touch()
    assert [path.name for path in folder.iterdir()] == ["second"]

    def fail():
        with write_whole_folder(folder) as partial:
            (partial / "third").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in folder.iterdir()] == ["second"]
    assert list(tmp_path.iterdir()) == [folder]


def test_folders_that_were_made_for_it_go_with_what_failed(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(RuntimeError):
        write_half(tmp_path / "mine" / "new" / "newer" / "data")
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]

    def fail_beside_others():
        with write_whole_folder(tmp_path / "a" / "b" / "data"):
            (tmp_path / "a" / "theirs.txt").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_beside_others()
    assert [path.name for path in sorted((tmp_path / "a").iterdir())] == ["theirs.txt"]


def test_other_files_of_a_folder_stay(tmp_path):
    folder = tmp_path / "out"
    for text in ("first", "second"):
        with write_whole_folder(folder, ["images", "list.txt"]) as partial:
            (partial / "images").mkdir()
            (partial / "images" / f"{text}.png").touch()
            (partial / "list.txt").write_text(text)
        (folder / "mine.txt").touch()
    assert sorted(path.name for path in folder.rglob("*")) == [
        *("images", "list.txt", "mine.txt", "second.png"),
    ]
    assert (folder / "list.txt").read_text() == "second"
    assert list(tmp_path.iterdir()) == [folder]


def write_half(folder):
    with write_whole_folder(folder, ["a.txt"]) as partial:
        (partial / "a.txt").write_text("new")
        raise RuntimeError


@pytest.mark.parametrize("write", [write_whole_folder, replace_folder])
@pytest.mark.parametrize("whole", [False, True])
def test_a_full_disk_is_a_message_that_names_the_folder(tmp_path, write, whole):
    """And not the hidden one, nor a file in it."""
    path = tmp_path / "data"
    path.mkdir()
    (path / "old.txt").write_text("old")

    def fail():
        with write(path) as partial:
            assert partial != path
            with write_whole(partial / "a.txt") if whole else nullcontext():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(MscamError, match=rf"^{path} cannot be written; .*: No space left"):
        fail()
    assert [file.name for file in tmp_path.rglob("*")] == ["data", "old.txt"]


def test_a_full_disk_is_told_by_other_processes():
    error = pickle.loads(pickle.dumps(FullDiskError("a", "No space left")))
    assert str(error) == str(FullDiskError("a", "No space left"))
    assert error.reason == "No space left"


def test_a_folder_is_untouched_by_a_failure(tmp_path):
    for name in ("new", "old"):
        (tmp_path / "old").mkdir(exist_ok=True)
        (tmp_path / "old" / "a.txt").write_text("old")
        with pytest.raises(RuntimeError):
            write_half(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old" / "a.txt").read_text() == "old"


# What one process does to a folder: it holds "old" files and one of somebody's, and is killed.
SCRIPT = """
import ctypes, os, shutil, signal, sys
from pathlib import Path
from mscam_tf import folders

folder, moment = Path(sys.argv[1]), sys.argv[2]

def kill(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)

killed_at = {"between": ".partial-", "after": "notes"}.get(moment, "-")
rename = Path.rename
Path.rename = lambda source, target: (
    kill() if killed_at in source.name else rename(source, target)
)
if moment == "between":  # As where the system cannot swap in one step.
    ctypes.CDLL = lambda name: None
elif moment == "last":
    shutil.rmtree = kill
with folders.write_whole_folder(folder, ["model", "curves"]) as partial:
    (partial / "model").write_text("new")
    if moment == "while":
        kill()
    (partial / "curves").write_text("new")
"""


def kill_a_writer(folder, moment):
    result = subprocess.run([sys.executable, "-c", SCRIPT, str(folder), moment])
    assert result.returncode == -signal.SIGKILL


@pytest.fixture
def old(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("model", "curves", "notes"):
        (folder / name).write_text("old")
    return folder


def read(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("moment", ["while", "between", "after", "last"])
def test_killed_at_any_moment_twice_nothing_is_lost(old, moment, caplog):
    before, after = dict.fromkeys(("model", "curves"), "old"), {"model": "new", "curves": "new"}
    for _ in range(2):
        kill_a_writer(old, moment)
        if moment != "between":  # There the next command brings it back.
            expected = before if moment == "while" else after
            assert expected.items() <= read(old).items()
    clear_leftovers(old, ["model", "curves"])
    assert "a command that was stopped" in caplog.text
    assert read(old) == (after if moment in ("after", "last") else before) | {"notes": "old"}
    assert [path.name for path in old.parent.iterdir()] == ["run"]


def test_a_folder_in_use_is_refused_and_left(old):
    with write_whole_folder(old) as partial:
        (partial / "model").write_text("first")
        with pytest.raises(MscamError, match="is writing to") as raised, write_whole_folder(old):
            pass
        assert f"writing to {old}." in str(raised.value)  # Not to a hidden folder beside it.
        assert partial.exists()
    assert read(old) == {"model": "first"}


@pytest.mark.parametrize("state", ["", "state"])
def test_a_folder_that_another_command_holds_at_the_end_is_left(old, state):
    before = read(old)

    def write():
        with replace_folder(old, ["model"], state) as place:
            (place / "model").write_text("new")
            (place / "state").touch()

    with hold(old), pytest.raises(RunError, match="Another command is writing"):
        write()
    assert read(old) == before
    hidden = [path.name for path in old.parent.iterdir() if path != old]
    assert hidden == ([".run.unfinished"] if state else [])


def test_a_free_folder_is_written_in_place_and_held(tmp_path):
    folder = tmp_path / "run"
    with replace_folder(folder) as place:
        assert place == folder
        with pytest.raises(RunError, match="Another command is writing"):
            clear_leftovers(folder)
    with replace_folder(folder) as place:
        (place / "half").touch()
    with replace_folder(folder, ["half"]) as place:
        assert place != folder
    assert not read(folder)


@pytest.mark.parametrize("write", [replace_folder, write_whole_folder])
@pytest.mark.parametrize("fixed", [False, True], ids=["anywhere", "current folder"])
def test_half_of_a_first_file_is_in_nobodys_way(tmp_path, monkeypatch, write, fixed):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / f"{PARTIAL}73572a71d86f.json").write_text("{")
    if fixed:
        monkeypatch.chdir(folder)
    with write(folder) as place:
        (place / "model").write_text("new")
    assert (folder / "model").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_interrupted_in_place_stays(tmp_path):
    def fail():
        with replace_folder(tmp_path / "run") as place:
            (place / "checkpoint").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (tmp_path / "run" / "checkpoint").exists()


ENTRIES, STATE = ["model", "curves", "state"], "state"


def work(folder, *names, resume=False):
    """Write files of a long work one after the other, and be stopped before the end."""
    with replace_folder(folder, ENTRIES, STATE, resume=resume) as place:
        for name in names:
            (place / name).write_text("half")
        raise KeyboardInterrupt


def test_work_with_a_state_is_kept_in_place_and_found_again(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        work(folder, "curves")
    assert read(folder) == {}  # As free as it was: nothing can be gone on from.
    with pytest.raises(KeyboardInterrupt):
        work(folder, "curves", "state")
    assert find_unfinished(folder, STATE) == folder
    with replace_folder(folder, ENTRIES, STATE, resume=True) as place:
        assert place == folder
        with pytest.raises(RunError, match="Another command is writing"):
            find_unfinished(folder, STATE)
        (place / "model").write_text("new")
    assert read(folder) == {"curves": "half", "state": "half", "model": "new"}


@pytest.mark.parametrize("older", [False, True])
def test_half_of_a_file_goes_when_the_work_goes_on(tmp_path, older):
    """A command that is killed while it writes a file leaves that: hundreds of megabytes."""
    folder = tmp_path / "run"
    if older:
        folder.mkdir()
        (folder / "model").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        work(folder, "state")
    place = find_unfinished(folder, STATE)
    (place / "curves").mkdir()
    for half in (
        place / f"{PARTIAL}0123456789ab.h5",
        place / "curves" / f"{PARTIAL}0123456789ab.npz",
    ):
        half.touch()
    with replace_folder(folder, ENTRIES, STATE, resume=True) as place:
        (place / "model").write_text("new")
    assert not list(tmp_path.rglob(f"{PARTIAL}*"))
    assert (folder / "model").read_text() == "new"


def test_work_over_an_old_folder_is_kept_beside_it(old, caplog):
    beside = old.with_name(".run.unfinished")
    before = read(old)
    with pytest.raises(KeyboardInterrupt):
        work(old, "curves")
    assert find_unfinished(old, STATE) is None
    assert not beside.exists()
    with pytest.raises(KeyboardInterrupt):
        work(old, "state")
    assert find_unfinished(old, STATE) == beside
    clear_leftovers(old, ENTRIES)  # As every other command does.
    assert read(old) == before
    with pytest.raises(KeyboardInterrupt):
        work(old, "curves", resume=True)
    assert read(beside) == {"state": "half", "curves": "half"}
    with replace_folder(old, ENTRIES, STATE, resume=True) as place:
        (place / "model").write_text("new")
    assert read(old) == {"model": "new", "curves": "half", "state": "half", "notes": "old"}
    assert [path.name for path in old.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("begun", [(), ("state",)])
def test_killed_at_the_swap_the_new_work_is_gone_on_with(old, begun, monkeypatch):
    """And not the old, which may have been stopped in its time; nothing of others stays hidden."""
    for name in begun:
        (old / name).write_text("old")

    def stop(*arguments):
        raise KeyboardInterrupt

    def write():
        with replace_folder(old, ENTRIES, STATE) as place:
            for name in ("model", "state"):
                (place / name).write_text("new")

    with monkeypatch.context() as patch:
        patch.setattr("mscam_tf.swaps.discard_folder", stop)
        with pytest.raises(KeyboardInterrupt):
            write()
    assert find_unfinished(old, STATE) == old
    clear_leftovers(old, ENTRIES, state=STATE)  # As every other command does.
    assert read(old) == {"model": "new", "state": "new", "notes": "old"}
    with replace_folder(old, ENTRIES, STATE, resume=True) as place:
        assert place == old
    assert [path.name for path in old.parent.iterdir()] == ["run"]


def test_work_that_is_begun_anew_names_what_it_removes(old, caplog):
    with pytest.raises(KeyboardInterrupt):
        work(old, "state")
    with replace_folder(old, ENTRIES, STATE) as place:
        assert not list(place.iterdir())
        with pytest.raises(RunError, match=re.escape(f"is writing to {old}.")):
            work(old, "state")
    assert ".run.unfinished, left of a command that was stopped, was removed" in caplog.text
    assert read(old) == {"notes": "old"}


def test_leftovers_that_stay_are_not_said_to_be_removed(old, monkeypatch, caplog):
    left = old.with_name(f".run{PARTIAL}{'0' * 12}")
    left.mkdir()
    monkeypatch.setattr("shutil.rmtree", lambda folder, **options: None)
    clear_leftovers(old)
    assert left.is_dir()
    assert "was removed" not in caplog.text
    assert f"{left} is old, and could not be removed" in caplog.text


def test_links_stay_links(old, tmp_path):
    (tmp_path / "linked").symlink_to("run")
    with write_whole_folder(tmp_path / "linked") as partial:
        (partial / "model").write_text("new")
    assert (tmp_path / "linked").is_symlink()
    assert read(old) == {"model": "new"}


def test_the_current_folder_is_filled_but_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    with write_whole_folder(".") as partial:
        (partial / "model").write_text("new")
    assert read(tmp_path) == {"model": "new"}
    assert tmp_path.stat().st_ino == before
    with pytest.raises(RunError, match="cannot be replaced at once"), write_whole_folder("."):
        pass
    assert read(tmp_path) == {"model": "new"}


def test_long_names_have_room_for_what_is_partial(tmp_path):
    folder = tmp_path / ("필" * 85)
    for text in ("first", "second"):
        with write_whole_folder(folder) as partial:
            (partial / "model").write_text(text)
    assert read(folder) == {"model": "second"}
    assert list(tmp_path.iterdir()) == [folder]


def test_held_until_the_process_ends(tmp_path):
    code = "import sys; from mscam_tf.locks import lock; lock(__import__('pathlib').Path(sys.argv[1])); print('held', flush=True); input()"  # noqa: E501
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(RunError, match="Another command"), hold(tmp_path):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with hold(tmp_path):
        pass


def test_a_folder_that_is_named_nearly_like_ours_is_somebodys(tmp_path):
    theirs = [tmp_path / name for name in (".run.partial-old", ".run.partial-0123456789abX")]
    ours = tmp_path / ".run.partial-0123456789ab"
    for folder in (*theirs, ours):
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
    with write_whole_folder(tmp_path / "run") as partial:
        (partial / "a.txt").touch()
    assert all(folder.exists() for folder in theirs)
    assert not ours.exists()


def test_each_folder_may_say_what_is_ours(tmp_path):
    """A list in it names its pictures; others of such names are somebody's."""

    def find(folder):
        return ["list.txt", *(folder / "list.txt").read_text().split()]

    def write(folder, name):
        folder.mkdir(exist_ok=True)
        for file in ("list.txt", name):
            (folder / file).write_text(name)

    out = tmp_path / "out"
    write(out, "a.png")
    (out / "mine.png").touch()
    write(tmp_path / ".out.partial-0123456789ab", "b.png")  # Left of a command that was killed.
    with write_whole_folder(out, find) as partial:
        write(partial, "c.png")
    assert sorted(path.name for path in out.iterdir()) == ["c.png", "list.txt", "mine.png"]
    assert list(tmp_path.iterdir()) == [out]
