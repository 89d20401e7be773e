import pytest

from mscam_tf.files import write_whole, write_whole_folder


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
