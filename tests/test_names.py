"""Names of places that say nothing by themselves are shown in full, wherever a message has them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mscam_tf
from mscam_tf import MscamError
from mscam_tf.data.labelling import measure_images
from mscam_tf.data.manifests import Manifest, Sample, list_images, split_manifest
from mscam_tf.evaluation import read_objects
from mscam_tf.names import show_place
from mscam_tf.outputs import NEW_FOLDER, claim


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in a folder of one image, and one that is called `..` from another folder."""
    (tmp_path / "below").mkdir()
    np.save(tmp_path / "a.npy", np.zeros((4, 4), np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_places_without_a_name(here):
    assert show_place("") == show_place(Path()) == show_place("below/..") == str(here)
    assert show_place("..") == str(here.parent)
    assert [show_place(name) for name in ("below", "./a.npy", "/")] == ["below", "a.npy", "/"]


MANIFEST = Manifest(Path(), (Sample("a.npy", "pore", "a"),))


@pytest.mark.parametrize(
    "fail",
    [
        lambda run: mscam_tf.select_samples(run, MANIFEST, "test"),
        lambda run: mscam_tf.read_manifest("."),
        lambda run: mscam_tf.open_run("."),
        lambda run: list_images([Path("below"), Path("below") / ".."]),
        lambda run: split_manifest(MANIFEST),
        lambda run: read_objects(MANIFEST),
        lambda run: measure_images(MANIFEST, "masks"),
        lambda run: claim(".", NEW_FOLDER),
    ],
)
def test_messages_name_the_current_folder(finished_run, here, fail):
    (here / "a.npy").rename(here / "below.txt")  # So that no image is listed.
    run = replace(finished_run, class_names=["none", "pore"])
    with pytest.raises((MscamError, FileNotFoundError)) as caught:
        fail(run)
    assert str(here) in str(caught.value)
    assert not str(caught.value).endswith(("Received: .", "Received: "))
