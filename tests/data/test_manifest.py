from collections import Counter

import pytest

from mscam_tf import Manifest, ManifestError, Sample, read_manifest, split_manifest
from mscam_tf.data.manifest import SPLITS, write_manifest


def make_manifest(tmp_path, counts, group_size=1):
    samples = [
        Sample(f"{label}/{i}.png", label, f"{label}-{i // group_size}")
        for label, count in counts.items()
        for i in range(count)
    ]
    return Manifest(tmp_path, tuple(samples))


def count_splits(manifest):
    return Counter((sample.split, sample.label) for sample in manifest.samples)


def write_csv(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_text(text)
    return path


def test_seven_one_two(tmp_path):
    manifest = split_manifest(make_manifest(tmp_path, {"a": 100, "b": 50}))
    assert count_splits(manifest) == {
        ("train", "a"): 70,
        ("validation", "a"): 10,
        ("test", "a"): 20,
        ("train", "b"): pytest.approx(35, abs=1),
        ("validation", "b"): pytest.approx(5, abs=1),
        ("test", "b"): 10,
    }


def test_same_seed_same_split(tmp_path):
    manifest = make_manifest(tmp_path, {"a": 30, "b": 30})
    assert split_manifest(manifest, 1) == split_manifest(manifest, 1)
    assert split_manifest(manifest, 1) != split_manifest(manifest, 2)


def test_groups_stay_together(tmp_path):
    manifest = split_manifest(make_manifest(tmp_path, {"a": 80, "b": 80}, group_size=4))
    splits = {}
    for sample in manifest.samples:
        splits.setdefault(sample.group, set()).add(sample.split)
    assert {len(split) for split in splits.values()} == {1}
    assert len(count_splits(manifest)) == 6


def test_a_rare_class_is_in_every_split_and_does_not_bend_the_others(tmp_path):
    manifest = split_manifest(make_manifest(tmp_path, {"a": 100, "rare": 3}))
    counts = count_splits(manifest)
    assert [counts[split, "rare"] for split in ("train", "validation", "test")] == [1, 1, 1]
    assert counts["train", "a"] == pytest.approx(70, abs=3)


def test_too_few_for_three_splits(tmp_path):
    with pytest.raises(ManifestError, match=r"at least 3 images .* Received: \{'rare': 2\}"):
        split_manifest(make_manifest(tmp_path, {"a": 30, "rare": 2}))
    with pytest.raises(ManifestError, match=r"Received: \{'a': 2\}"):
        split_manifest(make_manifest(tmp_path, {"a": 8, "b": 30}, group_size=4))


def test_given_splits_are_kept(tmp_path):
    rows = [f"{split}{label},{label},{split}" for split in SPLITS for label in "xy"]
    text = "path,label,split\n" + "\n".join(rows)
    manifest = read_manifest(write_csv(tmp_path, text))
    assert split_manifest(manifest) == manifest
    partly = read_manifest(write_csv(tmp_path, text.replace(",test", ",")))
    with pytest.raises(ManifestError, match="Received: 4 of 6 rows"):
        split_manifest(partly)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a,x,g,train", "b,y,g,validation"], r"A group must be in one split.*'g'"),
        (["a,x,1,train", "b,y,2,train"], r"split validation. Received: none of \['x', 'y'\]"),
        (["a,x,1,train", "b,y,2,validation"], r"split train. Received: none of \['y'\]"),
        (["a,x,1,train", "b,x,2,test"], r"two classes are needed. Received: .*\['x'\] only"),
    ],
)
def test_dishonest_splits(tmp_path, rows, message):
    text = "path,label,group,split\n" + "\n".join(rows)
    with pytest.raises(ManifestError, match=message):
        split_manifest(read_manifest(write_csv(tmp_path, text)))


def test_csv_and_back(tmp_path):
    text = "label,path,group,other\nbone,x/a.png,fish 1,?\nnone,b.png,,?\n"
    manifest = read_manifest(write_csv(tmp_path, text))
    assert manifest.samples == (
        Sample("x/a.png", "bone", "fish 1"),
        Sample("b.png", "none", "b.png"),
    )
    assert manifest.paths[0] == tmp_path / "x/a.png"
    write_manifest(manifest, tmp_path / "copy.csv")
    assert read_manifest(tmp_path / "copy.csv").samples == manifest.samples


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na.png,x\n", "columns path and label. Received: .*'name'"),
        ("path,label\na.png,\n", "line 2: path and label must not be empty"),
        ("path,label,split\na.png,x,tests\n", "line 2: split must be .* Received: 'tests'"),
        ("path,label\n", "No images found"),
        ("path,label\na.png,x\n./a.png,y\n", r"listed once. Received: .* such as a\.png"),
    ],
)
def test_bad_csv(tmp_path, text, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(write_csv(tmp_path, text))


def test_bad_folders(tmp_path):
    with pytest.raises(ManifestError, match="No images found"):
        read_manifest(tmp_path)
    with pytest.raises(ManifestError, match=r"DATA must be a folder .* Received: .*missing"):
        read_manifest(tmp_path / "missing")
    (tmp_path / "bone").mkdir()
    (tmp_path / "bone" / "a.png").touch()
    (tmp_path / "notes.png").touch()  # Not in a class folder: not an image of any class.
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "a.png").touch()
    (tmp_path / "bone" / "folder.png").mkdir()
    assert [sample.path for sample in read_manifest(tmp_path).samples] == ["bone/a.png"]


def test_folders_named_after_splits(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split / "bone").mkdir(parents=True)
        (tmp_path / split / "bone" / f"{split}.png").touch()
    with pytest.raises(ManifestError, match=r"named after splits.*\['test', 'train'\]"):
        read_manifest(tmp_path)
