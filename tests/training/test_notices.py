import os
import time

import mscam_tf
from mscam_tf import TrainConfig, read_manifest
from mscam_tf.runs import create_run
from mscam_tf.training.notices import warn_of_changed_images
from tests.conftest import write_images
from tests.training.test_resuming import CONFIG, Stop, stop


def test_images_that_were_written_since_are_said(tmp_path, caplog):
    manifest = read_manifest(write_images(tmp_path / "data", {"none": 2, "wide": 2}))
    for path in manifest.paths:
        os.utime(path, (0, time.time() - 60))
    run = create_run(tmp_path / "run", TrainConfig(), ["none", "wide"], str(manifest.root))
    warn_of_changed_images(run, manifest)
    assert not caplog.text
    changed, gone = manifest.paths[1:3]
    os.utime(changed, (0, time.time() + 60))
    gone.unlink()
    warn_of_changed_images(run, manifest)
    assert f"1 images were written after this training began, such as {changed}." in caplog.text


def test_a_training_that_goes_on_says_so(tmp_path, caplog):
    manifest = read_manifest(write_images(tmp_path / "data", {"none": 12, "wide": 12}))
    stop(manifest, tmp_path / "run", CONFIG, Stop(1))
    first, second = manifest.paths[:2]
    first.write_bytes(second.read_bytes())
    os.utime(first, (0, time.time() + 60))
    mscam_tf.train(manifest, tmp_path / "run", CONFIG, resume=True)
    assert f"such as {first}" in caplog.text
