import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from mscam_tf import Box, MscamError, RunError, read_manifest, write_boxes
from mscam_tf.errors import OutputError
from mscam_tf.evaluation import calibrate, detection, measure_detection
from mscam_tf.files import read_table, write_table
from tests.conftest import write_images


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write 70 images with a bar of 1 to 20 pixels, of two kinds, and 30 without."""
    folder = write_images(tmp_path_factory.mktemp("data"), {"none": 30, "wide": 70})
    generator = np.random.default_rng(0)
    boxes, rows = {}, []
    for number in range(70):
        width = float(generator.uniform(1, 20))
        path = f"wide/wide{number}.png"
        boxes[path] = [Box(10, 0, 10 + width, 40, "wide")]
        rows.append({"path": path, "diameter": width, "kind": ("pin", "rib")[number % 2]})
    write_boxes(boxes, folder / "boxes.csv")
    write_table(folder / "objects.csv", rows)
    return read_manifest(folder)


@pytest.fixture
def run(three_class_run, data, tmp_path):
    copied = shutil.copytree(three_class_run.folder, tmp_path / "run")
    run = replace(three_class_run, folder=copied)
    calibrate(run, data, max_false_rejects=0.4)
    return run


def test_hits_curves_and_rates_are_written(run, data, tmp_path):
    report = measure_detection(run, data, tmp_path / "pod", by="kind", pixel_pitch=0.5)
    written = json.loads((tmp_path / "pod" / "pod.json").read_text())
    rows = read_table(tmp_path / "pod" / "hits.csv")
    assert len(rows) == 70
    every, pins, ribs = report.detections
    assert (every.name, pins.name, ribs.name) == ("all objects", "pin", "rib")
    assert (len(every.hits), len(pins.hits), len(ribs.hits)) == (70, 35, 35)
    np.testing.assert_allclose(every.sizes, [0.5 * float(row["size"]) for row in rows])
    np.testing.assert_array_equal(every.hits, [row["rejected"] == "1" for row in rows])
    assert written["curves"][0]["found"] == every.hits.sum()
    assert "needs 60 objects" in pins.reason
    assert written["curves"][1]["reason"] == pins.reason
    assert written["false_rejects"] == report.false_rejects.to_json()
    assert report.false_rejects.groups == 30
    assert (report.label, written["unit"]) == ("diameter (mm)", "mm")
    assert (tmp_path / "pod" / "pod.png").stat().st_size > 1000


def test_marks_count_each_object(run, data, tmp_path):
    report = measure_detection(run, data, tmp_path / "pod", hit="mark", size="length")
    rows = read_table(tmp_path / "pod" / "hits.csv")
    marked = [row["marked"] == "1" for row in rows]
    np.testing.assert_array_equal(report.detections[0].hits, marked)
    assert (report.label, report.detections[0].sizes[0]) == ("length (px)", 40)
    assert "several sizes" in report.detections[0].reason or not 0 < sum(marked) < 70


def test_a_folder_is_replaced_on_request(run, data, tmp_path):
    measure_detection(run, data, tmp_path / "pod")
    with pytest.raises(OutputError, match="overwrite"):
        measure_detection(run, data, tmp_path / "pod")
    measure_detection(run, data, tmp_path / "pod", overwrite=True, size="width")


def test_the_folder_is_held_until_all_is_written(run, data, tmp_path):
    folder, refused = tmp_path / "new" / "pod", []

    def try_another_and_stop(count):
        with pytest.raises(OutputError, match="Another command is writing"):
            measure_detection(run, data, folder)
        refused.append(count)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_detection(run, data, folder, on_progress=try_another_and_stop)
    assert refused == [1]
    assert not folder.parent.exists()


def test_a_run_needs_an_operating_point(run, data, tmp_path):
    (run.folder / "operating_point.json").unlink()
    with pytest.raises(RunError, match="choose one with `mscam calibrate`"):
        measure_detection(run, data, tmp_path / "pod")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"hit": "box"}, "`hit` must be one of 'image', 'mark'"),
        ({"pixel_pitch": 0.0}, "`pixel_pitch` must be a number above 0"),
        ({"pixel_pitch": np.inf}, "`pixel_pitch` must be a number above 0"),
        ({"link": "cauchit"}, r"`link` must be .*'cauchit'"),
        ({"size": "depth"}, "Received: 'depth'"),
        ({"by": "depth"}, "Received: 'depth'"),
    ],
)
def test_choices_are_checked(run, data, tmp_path, monkeypatch, values, match):
    monkeypatch.setattr(detection, "find_hits", None)  # Before any image is looked at.
    with pytest.raises(MscamError, match=match):
        measure_detection(run, data, tmp_path / "pod", **values)
    assert not (tmp_path / "pod").exists()
