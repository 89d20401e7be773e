import pytest

from mscam_tf.files import write_whole


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
