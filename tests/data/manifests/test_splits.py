from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mscam_tf import Manifest, ManifestError, MscamError, Sample, read_manifest, split_manifest
from mscam_tf.data.manifests import SPLITS, copy_splits, find_torn_groups, set_splits, split_folds


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
        (["a,x,1,train", "b,y,2,train"], r"all classes in validation .* Received: .*'x': 1"),
        (["a,x,1,train", "b,y,2,validation"], r"split train. Received: none of \['y'\]"),
        (["a,x,1,train", "b,x,2,test"], r"two classes are needed. Received: .*\['x'\] only"),
    ],
)
def test_dishonest_splits(tmp_path, rows, message):
    text = "path,label,group,split\n" + "\n".join(rows)
    with pytest.raises(ManifestError, match=message):
        split_manifest(read_manifest(write_csv(tmp_path, text)))


def test_few_large_groups(tmp_path):
    manifest = split_manifest(make_manifest(tmp_path, {"a": 70, "b": 35}, group_size=10))
    assert {split for split, _ in count_splits(manifest)} == set(SPLITS)
    assert not find_torn_groups(manifest)


def test_folds_test_each_image_once(tmp_path):
    manifest = make_manifest(tmp_path, {"a": 40, "b": 20}, group_size=2)
    folds = split_folds(manifest, 4)
    tested = [sample.path for fold in folds for sample in fold.select("test").samples]
    assert sorted(tested) == sorted(sample.path for sample in manifest.samples)
    for fold in folds:
        assert not find_torn_groups(fold)
        assert count_splits(fold)["test", "a"] == 10
        assert count_splits(fold)["test", "b"] == pytest.approx(5, abs=1)
        assert count_splits(fold)["validation", "a"] == pytest.approx(30 / 8, abs=2)
        assert split_manifest(fold) == fold
    assert split_folds(manifest, 4) == folds
    assert split_folds(manifest, 4, seed=1) != folds


def test_a_fold_without_a_class_is_named(tmp_path, caplog):
    manifest = make_manifest(tmp_path, {"a": 40, "b": 3})
    folds = split_folds(manifest, 4)
    without = [fold for fold in folds if "b" not in fold.select("test").class_names]
    assert len(without) == 1
    assert "has no image of ['b']" in caplog.text


def test_bad_folds(tmp_path):
    manifest = make_manifest(tmp_path, {"a": 4, "b": 4})
    with pytest.raises(ManifestError, match=r"groups, 8\. Received: folds=9"):
        split_folds(manifest, 9)
    for folds in (1, "3", 2.5, None, True):
        with pytest.raises(
            MscamError, match=f"`folds` must be a whole.* Received: folds={folds!r}"
        ):
            split_folds(manifest, folds)


def test_splits_are_copied_by_path_or_by_file(tmp_path):
    manifest = make_manifest(tmp_path, {"a": 2})
    source = set_splits(manifest, ["train", "test"])
    assert copy_splits(manifest, source) == source
    moved = Manifest(tmp_path / "a", tuple(Sample(f"{i}.png", "a", str(i)) for i in (1, 0)))
    assert [sample.split for sample in copy_splits(moved, source).samples] == ["test", "train"]
    with pytest.raises(ManifestError, match=r"none for 1 images of .* such as a/1\.png"):
        copy_splits(manifest, Manifest(tmp_path, source.samples[:1]))


GROUPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=12, max_size=60
).map(lambda rows: [Sample(f"{i}.png", label, str(g)) for i, (label, g) in enumerate(rows)])


def check_split(manifest, samples):
    """No group is torn, nothing is lost, and training and validation have every class."""
    assert not find_torn_groups(manifest)
    assert [replace(sample, split="") for sample in manifest.samples] == samples
    for split in ("train", "validation"):
        assert manifest.select(split).class_names == manifest.class_names


@given(GROUPS, st.integers(0, 3))
@settings(max_examples=15)
def test_no_group_is_torn(samples, seed):
    """Or no split is made: groups of many classes can make it impossible."""
    try:
        manifest = split_manifest(Manifest(Path(), tuple(samples)), seed)
    except ManifestError:
        return
    check_split(manifest, samples)
    assert manifest.select("test").class_names == manifest.class_names


@given(GROUPS, st.integers(2, 4))
@settings(max_examples=8)
def test_no_group_is_torn_by_folds(samples, folds):
    try:
        manifests = split_folds(Manifest(Path(), tuple(samples)), folds)
    except ManifestError:
        return
    tested = [sample.path for one in manifests for sample in one.select("test").samples]
    assert sorted(tested) == sorted(sample.path for sample in samples)
    for manifest in manifests:
        check_split(manifest, samples)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "a", None])
def test_seeds_that_numpy_does_not_take_are_refused(tmp_path, seed):
    manifest = make_manifest(tmp_path, {"a": 6, "b": 6})
    with pytest.raises(MscamError, match="`seed` must be a whole number of at least 0"):
        split_manifest(manifest, seed)
    with pytest.raises(MscamError, match="`seed` must be a whole number of at least 0"):
        split_folds(manifest, 2, seed)
