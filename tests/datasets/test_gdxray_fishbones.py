import tempfile
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from mscam_tf.datasets import GdxrayFishbones
from tests.datasets.fakes import write_fishbones

COUNTS = {"train": 56, "validation": 8, "test": 4}


class TestBuilder(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = GdxrayFishbones
    SPLITS = COUNTS

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = write_fishbones(Path(tempfile.mkdtemp()))
        super().setUpClass()


def prepare(folder, manual):
    builder = GdxrayFishbones(data_dir=folder)
    config = tfds.download.DownloadConfig(manual_dir=manual)
    builder.download_and_prepare(download_config=config)
    return builder


def test_copies_stay_together(tmp_path):
    builder = prepare(tmp_path / "tfds", write_fishbones(tmp_path / "manual"))
    splits, names = {}, {}
    for split in COUNTS:
        for example in tfds.as_numpy(builder.as_dataset(split=split)):
            group, name = example["group"].decode(), example["name"].decode()
            splits.setdefault(group, set()).add(split)
            names.setdefault(group, set()).add(name)
            # In these files the originals of class_1 have numbers above 100.
            assert example["label"] == (0 if int(group[-4:]) > 100 else 1)
    assert all(len(found) == 1 for found in splits.values())
    assert names["N0002_0003"] == {"N0002_0003", "BN0002_0003", "LN0002_0003", "UN0002_0003"}
    assert sum(found == {"validation"} for found in splits.values()) == 2


def test_no_images(tmp_path):
    (tmp_path / "manual" / "fishbones").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"class_0 and class_1 .* Received: .*train"):
        prepare(tmp_path / "tfds", tmp_path / "manual")


def test_neither_a_folder_nor_a_download(tmp_path, monkeypatch):
    def fail(self, url):
        raise OSError("no network")

    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", fail)
    with pytest.raises(FileNotFoundError, match=r"no network(.|\n)*fishbones/train/class_0"):
        prepare(tmp_path / "tfds", tmp_path / "manual")


def test_the_archive_has_the_folder_of_the_repository(tmp_path, monkeypatch):
    def unpack(self, url):
        commit = url.rsplit("/", 1)[1].removesuffix(".zip")
        assert len(commit) == 40
        write_fishbones(tmp_path / f"pyxvis-{commit}" / "listings" / "images")
        return tmp_path

    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", unpack)
    builder = prepare(tmp_path / "tfds", tmp_path / "manual")
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == COUNTS
