import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mscam_tf.errors import RunError
from mscam_tf.inspection import Recorder
from mscam_tf.inspection.rows import make_row, name_path, name_picture

REGION = {"label": "bone", "number": 1, "score": 2.5, "share": None, "scale": None}


def add(recorder, path, rejected=False):
    row = make_row(path, label="bone", rejected=rejected, score=1.0, regions=1)
    recorder.add(row, [REGION], [])
    return row["path"]


def list_paths(folder, name="images"):
    return pq.read_table(folder / name)["path"].to_pylist()


def test_parts_are_read_again(tmp_path):
    recorder = Recorder(tmp_path)
    first = add(recorder, tmp_path / "a.png", rejected=True)
    assert not recorder.tick()
    assert recorder.flush()
    assert not recorder.flush()
    second = add(recorder, tmp_path / "b.png")
    recorder.flush()
    assert list_paths(tmp_path) == list_paths(tmp_path, "regions") == [first, second]
    again = Recorder(tmp_path)
    assert set(again.done) == {first, second}
    assert dict(again.counts) == {"rejected": 1, "accepted": 1, "regions": 2}
    assert again.labels == {"bone": 2}
    add(again, tmp_path / "c.png")
    again.flush()
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == [
        f"00000{number}.parquet" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("written", [0, 1, 2, 3])
def test_a_stop_while_a_part_is_written_loses_and_doubles_no_row(tmp_path, monkeypatch, written):
    recorder, write, calls = Recorder(tmp_path), pq.write_table, []

    def stop(*arguments):
        calls.append(arguments)
        if len(calls) == written + 1:
            raise KeyboardInterrupt
        write(*arguments)

    monkeypatch.setattr(pq, "write_table", stop)
    path = add(recorder, tmp_path / "a.png")
    if written < 3:
        with pytest.raises(KeyboardInterrupt):
            recorder.flush()
    recorder.flush()  # As an inspection that is stopped does.
    for name in ("images", "regions"):
        assert list_paths(tmp_path, name) == [path]
    assert set(Recorder(tmp_path).done) == {path}


def test_names_of_any_bytes_are_kept(tmp_path):
    recorder = Recorder(tmp_path)
    path = add(recorder, tmp_path / "a\udcff필.png")
    recorder.flush()
    assert path.endswith("a\\xff필.png")
    assert set(Recorder(tmp_path).done) == {path}


def test_names_that_are_written_alike_stay_two(tmp_path):
    """A byte that is no UTF-8 is written as an escape, which is a name of its own too."""
    names = ["\udce9", r"\xe9", "\\\udce9", r"\\xe9", r"\x41", "\\", "\\\\\udce9"]
    recorder = Recorder(tmp_path)
    paths = {add(recorder, tmp_path / f"{name}.png") for name in names}
    recorder.flush()
    assert len(paths) == len(names)
    assert set(Recorder(tmp_path).done) == paths


def test_labels_pictures_and_reasons_of_any_bytes_are_kept(tmp_path):
    """Parquet files hold UTF-8 alone; a folder of a class may have another name."""
    odd = os.fsdecode(b"caf\xe9")
    picture = name_picture(tmp_path / f"{odd}.png")
    values = {"label": odd, "problem": f"no such file {odd}", "picture": picture}
    recorder = Recorder(tmp_path)
    recorder.add(make_row(tmp_path / f"{odd}.png", **values), [{**REGION, "label": odd}], [])
    recorder.flush()
    (row,) = pq.read_table(tmp_path / "images").to_pylist()
    assert row["label"] == r"caf\xe9"
    assert row["problem"] == r"no such file caf\xe9"
    assert row["picture"] == picture
    assert pq.read_table(tmp_path / "regions")["label"].to_pylist() == [r"caf\xe9"]
    assert Recorder(tmp_path).labels == recorder.labels == {r"caf\xe9": 1}


def test_files_of_others_stay_and_do_not_count(tmp_path):
    recorder = Recorder(tmp_path)
    add(recorder, tmp_path / "a.png")
    recorder.flush()
    mine = [tmp_path / name / "mine.parquet" for name in ("images", "regions", "tiles")]
    for path in mine:
        pq.write_table(pa.table({"x": [1]}), path)
    again = Recorder(tmp_path)
    add(again, tmp_path / "b.png")
    again.flush()
    assert sum(again.counts[name] for name in ("accepted", "rejected")) == 2
    assert (tmp_path / "images" / "000002.parquet").is_file()
    assert all(path.is_file() for path in mine)


@pytest.mark.parametrize("table", ["images", "regions"])
def test_damaged_rows_are_named(tmp_path, table):
    recorder = Recorder(tmp_path)
    add(recorder, tmp_path / "a.png")
    recorder.flush()
    (tmp_path / table / "000001.parquet").write_bytes(b"")
    with pytest.raises(
        RunError, match=rf"{table}/000001\.parquet cannot be read; remove the files"
    ):
        Recorder(tmp_path)
    (tmp_path / "images" / "000001.parquet").unlink()
    assert not Recorder(tmp_path).done
    assert list((tmp_path / "regions").iterdir()) == []


@pytest.mark.parametrize("table", ["regions", "tiles"])
def test_rows_that_are_gone_are_named(tmp_path, table):
    recorder = Recorder(tmp_path)
    add(recorder, tmp_path / "a.png")
    recorder.flush()
    (tmp_path / table / "000001.parquet").unlink()
    with pytest.raises(RunError, match=rf"{table}/000001\.parquet cannot be read; .*not there"):
        Recorder(tmp_path)


def test_rows_without_their_columns_are_named(tmp_path):
    recorder = Recorder(tmp_path)
    add(recorder, tmp_path / "a.png")
    recorder.flush()
    path = tmp_path / "images" / "000001.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["label"]), path)
    with pytest.raises(RunError, match=r"000001\.parquet cannot be read; .*label"):
        Recorder(tmp_path)


def test_one_file_has_one_name(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").touch()
    assert name_path(tmp_path / "in" / ".." / "in" / "a.png") == name_path(
        tmp_path / "in" / "a.png"
    )
    (tmp_path / "deep" / "in").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "deep"):
        (folder / "b.png").touch()
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "in")
    away = tmp_path / "link" / ".." / "b.png"  # In `deep`, and not beside the link.
    assert name_path(away) == str(tmp_path / "deep" / "b.png")
    linked, real = (tmp_path / folder / "c.png" for folder in ("link", "deep/in"))
    assert name_path(linked) == str(real)
    assert name_picture(linked) == name_picture(real)
