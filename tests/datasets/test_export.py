import csv

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import mscam_tf
from mscam_tf.datasets import (
    MscamSimulatedBones,
    SimulatedBonesConfig,
    export_dataset,
    prepare_dataset,
)
from mscam_tf.datasets.export import list_names
from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs
from tests.datasets.fakes import WELD_BOXES, write_fishbones, write_welds

PLAN = Plan(12, SimulationConfig(image_size=(48, 64)), seed=3)


def read_table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    config = SimulatedBonesConfig("tiny", plan=PLAN)
    builder = MscamSimulatedBones(config=config, data_dir=tmp_path_factory.mktemp("tfds"))
    builder.download_and_prepare()
    return export_dataset(builder)


def test_what_is_exported_is_what_simulate_writes(manifest, tmp_path):
    simulated = write_radiographs(tmp_path / "bones", PLAN)
    for ours in read_table(simulated / "manifest.csv"):
        for column in ("path", "mask"):
            if ours[column]:
                expected = np.asarray(Image.open(simulated / ours[column]))
                exported = np.asarray(Image.open(manifest.parent / ours[column]))
                np.testing.assert_array_equal(exported, expected)
    assert np.asarray(Image.open(next(manifest.parent.glob("scale2/*.png")))).dtype == np.uint16
    ours, theirs = (
        {(row["path"], row["label"], float(row["x_min"]), float(row["y_max"])) for row in table}
        for table in map(read_table, (simulated / "boxes.csv", manifest.parent / "boxes.csv"))
    )
    assert ours == theirs


def test_the_manifest_has_labels_and_splits(manifest):
    samples = mscam_tf.read_manifest(manifest).samples
    assert len(samples) == PLAN.num_images
    assert all(sample.path.startswith(f"{sample.label}/") for sample in samples)
    assert {sample.split for sample in samples} <= {"train", "validation", "test"}
    assert not list(manifest.parent.parent.glob(".partial*"))


def test_it_is_written_once(manifest):
    before = manifest.stat().st_mtime_ns
    builder = MscamSimulatedBones(
        config=SimulatedBonesConfig("tiny", plan=PLAN), data_dir=manifest.parents[4]
    )
    assert export_dataset(builder) == manifest
    assert manifest.stat().st_mtime_ns == before


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    write_fishbones(tmp_path / "downloads" / "manual")

    def fail(*arguments, **options):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", fail)
        with pytest.raises(OSError, match="disk full"):
            prepare_dataset("gdxray_fishbones", tmp_path)
    assert not list((tmp_path / "mscam").rglob("*.*"))
    groups = [sample.group for sample in mscam_tf.read_manifest(prepare(tmp_path)).samples]
    assert len(groups) == 68
    assert len(set(groups)) == 20


def prepare(folder):
    return prepare_dataset("gdxray_fishbones", folder)


def test_labels_have_the_numbers_of_a_run(tmp_path):
    write_fishbones(tmp_path / "downloads" / "manual")
    names = mscam_tf.read_manifest(prepare(tmp_path)).class_names
    assert tfds.builder("gdxray_fishbones", data_dir=tmp_path).info.features["label"].names == names


def test_boxes_of_welds_are_in_pixels(tmp_path):
    write_welds(tmp_path / "downloads" / "manual")
    folder = prepare_dataset("gdxray_welds/films", tmp_path).parent
    boxes = [row for row in read_table(folder / "boxes.csv") if row["path"].endswith("_0001.png")]
    values = {tuple(float(row[name]) for name in list(row)[1:5]) for row in boxes}
    assert values == set(map(tuple, WELD_BOXES[1]))
    assert {row["label"] for row in boxes} == {"defect"}
    masks = {row["path"]: row["mask"] for row in read_table(folder / "manifest.csv")}
    assert masks["defect/W0001_0001.png"] == "masks/W0001_0001.png"
    assert masks["none/W0001_0003.png"] == ""


@pytest.mark.parametrize("name", ["bones", "gdxray_welds/bones", "gdxray_fishbones/films"])
def test_unknown_names_are_answered_with_those_there_are(name, tmp_path):
    with pytest.raises(
        ValueError, match=rf"one of gdxray_fishbones, .*/frames. Received: '{name}'"
    ):
        prepare_dataset(name, tmp_path)
    assert "gdxray_welds/patches" in list_names()
