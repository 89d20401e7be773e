import pytest

from mscam_tf import ManifestError, read_manifest
from mscam_tf.data.manifests import list_files, list_images


def fill(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def list_paths(folder):
    return [sample.path for sample in read_manifest(folder).samples]


def test_what_is_left_out_is_counted_and_said(tmp_path, caplog):
    data = fill(
        *(tmp_path, "bone/a.PNG", "none/a.png", "void/IM0001", "bone/b.txt", "loose.png"),
        *("Masks/a.png", "bone/MASKS/a.png", "bone/@eaDir/a.png/thumb.jpg", "__MACOSX/bone/c.png"),
        *("bone/._a.png", ".thumbnails/a.png", "Thumbs.db"),
    )
    (data / "bone" / "gone.png").symlink_to(data / "nowhere.png")
    (data / "empty").mkdir()
    assert list_paths(data) == ["bone/a.PNG", "none/a.png"]
    (record,) = caplog.records
    for part in (
        f"Left out of {data}: ",
        "hidden files or folders (2, such as .thumbnails)",
        "files without the suffix of an image (3, such as Thumbs.db)",
        "folders of masks (2, such as Masks)",
        "folders of thumbnails or of the system (2, such as __MACOSX)",
        "images in no class folder (1, such as loose.png)",
        "broken links or devices (1, such as bone/gone.png)",
        "folders without an image (2, such as empty)",
    ):
        assert part in record.getMessage()


def test_a_plain_folder_needs_no_words(tmp_path, caplog):
    list_paths(fill(tmp_path, "bone/a.png", "none/a.png"))
    assert not caplog.records


def test_linked_folders_are_read_once_and_circles_end(tmp_path, caplog):
    real = fill(tmp_path / "real", "x/c.png", "d.png")
    data = fill(tmp_path / "data", "bone/a.png", "none/b.png")
    (data / "bone" / "second").symlink_to(real)
    (data / "bone" / "third").symlink_to(real)
    (data / "bone" / "circle").symlink_to(data)
    (real / "circle").symlink_to(real)
    (data / "bone" / "again.png").symlink_to(real / "d.png")
    paths = ["bone/a.png", "bone/again.png", "bone/second/x/c.png", "none/b.png"]
    assert list_paths(data) == paths
    assert "links in a circle (2" in caplog.text
    assert "second names of what is listed already (2" in caplog.text


@pytest.mark.parametrize("linked", ["none", "none/b.png"])
def test_a_link_from_one_class_into_another_is_refused(tmp_path, linked):
    data = fill(tmp_path, "bone/a.png", "none/b.png")
    (data / "bone" / "link.png").symlink_to(data / linked)
    with pytest.raises(ManifestError, match=r"under two names, .*none.* and |and none/b\.png"):
        read_manifest(data)


def test_images_without_labels_are_listed_by_the_same_rules(tmp_path, caplog):
    data = fill(tmp_path, "a.png", "x/b.tif", "x/masks/b.tif", "ground_truth/a.png", "c.xml")
    assert list_files(data) == [data / "a.png", data / "x" / "b.tif"]
    assert list_images([data]) == list_files(data)
    assert "pictures of a ground truth (1, such as ground_truth/a.png)" in caplog.text
    assert "files without the suffix of an image (1, such as c.xml)" in caplog.text


def test_a_link_to_itself_is_left_out(tmp_path, caplog):
    data = fill(tmp_path, "bone/a.png", "none/b.png")
    (data / "bone" / "loop.png").symlink_to("loop.png")
    (data / "loop").symlink_to("loop")
    assert list_paths(data) == ["bone/a.png", "none/b.png"]
    assert "broken links or devices (2, such as loop)" in caplog.text
