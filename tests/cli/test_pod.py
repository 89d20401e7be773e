import json
import shutil

import numpy as np
import pytest

from mscam_tf import Box, write_boxes
from mscam_tf.evaluation import Hit, TrueObject
from mscam_tf.evaluation.curves import make_report
from mscam_tf.evaluation.hits import Hits
from mscam_tf.metrics import DetectionCurve
from tests.cli.command import call
from tests.conftest import write_images


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_images(tmp_path_factory.mktemp("data"), {"none": 40, "steel": 66})
    widths = np.random.default_rng(0).uniform(1, 9, 66)
    boxes = {f"steel/steel{i}.png": [Box(5, 5, 5 + w, 20)] for i, w in enumerate(widths)}
    write_boxes(boxes, folder / "boxes.csv")
    return folder


def test_pod(three_class_run, data, tmp_path):
    """The run knows no class steel: labels other than that of good images need not be its own."""
    run = shutil.copytree(three_class_run.folder, tmp_path / "run")
    good = tmp_path / "good"
    shutil.copytree(data / "none", good / "none")
    call("calibrate", run, good, "--split", "all", "--max-false-rejects", "50%")
    options = ("--split", "all", "--out", tmp_path / "pod", "--pixel-pitch", 0.2)
    text = call("pod", run, data, *options, "--size", "width")
    assert "width (mm)" in text
    assert "false rejects" in text
    assert "of 40" in text
    assert "of 66" in text
    written = json.loads((tmp_path / "pod" / "pod.json").read_text())
    assert written["curves"][0]["n"] == 66
    assert "add --overwrite" in call("pod", run, data, *options, status=1)
    text = call("pod", run, data, *options, "--overwrite", "--hit", "mark", "--linear")
    assert json.loads((tmp_path / "pod" / "pod.json").read_text())["hit"] == "mark"


def test_a_run_without_an_operating_point_is_refused(three_class_run, data, tmp_path):
    text = call("pod", three_class_run.folder, data, "--split", "all", "--out", tmp_path, status=1)
    assert "mscam calibrate" in text


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        # log odds -ln 3 and 0 by log2 of the size: a50 = 2, a90 = 8.
        (
            (10, 20),
            ["a │ 30 of 80 │ 2 │ beyond 2 │ beyond 2", "logit, size │ 2 │ beyond 2 │ beyond 2 │ -"],
        ),
        # ln 3 and ln 7: a50 = 0.41, a90 = 2.46.
        (
            (30, 35),
            ["a │ 65 of 80 │ below 1 │ beyond 2 │ beyond 2", "logit, size │ below 1 │ beyond 2"],
        ),
    ],
)
def test_what_no_object_had_is_no_figure(three_class_run, data, tmp_path, monkeypatch, found, rows):
    """40 objects of 1 px and 40 of 2 px: of all, of each kind, and in other forms of the curve."""
    hits = np.arange(80) % 40 < np.repeat(found, 40)
    objects = tuple(
        Hit(str(number), TrueObject(Box(0, 0, side, 5), {"kind": "a"}), bool(hit), bool(hit))
        for number, (side, hit) in enumerate(zip(np.repeat([1, 2], 40), hits, strict=True))
    )
    report = make_report(Hits(objects, None, None), "width", "image", "kind", None, "logit", True)
    monkeypatch.setattr("mscam_tf.evaluation.measure_detection", lambda *_, **__: report)
    bounded = []
    bound_size = DetectionCurve.bound_size
    monkeypatch.setattr(DetectionCurve, "bound_size", lambda c: bounded.append(c) or bound_size(c))
    text = call("pod", three_class_run.folder, data, "--split", "all", "--out", tmp_path / "pod")
    for row in (*rows, rows[0].replace("a │", "all objects │")):
        assert row in text
    assert "a curve is a guess, so no figure is stated there" in text
    assert len({id(curve) for curve in bounded}) == len(bounded)  # Which takes the most time.
