import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mscam_tf import MscamError, RunError
from mscam_tf.files import write_table
from mscam_tf.outputs import FILE, MANIFEST, NEW_FOLDER, Kind, check_writable, claim

RUN = Kind("a run", "config.json", keys=("config",), entries=("config.json", "*_maps.png"))
STATE = Kind("a pretraining", "config.json", keys=("steps",), continued=True)
TABLE = Kind("scores", "table.csv", keys=("path", "label"))


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"config": {}, "steps": 3}))
    return folder


@pytest.mark.parametrize("kind", [RUN, STATE, TABLE, NEW_FOLDER])
def test_free_folders_may_be_taken(tmp_path, kind):
    claim(tmp_path / "new" / "folder", kind)
    claim(tmp_path, kind)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [RUN, STATE, TABLE, NEW_FOLDER])
def test_a_folder_in_which_a_command_was_killed_as_it_began_may_be_taken(tmp_path, kind):
    (tmp_path / ".partial-73572a71d86f.json").write_text("{")
    claim(tmp_path, kind)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(MscamError, match=r"holds mine\.txt"):
        claim(tmp_path, kind)


def test_a_folder_of_the_kind_needs_to_be_asked_for(run):
    with pytest.raises(RunError, match=r"run holds a run; it is left alone.*add --overwrite"):
        claim(run, RUN)
    claim(run, RUN, overwrite=True)
    claim(run, STATE)  # Which is continued.


@pytest.mark.parametrize("text", ["{}", "[1]", "{", "3", '{"steps": 1}'])
def test_only_the_marker_makes_a_folder_ours(run, text):
    """Many a tool writes a file of this name."""
    (run / "config.json").write_text(text)
    (run / "films").mkdir()
    with pytest.raises(RunError, match="holds films, and is not known as a run"):
        claim(run, RUN, overwrite=True)
    with pytest.raises(RunError, match=r"holds config\.json, films, and must be empty or new"):
        claim(run, NEW_FOLDER, overwrite=True)


def test_tables_are_known_by_their_columns(tmp_path):
    write_table(tmp_path / "table.csv", [], ("path", "label", "more"))
    claim(tmp_path, TABLE, overwrite=True)
    write_table(tmp_path / "table.csv", [], ("path",))
    with pytest.raises(RunError, match="not known as scores"):
        claim(tmp_path, TABLE, overwrite=True)


def test_foreign_files_are_listed_and_stay(run, caplog):
    for name in ("a_maps.png", *(f"{number}.txt" for number in range(7))):
        (run / name).touch()
    claim(run, RUN, overwrite=True)
    assert "other files, which stay: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more" in caplog.text


def test_inputs_are_not_replaced(run, tmp_path):
    (tmp_path / "link").symlink_to(run)
    for place in (run / "images" / "a.png", run, tmp_path / "link" / "a.png"):
        with pytest.raises(RunError, match="must hold none of the inputs, but holds"):
            claim(run, RUN, overwrite=True, inputs=[tmp_path, place])
    claim(run, RUN, overwrite=True, inputs=[tmp_path / "runs" / "a.png"])


def test_files(tmp_path):
    path = tmp_path / "table.csv"
    claim(path, FILE)
    path.touch()
    with pytest.raises(RunError, match=r"table\.csv exists; it is left alone.*--overwrite"):
        claim(path, FILE)
    claim(path, FILE, overwrite=True)
    with pytest.raises(RunError, match="is a folder"):
        claim(tmp_path, FILE, overwrite=True)
    with pytest.raises(RunError, match="is no folder"):
        claim(path, RUN, overwrite=True)
    with pytest.raises(RunError, match=r"cannot be made: .*table\.csv is no folder"):
        claim(path / "run", RUN)


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        ("path,label,group,split", True),
        ("\ufeffPath;Label", True),
        ('"label"\tpath', True),
        ("path,kind,diameter", False),
        ("my notes on path and label", False),
        ("\n , ,\npath,label,group", True),
        ("path,label,x,y,group", True),  # Where patches were cut.
        ("path,x_min,y_min,x_max,y_max,label", False),
        ("path;label;xmin;ymin;xmax;ymax", False),
        ("label,path,X,Y,Width,Height", False),
        ("path,label,bbox", False),
    ],
)
def test_a_table_is_known_by_its_columns(tmp_path, header, ours):
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n1,2,3,4\n", encoding="utf-8")
    if ours:
        claim(path, MANIFEST, overwrite=True)
        return
    with pytest.raises(RunError, match="exists, and is not known as a manifest; it is left alone"):
        claim(path, MANIFEST, overwrite=True)


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff", ",,\n"])
def test_a_file_that_holds_nothing_may_be_replaced(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match=r"exists; it is left alone.*--overwrite"):
        claim(path, MANIFEST)
    claim(path, MANIFEST, overwrite=True)


