import os
import time

import pytest

from mscam_tf import MscamError
from mscam_tf.inspection import Watcher


def collect(watcher):
    return [[path.name for path in paths] for paths in watcher.wait() if paths]


def test_files_are_given_once_the_first_complete_one_first(tmp_path):
    for name in ("b.png", "a.png", ".hidden.png", "a.txt", "empty.png"):
        (tmp_path / name).write_bytes(b"" if name == "empty.png" else b"x")
    watcher = Watcher([tmp_path, tmp_path / "missing"], idle=0.3, patience=1.5)
    assert collect(watcher) == [["a.png", "b.png"], ["empty.png"]]
    assert 0.5 < watcher.take_latency(tmp_path / "a.png") < 4
    assert watcher.take_latency(tmp_path / "a.png") is None


def test_files_are_not_watched(tmp_path):
    """No image would ever come into one, and that would look as if there were none."""
    (tmp_path / "list.csv").write_text("path,label\n")
    with pytest.raises(MscamError, match=r"must be a folder.*list\.csv, a file"):
        Watcher([tmp_path, tmp_path / "list.csv"])


def test_a_file_that_changes_is_waited_for(tmp_path):
    path, given = tmp_path / "a.png", []
    path.write_bytes(b"x")
    start = time.monotonic()
    for paths in Watcher([tmp_path], idle=0.3).wait():
        given += paths
        if time.monotonic() - start < 1.5:
            with path.open("ab") as file:
                file.write(b"x")
            assert given == []
    assert given == [path]


def test_a_file_that_changes_after_it_was_given_is_told_once(tmp_path, caplog):
    path, given = tmp_path / "a.png", []
    path.write_bytes(b"x")
    for paths in Watcher([tmp_path], idle=0.5).wait():
        given += paths
        if paths:
            path.write_bytes(b"another")
    assert given == [path]
    assert caplog.text.count("a.png has changed since it was inspected") == 1


def test_a_file_that_grows_until_it_is_read_has_not_changed(tmp_path, caplog):
    path = tmp_path / "a.png"
    path.write_bytes(b"half")
    watcher = Watcher([tmp_path], idle=0.5)
    for paths in watcher.wait():
        if paths:
            path.write_bytes(b"the whole")
            watcher.take_latency(path)
    assert caplog.text == ""


def test_what_cannot_be_read_is_given_again_while_it_may_grow(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    watcher, given = Watcher([tmp_path], idle=0.3), []
    for paths in watcher.wait():
        given += paths
        if len(given) == 1 and paths:
            assert watcher.may_grow(paths[0])
    assert given == [tmp_path / "a.png"] * 2
    assert not watcher.may_grow(tmp_path / "b.png")


def test_a_file_that_is_gone_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "a.png").symlink_to(tmp_path / "nothing.png")
    assert collect(Watcher([tmp_path], idle=0.3)) == []
    assert os.path.lexists(tmp_path / "a.png")
