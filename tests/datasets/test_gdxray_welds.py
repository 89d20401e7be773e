import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from mscam_tf.datasets import GdxrayWelds, GdxrayWeldsConfig
from tests.datasets.fakes import write_welds

PATCHES = GdxrayWeldsConfig("tiny_patches", patch_size=30)


class TestFilms(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = GdxrayWelds
    SPLITS = {"train": 7, "validation": 1, "test": 2}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = ["films"]  # noqa: RUF012

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = write_welds(Path(tempfile.mkdtemp()))
        super().setUpClass()


class TestPatches(TestFilms):
    SPLITS = {"train": 21, "validation": 3, "test": 6}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = [PATCHES]  # noqa: RUF012


def prepare(folder, manual, config):
    builder = GdxrayWelds(config=config, data_dir=folder)
    download = tfds.download.DownloadConfig(manual_dir=manual)
    builder.download_and_prepare(download_config=download)
    return builder


def read(builder):
    examples = tfds.as_numpy(builder.as_dataset(split="all"))
    return {example["name"].decode(): example for example in examples}


def test_boxes_of_films_bound_their_masks(tmp_path):
    films = read(prepare(tmp_path / "tfds", write_welds(tmp_path / "manual"), "films"))
    film = films["W0001_0001"]
    scale = np.array([30, 70, 30, 70])
    np.testing.assert_allclose(film["bboxes"] * scale, [(5, 3, 12, 9), (2, 40, 8, 50)], atol=1e-4)
    assert film["mask"][5:12, 3:9].all()
    assert film["mask"].sum() == 7 * 6 + 6 * 10
    labels = {name: example["label"] for name, example in films.items()}
    assert [labels[f"W0001_{i:04d}"] for i in (1, 2, 3)] == [0, 0, 1]


def test_patches_cover_the_film_and_cut_boxes(tmp_path):
    patches = read(prepare(tmp_path / "tfds", write_welds(tmp_path / "manual"), PATCHES))
    mine = [name for name in patches if name.startswith("W0001_0001")]
    assert sorted(mine) == [f"W0001_0001_y0000_x{x:04d}" for x in (0, 20, 40)]
    middle = patches["W0001_0001_y0000_x0020"]
    assert middle["group"] == b"W0001_0001"
    assert middle["label"] == 0
    np.testing.assert_allclose(middle["bboxes"] * 30, [(2, 20, 8, 30)], atol=1e-4)
    np.testing.assert_array_equal(np.argwhere(middle["mask"][..., 0])[[0, -1]], [(2, 20), (7, 29)])
    last = patches["W0001_0002_y0000_x0040"]
    assert last["label"] == 1
    assert len(last["bboxes"]) == 0


def test_a_film_full_of_defects_is_never_alone(tmp_path):
    manual = write_welds(tmp_path / "manual", films=7)
    mask = Image.fromarray(np.ones((30, 70), bool))
    mask.save(manual / "Welds" / "W0002" / "W0002_0004.png")
    builder = prepare(tmp_path / "tfds", manual, "films")
    train = tfds.as_numpy(builder.as_dataset(split="train"))
    assert b"W0001_0004" in [example["name"] for example in train]


def test_missing_files_are_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"manual does not exist(.|\n)*ground_truth.txt"):
        prepare(tmp_path / "tfds", tmp_path / "manual", "films")
    (tmp_path / "manual" / "welds").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"Expected the folder Welds. Received: .*manual"):
        prepare(tmp_path / "tfds", tmp_path / "manual", "films")
    (tmp_path / "empty" / "Welds").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"such as W0001_0001.png. Received: .*W0001"):
        prepare(tmp_path / "tfds", tmp_path / "empty", "films")
    welds = write_welds(tmp_path / "other", films=3)
    (welds / "Welds" / "W0002" / "W0002_0002.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"mask for W0001_0002.png. Received: .*W0002_0002"):
        prepare(tmp_path / "tfds", welds, "films")


def test_films_smaller_than_a_patch(tmp_path):
    with pytest.raises(ValueError, match=r"at least 256 pixels a side. Received: \(30, 70\)"):
        prepare(tmp_path / "tfds", write_welds(tmp_path / "manual"), "patches")
