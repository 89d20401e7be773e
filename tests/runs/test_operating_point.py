import json
from dataclasses import replace

import numpy as np
import pytest

from mscam_tf import MscamError, RunError
from mscam_tf.metrics import sharpen_maps
from mscam_tf.runs import (
    Explanation,
    OperatingPoint,
    Run,
    TrainConfig,
    read_operating_point,
    write_operating_point,
)

POINT = OperatingPoint({"bone": 1.25}, 0.5, 2, 4.0, "none", {"images": 7, "interval": [0.0, 0.01]})


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, TrainConfig(), ["bone", "none"], "")


def test_an_area_that_no_region_can_have_is_refused():
    POINT.check_area((2, 2))
    message = r"`minimum_area` \(--minimum-area\) must be at most 3,.* \(3 x 1\).*minimum_area=4$"
    with pytest.raises(MscamError, match=message):
        POINT.check_area((1, 3))


def test_what_is_written_is_read(run):
    assert read_operating_point(run) is None
    write_operating_point(run, POINT)
    assert read_operating_point(run) == POINT
    write_operating_point(run, replace(POINT, scale="sum", good=None))
    assert read_operating_point(run) == replace(POINT, scale="sum", good=None)
    assert [path.name for path in run.folder.iterdir()] == ["operating_point.json"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"decision_threshold": float("nan")}, "`decision_threshold` must be a number"),
        ({"decision_threshold": "0"}, "`decision_threshold` must be a number"),
        ({"map_thresholds": {"bone": None}}, "`map_thresholds` must be a number for each"),
        ({"map_thresholds": [1.0]}, "`map_thresholds` must be a number for each"),
        ({"scale": 0}, "`scale` must be 'sum', 'sharp', or 1 or more.*Received: scale=0"),
        ({"scale": True}, "`scale` must be"),
        ({"scale": "finest"}, "`scale` must be"),
        ({"minimum_area": -1}, "`minimum_area` must be a number of at least 0"),
        ({"record": None}, "`record` must be"),
    ],
)
def test_values_are_checked_when_made_and_when_read(run, change, match):
    with pytest.raises(MscamError, match=match):
        replace(POINT, **change)
    write_operating_point(run, POINT)
    path = run.folder / "operating_point.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RunError, match=f"operating_point.json is no operating point.*{match}"):
        read_operating_point(run)


@pytest.mark.parametrize("number", [2, -1, "new", None, 0.5])
def test_a_newer_file_is_refused(run, number):
    write_operating_point(run, POINT)
    path = run.folder / "operating_point.json"
    values = json.loads(path.read_text())
    assert values["format"] == 1
    path.write_text(json.dumps(values | {"format": number}))
    with pytest.raises(RunError, match=r"operating_point.json has a.*newer version.*up to 1\. Rec"):
        read_operating_point(run)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"map_thresholds": {}, "more": 1}'])
def test_a_damaged_file_is_named(run, text):
    (run.folder / "operating_point.json").write_text(text)
    with pytest.raises(RunError, match=r"operating_point\.json"):
        read_operating_point(run)


@pytest.mark.parametrize("change", [{"good": "fine"}, {"map_thresholds": {"fine": 1.0}}])
def test_classes_must_be_those_of_the_run(run, change):
    with pytest.raises(MscamError, match=r"classes \['bone', 'none'\]. Received: \['fine'\]"):
        write_operating_point(run, replace(POINT, **change))
    assert not list(run.folder.iterdir())
    other = replace(run, class_names=["fine", "bone", "none"])
    write_operating_point(other, replace(POINT, **change))
    with pytest.raises(RunError, match=r"operating_point\.json .*Received: \['fine'\]"):
        read_operating_point(run)


def make_explanation(scales):
    maps = np.arange(12.0).reshape(2, 3, 2)
    return Explanation(
        *(None,) * 6, maps, np.array([maps * b for b in range(scales)]), ["bone", "none"]
    )


def test_maps_are_those_of_the_scale():
    explanation = make_explanation(2)
    np.testing.assert_array_equal(POINT.take_maps(explanation), np.arange(12.0).reshape(2, 3, 2))
    whole = replace(POINT, scale="sum").take_maps(explanation)
    np.testing.assert_array_equal(whole, explanation.maps)


def test_sharp_maps_are_of_the_odds_against_the_good_class():
    image = np.random.default_rng(0).random((2, 3))
    explanation = replace(make_explanation(0), image=image)
    sharp = replace(POINT, scale="sharp", good="none")
    odds = explanation.maps - explanation.maps[..., [1]]  # Of bone, -1 everywhere.
    np.testing.assert_allclose(sharp.take_maps(explanation), sharpen_maps(odds, image))
    alone = replace(sharp, good=None).take_maps(explanation)
    np.testing.assert_allclose(alone, sharpen_maps(explanation.maps, image))
    assert not sharp.needs_scale_maps
    assert POINT.needs_scale_maps


def test_a_scale_that_is_not_there_is_refused():
    with pytest.raises(MscamError, match=r"one of the 1 scales of the model.*Received: scale=2"):
        POINT.take_maps(make_explanation(1))
