import hashlib
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

import mscam_tf
from mscam_tf import Manifest, ManifestError, Sample, read_manifest, select_samples
from mscam_tf.data.manifests import relocate
from mscam_tf.runs import count_trained, describe_samples
from tests.conftest import write_images


def test_selects_the_split_of_the_run(finished_run, image_folder):
    manifest = read_manifest(image_folder)
    chosen = [select_samples(finished_run, manifest, s) for s in ("train", "validation", "test")]
    paths = [sample.path for part in chosen for sample in part.samples]
    assert sorted(paths) == sorted(sample.path for sample in manifest.samples)
    assert select_samples(finished_run, manifest, "all") == manifest
    with pytest.raises(ValueError, match=r"`split` must be one of .* Received: split='tset'"):
        select_samples(finished_run, manifest, "tset")


def test_training_images_among_all_are_said(finished_run, image_folder, tmp_path, caplog):
    manifest = read_manifest(image_folder)
    count = len(select_samples(finished_run, manifest, "train").samples)
    assert f"{count} of {count} images were trained on" in caplog.text
    caplog.clear()
    select_samples(finished_run, manifest, "validation")
    assert caplog.text == ""
    select_samples(finished_run, manifest, "all")
    assert f"{count} of {len(manifest.samples)} images were trained on" in caplog.text
    caplog.clear()
    other = read_manifest(write_images(tmp_path, {"none": 1, "wide": 1}))
    select_samples(finished_run, other, "all")
    assert caplog.text == ""


def test_images_of_the_split_that_the_data_lack_are_said(finished_run, image_folder, caplog):
    manifest = read_manifest(image_folder)
    whole = select_samples(finished_run, manifest, "train").samples
    assert [record.args for record in caplog.records] == [(len(whole), len(whole))]
    fewer = replace(manifest, samples=tuple(s for s in manifest.samples if s not in whole[:2]))
    assert select_samples(finished_run, fewer, "train").samples == whole[2:]
    assert "2 images of the split 'train'" in caplog.text
    assert f"such as {whole[0].path}. An image that was renamed" in caplog.text


def test_data_that_moved_are_said(finished_run, image_folder, tmp_path, caplog):
    samples = select_samples(finished_run, read_manifest(image_folder), "test")
    assert caplog.text == ""
    moved = shutil.copytree(image_folder, tmp_path / "moved")
    assert select_samples(finished_run, read_manifest(moved), "test").samples == samples.samples
    assert caplog.text == ""  # They are copies.
    run = replace(finished_run, data=str(tmp_path / "gone"))
    assert select_samples(run, read_manifest(moved), "test").samples == samples.samples
    assert caplog.messages == [
        f"{run.folder} was trained on {run.data}, where {len(samples.samples)} of its images are "
        "no longer. Images of the same names are taken for them; if they are others, use the "
        "split 'all'."
    ]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_other_images_of_the_same_names_are_refused(finished_run, image_folder, tmp_path, split):
    counts = {"none": 20, "wide": 12}
    other = read_manifest(write_images(tmp_path / "other", counts, seed=1))
    own = select_samples(finished_run, read_manifest(image_folder), split).samples
    message = (
        rf"names\. To take these, use the split 'all'\. Received: {len(own)} that differ, such"
    )
    with pytest.raises(ManifestError, match=message):
        select_samples(finished_run, other, split)
    assert select_samples(finished_run, other, "all") == other
    (tmp_path / "other" / own[0].path).write_bytes((image_folder / own[0].path).read_bytes())
    with pytest.raises(ManifestError, match=f"Received: {len(own) - 1} that differ"):
        select_samples(finished_run, other, split)


def test_copies_of_training_images_are_counted(finished_run, image_folder, tmp_path):
    manifest = read_manifest(image_folder)
    trained = select_samples(finished_run, manifest, "train").samples
    moved = read_manifest(shutil.copytree(image_folder, tmp_path / "moved"))
    assert count_trained(finished_run, manifest) == len(trained)
    assert count_trained(finished_run, moved) == len(trained)
    (tmp_path / "moved" / trained[0].path).write_bytes(b"another image")
    assert count_trained(finished_run, moved) == len(trained) - 1
    assert count_trained(replace(finished_run, data=str(tmp_path / "gone")), moved) == 0


def test_other_data_need_the_split_all(finished_run, tmp_path):
    manifest = read_manifest(write_images(tmp_path, {"none": 1, "wide": 1}))
    other = mscam_tf.Manifest(tmp_path, (Sample("none/x.png", "none", "x"),))
    with pytest.raises(ManifestError, match="use the split 'all'"):
        select_samples(finished_run, other, "test")
    assert len(select_samples(finished_run, manifest, "all").samples) == 2


def test_unknown_classes(finished_run, tmp_path):
    manifest = read_manifest(write_images(tmp_path, {"none": 1, "metal": 1}))
    with pytest.raises(ManifestError, match=r"knows the classes .* Received: \['metal'\]"):
        select_samples(finished_run, manifest, "all")


def test_images_are_known_by_their_file(finished_run, image_folder, tmp_path):
    listed = read_manifest(image_folder)
    wanted = select_samples(finished_run, listed, "test")
    for samples in (
        tuple(replace(s, path=f"none/.././{s.path}") for s in listed.samples),
        tuple(replace(s, path=str(image_folder / s.path)) for s in listed.samples),
    ):
        found = select_samples(finished_run, replace(listed, samples=samples), "test")
        assert list(map(Path.resolve, found.paths)) == list(map(Path.resolve, wanted.paths))
    linked = tmp_path / "linked"
    linked.symlink_to(image_folder)
    found = select_samples(finished_run, relocate(read_manifest(linked), tmp_path), "test")
    assert len(found.samples) == len(wanted.samples)


def test_a_record_tells_images_by_what_is_in_them(tmp_path):
    """The SHA-256 of the lines `SHA-256 label` in order, whatever the files are called."""
    texts = {"a.png": b"two", "b.png": b"one", "c.png": b"one"}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    samples = [Sample(name, label, "film") for name, label in zip(texts, "xyx", strict=True)]
    found = describe_samples(Manifest(tmp_path, (*samples[:2], replace(samples[2], group="b"))))
    one, two = (hashlib.sha256(text).hexdigest() for text in (b"one", b"two"))
    lines = f"{two} x\n{one} x\n{one} y"
    assert two < one  # So is the order.
    assert found == {
        "data": str(tmp_path),
        "images": 3,
        "groups": 2,
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "version": version("mscam-tf"),
    }
    renamed = shutil.copytree(tmp_path, tmp_path / "other")
    (renamed / "a.png").rename(renamed / "z.png")
    moved = Manifest(renamed, (replace(samples[0], path="z.png"), *samples[1:]))
    assert describe_samples(moved)["sha256"] == found["sha256"]
    (renamed / "z.png").write_bytes(b"three")
    assert describe_samples(moved)["sha256"] != found["sha256"]
