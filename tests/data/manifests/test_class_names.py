from pathlib import Path

import pytest

from mscam_tf import ManifestError
from mscam_tf.data.manifests.class_names import read_class_names


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "labels"
    path.mkdir()
    return path


@pytest.mark.parametrize("content", ["", "nc: 2\n", "names:\n", "names: []\n", "- train\n", "a\n"])
def test_files_without_names_are_passed_over(folder, caplog, content):
    """Other programs have a `data.yml` of their own."""
    (folder / "data.yml").write_text(content)
    (folder / "classes.txt").write_text(" \n\n")
    assert read_class_names(folder) == {}
    assert "the numbers are their names. Expected, there or up to two folders above" in caplog.text
    assert "one a line in classes.txt or obj.names, or as `names` in data.yaml or" in caplog.text
    caplog.clear()
    (folder.parent / "dataset.yml").write_text("names: {1: wire, 0: hook}\n")
    assert read_class_names(folder) == {"1": "wire", "0": "hook"}
    (folder.parent / "data.yaml").write_text("train: images\nnames:\n- no\n- 010\n")
    assert read_class_names(folder) == {"0": "no", "1": "010"}
    (folder.parent / "obj.names").write_text("rib\n\npin\n")
    assert read_class_names(folder) == {"0": "rib", "2": "pin"}
    assert not caplog.text


@pytest.mark.parametrize("place", [".", "labels", "train/labels"])
def test_names_may_be_two_folders_above(tmp_path, monkeypatch, place):
    (tmp_path / "train" / "labels").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("names: [rib]\n")
    monkeypatch.chdir(tmp_path / "train" / {".": "labels", "labels": "."}.get(place, ".."))
    assert read_class_names(Path(place)) == {"0": "rib"}
    (tmp_path / "train" / "data.yml").write_text("names: [pin]\n")
    (tmp_path / "classes.txt").write_text("wire\n")  # Further away.
    assert read_class_names(Path(place)) == {"0": "pin"}


@pytest.mark.parametrize("content", ["names: bone\n", "names: 3\n", "names: [\n", "a: b: c\n"])
def test_names_that_are_none_are_refused(folder, content):
    (folder / "data.yml").write_text(content)
    with pytest.raises(ManifestError, match=r"The `names` of .*data\.yml must be a list"):
        read_class_names(folder)
