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


def test_a_folder_is_untouched_by_a_failure(tmp_path):
    for name in ("new", "old"):
        (tmp_path / "old").mkdir(exist_ok=True)
        (tmp_path / "old" / "a.txt").write_text("old")
        with pytest.raises(RuntimeError):
            write_half(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old" / "a.txt").read_text() == "old"
