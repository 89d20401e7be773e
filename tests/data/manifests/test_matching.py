import unicodedata

import pytest

from mscam_tf import ManifestError, match_boxes
from mscam_tf.data.manifests import Box

BOX = Box(0, 0, 2, 3)


@pytest.mark.parametrize(
    "spelling", ["./a.png", "x/../a.png", "{root}/a.png", "link.png", "linked/a.png"]
)
def test_the_image_of_a_box_may_be_spelled_otherwise(tmp_path, spelling):
    (tmp_path / "a.png").touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "linked").symlink_to(tmp_path)
    found = match_boxes({spelling.format(root=tmp_path): [BOX]}, ["a.png", "b.png"], tmp_path)
    assert found == {"a.png": [BOX], "b.png": []}


def test_slashes_and_letters_composed_otherwise():
    name = unicodedata.normalize("NFC", "x/필름é.png")
    other = unicodedata.normalize("NFD", name).replace("/", "\\")
    assert match_boxes({other: [BOX]}, [name]) == {name: [BOX]}


@pytest.mark.parametrize("spelling", ["A.png", "a.PNG", "a", "a.tif", "X/A.png", "\u200fa.png"])
def test_a_name_that_is_nearly_listed_is_an_error(spelling):
    boxes = {"b.png": [BOX], spelling: [BOX]}
    with pytest.raises(ManifestError, match=rf"Received: {spelling}, but x/a\.png is listed"):
        match_boxes(boxes, ["x/a.png", "b.png"])


@pytest.mark.parametrize(
    "spelling",
    ["images/x/a.png", "C:\\data\\x\\a.png", "file:///data/x/a.png", "Images/X/A.tif"],
)
def test_other_folders_before_the_path_are_an_error(tmp_path, spelling):
    with pytest.raises(ManifestError, match=r"but x/a\.png is listed"):
        match_boxes({"b.png": [BOX], spelling: [BOX]}, ["x/a.png", "b.png"], tmp_path)


def test_a_path_may_lack_the_folders_before_it(tmp_path):
    with pytest.raises(ManifestError, match=r"Received: x/a\.png, but /data/x/a\.png is listed"):
        match_boxes({"b.png": [BOX], "x/a.png": [BOX]}, ["/data/x/a.png", "b.png"], tmp_path)


def test_an_image_that_is_there_and_not_listed_is_left_out(tmp_path):
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "a.png").touch()
    found = match_boxes({"b.png": [BOX], "y/a.png": [BOX]}, ["a.png", "b.png"], tmp_path)
    assert found == {"a.png": [], "b.png": [BOX]}


def test_a_name_is_not_taken_for_that_of_another_file(tmp_path):
    """Both are named alike, and the one of which the boxes are is not listed."""
    for name in ("a.png", "bone/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(ManifestError, match=r"fits 2 images, such as a\.png and bone/a\.png"):
        match_boxes({"a.png": [BOX]}, ["bone/a.png"], tmp_path)
