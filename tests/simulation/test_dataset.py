import csv
import hashlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs

SMALL = SimulationConfig(image_size=(48, 48))


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = [path.relative_to(folder).as_posix().encode() + path.read_bytes() for path in files]
    return hashlib.sha256(b"".join(content)).hexdigest()


def read_table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_radiographs(tmp_path_factory.mktemp("bones"), Plan(12, SMALL, seed=1))


def test_same_bytes_on_any_number_of_processes(dataset, tmp_path):
    again = write_radiographs(tmp_path / "again", Plan(12, SMALL, seed=1), processes=2)
    other = write_radiographs(tmp_path / "other", Plan(12, SMALL, seed=2))
    assert digest(dataset) == digest(again) != digest(other)


def test_the_tables_hold_the_truth(dataset):
    rows = read_table(dataset / "manifest.csv")
    boxes, bones = read_table(dataset / "boxes.csv"), read_table(dataset / "bones.csv")
    assert Counter(row["label"] for row in rows) == dict.fromkeys(
        ("none", "scale1", "scale2", "scale3"), 3
    )
    assert [row["path"] for row in boxes] == [row["path"] for row in bones]
    assert {"kind", "diameter", "length", "contrast", "center_x"} < set(bones[0])
    for row in rows:
        image = np.asarray(Image.open(dataset / row["path"]))
        assert image.dtype == np.uint16
        if row["label"] == "none":
            assert row["mask"] == ""
            continue
        mask = np.asarray(Image.open(dataset / row["mask"]))
        assert mask.shape == image.shape
        assert mask.max() == sum(box["path"] == row["path"] for box in boxes)


def test_plan_keeps_the_shares():
    counts = Counter(Plan(371).assign_classes())
    assert sum(counts.values()) == 371
    assert max(counts.values()) - min(counts.values()) <= 1
    binary = Counter(Plan(60, labels="binary").assign_classes())
    assert binary["none"] == 30
    assert binary["scale1"] == binary["scale2"] == binary["scale3"] == 10


def test_two_classes_and_eight_bits(tmp_path):
    config = SimulationConfig(image_size=(32, 32), bit_depth=8)
    folder = write_radiographs(tmp_path, Plan(6, config, labels="binary"))
    assert {row["label"] for row in read_table(folder / "manifest.csv")} == {"none", "bone"}
    assert np.asarray(Image.open(next(folder.glob("bone/*.png")))).dtype == np.uint8


def test_fillets_without_bones(tmp_path):
    config = SimulationConfig(image_size=(64, 128), pixel_pitch=2.0)
    folder = write_radiographs(tmp_path, Plan(2, config, frame_groups=0))
    assert [row["label"] for row in read_table(folder / "manifest.csv")] == ["none", "none"]


def test_progress_counts_the_images(tmp_path):
    seen = []
    write_radiographs(tmp_path, Plan(3, SMALL), on_progress=seen.append)
    assert seen == [1, 1, 1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"num_images": 0},
            "`num_images` must be .* at least 1. Received: num_images=0",
        ),
        ({"labels": "size"}, "`labels` must be one of .* Received: labels='size'"),
        ({"balance": {"huge": 1}}, "`balance` must give .* Received: balance={'huge': 1}"),
        ({"balance": {"none": 0}}, "`balance` must give"),
        ({"balance": {}}, "`balance` must give"),
        ({"balance": {"none": "3"}}, "`balance` must give"),
        ({"balance": {"none": float("nan")}}, "`balance` must give"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0 .* Received: seed=-1"),
    ],
)
def test_bad_plans(settings, message):
    with pytest.raises(ValueError, match=message):
        Plan(**settings)
