from dataclasses import replace

import numpy as np
import pytest

import mscam_tf
from mscam_tf.deployment import find_images, read_batches


def test_images_are_those_of_the_validation(finished_run, image_folder):
    manifest = mscam_tf.read_manifest(image_folder)
    samples = mscam_tf.select_samples(finished_run, manifest, "validation")
    assert find_images(finished_run) == samples.paths


def test_missing_images_are_named(finished_run, tmp_path):
    moved = replace(finished_run, data=str(tmp_path))
    with pytest.raises(mscam_tf.MscamError, match=r"--images.*Received: 3 of 3 that are missing"):
        find_images(moved)


def test_batches_are_what_a_session_reads(finished_run, image_folder):
    paths = sorted(image_folder.glob("none/*"))
    batches = list(read_batches(finished_run, paths))
    assert [len(batch) for batch in batches] == [8, 8, 4]
    results = mscam_tf.open_session(finished_run).explain(paths)
    images = np.concatenate(batches)[..., 0]
    np.testing.assert_array_equal(images, [result.image for result in results])


def test_an_unreadable_image_is_named(finished_run, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"bad")
    with pytest.raises(mscam_tf.ImageError, match=r"bad.png"):
        list(read_batches(finished_run, [tmp_path / "bad.png"]))
