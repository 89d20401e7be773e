import unicodedata

import pytest

from mscam_tf import ManifestError, read_manifest
from mscam_tf.data.manifests import Spellings, write_manifest


@pytest.fixture
def images(tmp_path):
    for name in ("bone/a.png", "none/b.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "bone" / "a.png")
    (tmp_path / "hard.png").hardlink_to(tmp_path / "bone" / "a.png")
    (tmp_path / "linked").symlink_to(tmp_path / "bone")
    return tmp_path


@pytest.mark.parametrize(
    "again",
    [
        *("{root}/bone/a.png", "none/../bone/a.png", "./bone//a.png", "bone\\a.png"),
        *("link.png", "hard.png", "linked/a.png"),
    ],
)
def test_one_file_under_two_names_is_one_file(images, again):
    rows = f"path,label\nbone/a.png,bone\nnone/b.png,none\n{again.format(root=images)},none\n"
    (images / "list.csv").write_text(rows)
    message = r"one file twice, in .*line 2 \(bone/a.png\) and .*line 4"
    with pytest.raises(ManifestError, match=message):
        read_manifest(images / "list.csv")


def test_names_are_found_however_they_are_spelled(images):
    name = unicodedata.normalize("NFC", "필름é.png")
    (images / "bone" / name).touch()
    other = unicodedata.normalize("NFD", name)
    (images / "list.csv").write_text(f"path,label,mask\nbone\\{other},bone,bone\\a.png\n")
    (sample,) = read_manifest(images / "list.csv").samples
    assert (images / sample.path).is_file()
    assert sample.mask == "bone/a.png"
    (images / "list.csv").write_text(f"path,label\nbone/{name},bone\nbone/{other},none\n")
    with pytest.raises(ManifestError, match="one file twice"):
        read_manifest(images / "list.csv")


def test_a_back_slash_may_be_part_of_a_name(images):
    (images / "bone\\c.png").touch()
    (images / "list.csv").write_text("path,label\nbone\\c.png,bone\n")
    assert read_manifest(images / "list.csv").samples[0].path == "bone\\c.png"


def test_a_listed_file_is_found_from_another_folder(images):
    spellings = Spellings(["bone/a.png", "a.png"], images)
    assert spellings.find("a.png", images / "bone") == "bone/a.png"  # The file, not the text.
    assert spellings.find("../link.png", images / "none") == "bone/a.png"
    assert spellings.find("bone/a.png", images / "moved") == "bone/a.png"
    assert spellings.find("./bone//a.png", images / "moved") == "bone/a.png"
    assert spellings.find("none/b.png", images) is None


def test_two_files_whose_names_are_shown_alike_stay_two_files(tmp_path):
    """A training notes its images away from them: the table has to be read again there."""
    names = [unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")]
    data = tmp_path / "data"
    for name in (*names, "../none/b.png"):
        (data / "bone" / name).parent.mkdir(parents=True, exist_ok=True)
        (data / "bone" / name).touch()
    if len(list((data / "bone").iterdir())) == 1:
        pytest.skip("this file system takes both names for one file")
    manifest = read_manifest(data)
    write_manifest(manifest, tmp_path / "run" / "split.csv")
    again = read_manifest(tmp_path / "run" / "split.csv")
    assert [sample.path for sample in again.samples] == [s.path for s in manifest.samples]
    spellings = Spellings([sample.path for sample in again.samples], data)
    for root in (data, tmp_path / "moved"):
        for name in names:
            assert spellings.find(f"bone/{name}", root) == f"bone/{name}"
