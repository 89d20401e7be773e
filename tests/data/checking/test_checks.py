import csv

import numpy as np
import pytest
from PIL import Image

from mscam_tf import Manifest, MscamError, Sample
from mscam_tf.data.checking import check_manifest, group_duplicates, write_duplicates
from mscam_tf.data.reading import ReadOptions


@pytest.fixture
def manifest(tmp_path):
    """Write five images: `b` is `a` flipped, `d` is `c` again; and one broken file."""
    noise = np.random.default_rng(0).integers(0, 255, (3, 40, 30)).astype(np.uint8)
    pictures = {"a": noise[0], "b": noise[0, :, ::-1], "c": noise[1], "d": noise[1], "e": noise[2]}
    for name, pixels in pictures.items():
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / f"{name}.png")
    (tmp_path / "f.png").write_bytes(b"no image")
    rows = [
        ("a", "bone", "1", "train"),
        ("b", "bone", "2", "test"),
        ("f", "bone", "3", "train"),
        ("c", "bone", "4", "train"),
        ("d", "none", "5", "train"),
        ("e", "none", "5", "train"),
    ]
    samples = tuple(Sample(f"{name}.png", *cells) for name, *cells in rows)
    return Manifest(tmp_path, samples)


@pytest.mark.parametrize("similarity", [0, -1, 2, float("nan"), float("inf")])
def test_a_similarity_is_one_before_any_file_is_read(manifest, similarity):
    seen = []
    with pytest.raises(MscamError, match=r"above 0 and at most 1\. Received: min_similarity="):
        check_manifest(manifest, None, seen.append, min_similarity=similarity)
    assert not seen


def test_report(manifest):
    seen, compared = [], []
    report = check_manifest(manifest, None, seen.append, compared.append)
    assert len(seen) == 6
    assert sum(compared) == 4  # One is broken, and one equal to another.
    assert report.sizes == {(40, 30): 5}
    assert [path.name for path, _ in report.problems] == ["f.png"]
    assert report.clusters == [[0, 1], [3, 4]]
    assert report.leaks == [[0, 1]]
    assert report.contradictions == [[3, 4]]
    assert report.ungrouped == [[0, 1], [3, 4]]
    assert report.torn_groups == {}
    assert report.failed


def test_constant_images_are_named_and_no_failure(manifest):
    Image.fromarray(np.full((40, 30), 7, np.uint8)).save(manifest.root / "c.png")
    clean = Manifest(manifest.root, (manifest.samples[0], manifest.samples[3]))
    report = check_manifest(clean)
    assert list(report.constant) == [1]
    assert not report.failed
    report = check_manifest(clean, ReadOptions(window=(300, 400)))  # Beyond all values.
    assert list(report.constant) == [0, 1]


def test_copies_in_one_group_of_one_split_are_fine(manifest):
    samples = tuple(Sample(name, "bone", "1", "train") for name in ("a.png", "b.png"))
    report = check_manifest(Manifest(manifest.root, samples))
    assert report.clusters == [[0, 1]]
    assert not report.ungrouped
    assert not report.failed


def test_groups_join_and_torn_splits_go(manifest):
    grouped = group_duplicates(check_manifest(manifest))
    assert [sample.group for sample in grouped.samples] == ["1", "1", "3", "4", "4", "4"]
    assert {sample.split for sample in grouped.samples} == {""}
    inside = Manifest(manifest.root, manifest.samples[2:])
    grouped = group_duplicates(check_manifest(inside))
    assert [sample.group for sample in grouped.samples] == ["3", "4", "4", "4"]
    assert {sample.split for sample in grouped.samples} == {"train"}


def test_masks_are_opened(manifest, tmp_path):
    Image.fromarray(np.ones((40, 30), np.uint8)).save(tmp_path / "right.png")
    Image.fromarray(np.ones((30, 40), np.uint8)).save(tmp_path / "turned.png")
    (tmp_path / "broken.png").write_bytes(b"no mask")
    pairs = {"a": "right", "c": "turned", "d": "broken", "e": "missing"}
    samples = tuple(Sample(f"{a}.png", "x", "1", mask=f"{m}.png") for a, m in pairs.items())
    seen = []
    report = check_manifest(Manifest(tmp_path, samples), None, seen.append)
    assert len(seen) == 4 + 4
    assert [path.name for path, _ in report.problems] == ["turned.png", "broken.png", "missing.png"]
    assert "the size (40, 30) of its image, but it has (30, 40)" in report.problems[0][1]
    assert report.failed


def test_torn_groups(manifest):
    samples = (Sample("a.png", "x", "g", "train"), Sample("c.png", "x", "g", "test"))
    report = check_manifest(Manifest(manifest.root, samples))
    assert report.torn_groups == {"g": ["test", "train"]}
    assert report.failed


def test_the_pairs_are_written(manifest, tmp_path):
    write_duplicates(check_manifest(manifest), tmp_path / "pairs.csv")
    rows = list(csv.DictReader((tmp_path / "pairs.csv").read_text().splitlines()))
    kinds = [(row["cluster"], row["kind"], row["orientation"]) for row in rows]
    assert kinds == [("1", "near", "flipped left to right"), ("2", "exact", "as it is")]
    assert rows[0]["second_path"] == "b.png"
    assert rows[0]["second_split"] == "test"
