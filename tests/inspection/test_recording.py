import pyarrow.parquet as pq
import pytest

from mscam_tf.inspection import Recorder
from mscam_tf.inspection.rows import make_row

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
    assert again.done == {first, second}
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
    assert Recorder(tmp_path).done == {path}


def test_names_of_any_bytes_are_kept(tmp_path):
    recorder = Recorder(tmp_path)
    path = add(recorder, tmp_path / "a\udcff필.png")
    recorder.flush()
    assert path.endswith("a\\xff필.png")
    assert Recorder(tmp_path).done == {path}