@pytest.mark.skipif(os.name != "posix", reason="pipes")
def test_a_link_needs_a_file_that_it_leads_to(tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to("away.csv")
    for overwrite in (False, True):
        with pytest.raises(RunError, match=r"link\.csv is a link to nothing; it is left alone"):
            claim(link, MANIFEST, overwrite=overwrite)
    (tmp_path / "away.csv").write_text("path,label\n")
    with pytest.raises(RunError, match=r"link\.csv exists"):
        claim(link, MANIFEST)
    claim(link, MANIFEST, overwrite=True)


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(RunError, match="is a device; it is left alone"):
        claim(tmp_path / "pipe.csv", MANIFEST, overwrite=True)


def test_the_current_folder_is_not_replaced(run, monkeypatch):
    monkeypatch.chdir(run)
    with pytest.raises(RunError, match="cannot be replaced at once"):
        claim(run, RUN, overwrite=True)


def test_what_was_moved_away_is_brought_back(run, caplog):
    run.rename(run.with_name(".run.replaced-0123456789ab"))
    with pytest.raises(MscamError, match="holds a run"):
        claim(run, RUN)
    assert "it is back" in caplog.text


def test_what_was_stopped_is_gone_on_with_or_replaced_on_request_alone(run):
    kind = replace(RUN, state="progress.json")
    (run / "progress.json").touch()
    message = r"run that was stopped before its end; .* --resume \(resume=True\).*--overwrite"
    with pytest.raises(RunError, match=message):
        claim(run, kind)
    claim(run, kind, resume=True)
    claim(run, kind, overwrite=True)
    (run / "progress.json").rename(run / "other.json")
    with pytest.raises(RunError, match="holds a run; it is left alone"):
        claim(run, kind)
    beside = run.with_name(".run.unfinished")
    beside.mkdir()
    (beside / "progress.json").touch()
    with pytest.raises(RunError, match=r"stopped before its end, in .*\.run\.unfinished; "):
        claim(run, kind)


def test_resume_makes_no_foreign_folder_ours(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(RunError, match=r"thesis\.txt, and is not known as a run"):
        claim(tmp_path, RUN, resume=True)


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """Root may write wherever no disk forbids it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    access = os.access

    def ask(path, mode):
        return access(path, mode) and not (mode == os.W_OK and folder in (path, *path.parents))

    monkeypatch.setattr(os, "access", ask)
    return folder


@pytest.mark.parametrize("kind", [RUN, STATE, TABLE, NEW_FOLDER])
def test_folders_that_are_read_only_are_refused(read_only, kind):
    (read_only / "there").mkdir()
    with pytest.raises(RunError, match=r"there is read-only; it is left alone\. Choose another"):
        claim(read_only / "there", kind, overwrite=True)
    with pytest.raises(RunError, match=r"new/one cannot be made: .*disk is read-only"):
        claim(read_only / "new" / "one", kind)
    with pytest.raises(RunError, match="is read-only"):
        check_writable(read_only)


@pytest.mark.parametrize("there", [False, True])
def test_files_in_folders_that_are_read_only_are_refused(read_only, there):
    if there:
        (read_only / "a.csv").touch()
    with pytest.raises(RunError, match=r"a\.csv cannot be made: .*disk is read-only"):
        claim(read_only / "a.csv", FILE, overwrite=True)


def test_a_finished_run_that_is_read_only_may_be_read(read_only):
    run = read_only / "run"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"config": {}}))
    claim(run, RUN, resume=True)


def test_a_link_to_itself_and_the_root_are_refused_by_name(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", tmp_path / "loop" / "run"):
        with pytest.raises(RunError, match=r"loop.* cannot be made: .*loop.* is no folder"):
            claim(path, RUN)
    with pytest.raises(RunError, match=r"cannot be made: it is the root of all folders"):
        claim(Path(tmp_path.anchor), RUN)
