from dataclasses import replace

import pytest

from mscam_tf import read_boxes
from mscam_tf.files import write_table
from mscam_tf.localization import (
    REGION_COLUMNS,
    describe_regions,
    list_regions,
    make_rows,
    place_box,
)
from mscam_tf.runs import OperatingPoint
from tests.localization.explanations import explain_by_hand

POINT = OperatingPoint({"void": 0.0, "bone": 1.0})


@pytest.fixture
def explanation():
    """Of an image that was three times as high and twice as wide in its file."""
    return replace(explain_by_hand(), source_size=(12, 16))


def test_rows_are_in_pixels_of_the_file(explanation):
    rows = list(make_rows(explanation, list_regions(explanation, POINT)))
    assert [(row["label"], row["number"]) for row in rows] == [
        ("void", 1), ("bone", 1), ("bone", 2)
    ]  # fmt: skip
    assert rows[1] == {
        "path": "image.png", "label": "bone", "number": 1, "score": "7.0000",
        "share": "0.500000", "scale": 2, "x_min": "14", "y_min": "6", "x_max": "16",
        "y_max": "12", "center_x": "15", "center_y": "9", "peak_x": "15", "peak_y": "7.5",
        "area": "12", "size": "2.45",
    }  # fmt: skip
    assert set(rows[1]) == set(REGION_COLUMNS)


def test_the_table_is_one_of_boxes(explanation, tmp_path):
    regions = list_regions(explanation, OperatingPoint({"bone": 1.0}))
    write_table(tmp_path / "regions.csv", make_rows(explanation, regions), REGION_COLUMNS)
    boxes = read_boxes(tmp_path / "regions.csv")["image.png"]
    assert boxes == [place_box(explanation, region) for region in regions]
    assert (boxes[1].x_max, boxes[1].y_max, boxes[1].label) == (6, 6, "bone")


def test_regions_in_words(explanation):
    regions = list_regions(explanation, POINT)
    first, second = describe_regions(explanation, regions)  # The bone is the predicted class.
    assert first == (
        "region 1 at (15.0, 9.0), 2.5 px: score 7.00, adds 0.50, most of it from scale 2"
    )
    assert second.startswith("region 2 at (3.0, 3.0), ")
    assert describe_regions(explanation, regions, most=1) == [first, "and 1 more region"]
    assert describe_regions(explanation, []) == ["no region of bone"]
    unshared = list_regions(replace(explanation, cell_contributions=()), POINT)
    assert describe_regions(explanation, unshared, 1)[0].endswith(" px: score 7.00")
    assert next(iter(make_rows(explanation, unshared)))["share"] == ""
