import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mscam_tf import Manifest, ManifestError, Sample
from mscam_tf.data.manifests import (
    BOXES_FILE,
    Box,
    carry_boxes,
    check_inside,
    find_boxes,
    match_boxes,
    read_boxes,
    write_boxes,
)
from tests.data.manifests.odd import LABELS, PATHS

CUT = ("object_width", "object_height", "visible")
PLACES = st.floats(-500, 500)
LENGTHS = st.floats(1e-6, 500)
BOXES = st.builds(
    lambda x, y, width, height, label: Box(x, y, x + width, y + height, label),
    *(PLACES, PLACES, LENGTHS, LENGTHS, st.just("") | LABELS),
)


def test_write_and_read(tmp_path):
    boxes = {
        "x/a.png": [Box(1.5, 2, 8, 4.25, "pore"), Box(0, 0, 3, 4, "", (9, 4), 0.3333)],
        "b.png": [Box(1, 1, 2, 2)],
    }
    write_boxes(boxes, tmp_path / "boxes.csv")
    found = read_boxes(tmp_path / "boxes.csv")
    assert found["x/a.png"][1] == boxes["x/a.png"][1]
    assert found["x/a.png"][0].size == (6.5, 2.25)
    assert [len(found[path]) for path in boxes] == [2, 1]


def test_the_column_path_comes_first(tmp_path):
    corners = "x_min,y_min,x_max,y_max"
    (tmp_path / "b.csv").write_text(f"film,image,path,{corners}\nw1,old.png,a.png,1,2,3,4\n")
    assert read_boxes(tmp_path / "b.csv") == {"a.png": [Box(1, 2, 3, 4)]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "film,image,x_min,y_min,x_max,y_max\nw1,a.png,1,2,3,4\n",
            "must say whether a box is of its film or of its image: name that column path",
        ),
        ("name,x_min,y_min,x_max,y_max\n", "must have the columns path, x_min"),
        ("path,x_min,y_min,x_max\n", "must have the columns path, x_min"),
        (
            "path,x_min,y_min,x_max,y_max\na,1,2,x,4\n",
            "line 2, column x_max: expected a number, such as 0.5. Received: 'x'",
        ),
        ("film,x_min,y_min,x_max,y_max\na,1,2,1,4\n", "line 2: A box must have x_min < x_max"),
        ("path,x_min,y_min,x_max,y_max\na,1,2\n", "line 2: expected 5 cells"),
    ],
)
def test_bad_files(tmp_path, text, message):
    (tmp_path / "boxes.csv").write_text(text)
    with pytest.raises(ManifestError, match=message):
        read_boxes(tmp_path / "boxes.csv")


def test_a_name_matches_only_where_it_is_unique():
    boxes = {"a.png": [Box(0, 0, 1, 1)], "none/b.png": [Box(0, 0, 2, 2)]}
    found = match_boxes(boxes, ["bone/a.png", "none/b.png", "bone/b.png"])
    assert [len(found[path]) for path in found] == [1, 1, 0]
    with pytest.raises(ManifestError, match=r"boxes of a\.png, images such as bone/c\.png"):
        match_boxes(boxes, ["bone/c.png"])


def test_a_name_that_fits_several_images():
    boxes = {"a.png": [Box(0, 0, 1, 1)], "x/b.png": [Box(0, 0, 1, 1)]}
    with pytest.raises(ManifestError, match=r"Received: a\.png, which fits 2 .* y/a\.png and z/a"):
        match_boxes(boxes, ["y/a.png", "x/b.png", "z/a.png"])
    found = match_boxes(boxes, ["a.png", "x/b.png", "z/a.png"])  # One has the very path.
    assert [len(rows) for rows in found.values()] == [1, 1, 0]


def test_boxes_left_over_are_told(caplog):
    box = Box(0, 0, 1, 1)
    boxes = {"a.png": [box], "b.png": [box, box], "x/c.png": [box]}
    assert match_boxes(boxes, ["x/a.png"]) == {"x/a.png": [box]}
    assert "3 boxes are left out: their 2 images are not listed, such as b.png" in caplog.text


@pytest.mark.parametrize(
    "text", ["id,score\n1,2\n", "path,x_min,y_min,x_max,y_max\nother.png,1,2,3,4\n"]
)
def test_boxes_of_something_else_are_passed_over(tmp_path, caplog, text):
    (tmp_path / BOXES_FILE).write_text(text)
    carry_boxes(Manifest(tmp_path, (Sample("a.png", "bone", "1"),)), tmp_path / "new")
    assert f"{BOXES_FILE} is passed over" in caplog.text


@pytest.mark.parametrize("name", ["x/b.jpg", "x/B.png", "data/x/b.png", "b.jpg", "c.png"])
@pytest.mark.parametrize("others", ["x/a.png,1,2,3,4\n", ""])
def test_a_wrong_name_does_not_discard_the_other_boxes(tmp_path, name, others):
    """Without a word of what is wrong, a training would learn from the labels alone."""
    (tmp_path / BOXES_FILE).write_text(f"path,x_min,y_min,x_max,y_max\n{others}{name},1,2,3,4\n")
    paths = ("x/a.png", "x/b.png", "x/c.png", "y/c.png")
    manifest = Manifest(tmp_path, tuple(Sample(path, "bone", path) for path in paths))
    line = 3 if others else 2
    with pytest.raises(ManifestError, match=rf"boxes\.csv, line {line}: .*Received: {name}, "):
        find_boxes(manifest)
    assert not (tmp_path / "new").exists()


def test_a_table_that_is_not_utf8(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_bytes("path,x_min,y_min,x_max,y_max\n필름.png,1,2,3,4\n".encode("cp949"))
    with pytest.raises(ManifestError, match=r"save it as UTF-8. Received: .*boxes\.csv"):
        read_boxes(path)


def test_boxes_move_with_a_manifest(tmp_path):
    manifest = Manifest(tmp_path / "data", (Sample("x/a.png", "bone", "1"),))
    carry_boxes(manifest, tmp_path / "new")  # There are none.
    assert not (tmp_path / "new").exists()
    write_boxes({"a.png": [Box(0, 0, 2, 3)]}, tmp_path / "data" / BOXES_FILE)
    assert carry_boxes(manifest, tmp_path / "new") == tmp_path / "new" / BOXES_FILE
    assert list(read_boxes(tmp_path / "new" / BOXES_FILE)) == ["../data/x/a.png"]
    assert carry_boxes(manifest, tmp_path / "new") is None
    write_boxes({"other.png": [Box(0, 0, 2, 3)]}, tmp_path / "new" / BOXES_FILE)
    with pytest.raises(ManifestError, match="Other boxes are in the way"):
        carry_boxes(manifest, tmp_path / "new")


@given(st.dictionaries(PATHS, st.lists(BOXES, min_size=1, max_size=3), max_size=3))
@settings(max_examples=20)
def test_what_is_written_is_read(boxes):
    boxes = {path: [box.clip(300, 300) or box for box in found] for path, found in boxes.items()}
    with tempfile.TemporaryDirectory() as folder:
        write_boxes(boxes, Path(folder, "boxes.csv"))
        found = read_boxes(Path(folder, "boxes.csv"))
    assert list(found) == list(boxes)
    for path, rows in found.items():
        for box, written in zip(rows, boxes[path], strict=True):
            assert box == replace(written, object_size=written.size)


def test_a_sliver_is_no_empty_box(tmp_path):
    """Rounded to four digits, what is left of the box in the first window would be empty."""
    sliver = Box(9.99999, 0, 12, 4).clip(10, 10)
    write_boxes({" a.png": [sliver]}, tmp_path / "boxes.csv")
    assert read_boxes(tmp_path / "boxes.csv") == {" a.png": [sliver]}


@pytest.mark.parametrize("column", ["x_min", "object_width", "object_height", "visible"])
@pytest.mark.parametrize(
    "text",
    [
        *("nan", "inf", "-inf", "1e400", "3j", "abc", "0x10", "1_000", '"1,000"', '"2,5"', "1 2"),
        *("\uff11", "--1", "None", "12px"),
    ],
)
def test_a_number_that_is_none_names_line_and_column(tmp_path, column, text):
    cells = {"path": "a.png", "x_min": "1", "y_min": "1", "x_max": "5", "y_max": "5"}
    cells |= {"object_width": "4", "object_height": "4", "visible": "1"}
    wrong = {**cells, column: text}
    rows = [cells.keys(), cells.values(), wrong.values()]
    (tmp_path / "boxes.csv").write_text("\n".join(map(",".join, rows)))
    message = rf"boxes\.csv, line 3, column {column}: expected a number.* Received: "
    with pytest.raises(ManifestError, match=message):
        read_boxes(tmp_path / "boxes.csv")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("1,1,5,5,-3,4,1", "column object_width: expected a number above 0.* Received: '-3'"),
        ("1,1,5,5,3,0,1", "column object_height: expected a number above 0.* Received: '0'"),
        ("1,1,5,5,3,4,1.5", "column visible: expected a number from 0 to 1.* Received: '1.5'"),
        ("1,1,5,5,3,4,-5", "column visible: expected a number from 0 to 1.* Received: '-5'"),
        ("1,1,5,5,3,,1", "object_width and object_height or neither"),
        ("1,1,,5,,,", "expected a box: four corners"),
        ("5,1,1,5,,,", "must have x_min < x_max"),
        ("1,1,5,1,,,", "y_min < y_max"),
    ],
)
def test_rows_that_hold_no_box(tmp_path, cells, message):
    header = f"path,{','.join(['x_min', 'y_min', 'x_max', 'y_max', *CUT])}"
    (tmp_path / "boxes.csv").write_text(f"{header}\na.png,0,0,1,1,,,\na.png,{cells}\n")
    with pytest.raises(ManifestError, match=f"line 3.*{message}"):
        read_boxes(tmp_path / "boxes.csv")


def test_a_bad_row_is_not_passed_over(tmp_path):
    text = "path,x_min,y_min,x_max,y_max\na.png,0,0,1,1\na.png,2,2,2,4\n"
    (tmp_path / BOXES_FILE).write_text(text)
    with pytest.raises(ManifestError, match="line 3"):
        carry_boxes(Manifest(tmp_path, (Sample("a.png", "bone", "1"),)), tmp_path / "new")


def test_tables_of_boxes_may_have_capitals_semicolons_and_a_visible_share_alone(tmp_path):
    text = "Image;X_MIN;y_min;x_max;y_max;visible\nb\\a.png;0;0;1;1.5;0.25\n"
    (tmp_path / "boxes.csv").write_text(text)
    (box,) = read_boxes(tmp_path / "boxes.csv")["b\\a.png"]
    assert (box.y_max, box.visible) == (1.5, 0.25)


def test_boxes_in_shares_of_the_image_are_refused(tmp_path):
    head = "path,x_min,y_min,x_max,y_max"
    path = tmp_path / "boxes.csv"
    path.write_text(f"{head}\na.png,0.1,0.2,0.3,0.4\nb.png,0.5,0,1,1\n")
    with pytest.raises(ManifestError, match=r"must be in pixels, .* Received: Box\(x_min=0\.1"):
        read_boxes(path)
    path.write_text(f"{head}\na.png,0,0,1,1\n")  # One pixel.
    assert read_boxes(path)["a.png"][0].area == 1
    path.write_text(f"{head}\na.png,0.1,0.2,0.3,0.4\na.png,5,6,7,8\n")
    assert len(read_boxes(path)["a.png"]) == 2


def test_a_box_that_stands_twice_is_said(tmp_path, caplog):
    rows = ["a.png,0,0,4,4,bone", "b.png,0,0,4,4,bone", "a.png,0,0,4,4,wire"]
    text = "\n".join(["path,x_min,y_min,x_max,y_max,label", *rows])
    (tmp_path / "boxes.csv").write_text(text)
    read_boxes(tmp_path / "boxes.csv")
    assert not caplog.text
    (tmp_path / "boxes.csv").write_text(f"{text}\n{rows[2]}\n")
    assert len(read_boxes(tmp_path / "boxes.csv")["a.png"]) == 3
    assert "1 boxes stand twice in " in caplog.text
    assert "boxes.csv, line 4 of a.png" in caplog.text


def test_objects_that_fill_a_patch_are_not_one_object(tmp_path, caplog):
    large = [Box(-9, 0, 30, 20).clip(10, 10), Box(-5, 0, 34, 22).clip(10, 10)]
    write_boxes({"a.png": large}, tmp_path / "boxes.csv")
    assert len(read_boxes(tmp_path / "boxes.csv")["a.png"]) == 2
    assert not caplog.text


FAR = [(4, 2, 129, 6), (-65, 2, 6, 6), (4, 2, 8, 65), (4, -33, 8, 6), (64, 2, 70, 6)]
FAR += [
    (0, 2, 129, 6),
    (-65, 2, 64, 6),
    (4, -1, 8, 65),
    (4, -33, 8, 33),
]  # From an edge.


@pytest.mark.parametrize("corners", FAR)
def test_a_box_far_beyond_its_image_is_refused(corners):
    check_inside([Box(4, 2, 128, 64)], "a.png", (32, 64))  # As far as the image is large.
    check_inside([Box(-300, 2, 450, 6)], "a.png", (32, 64))  # A crack through all of it.
    with pytest.raises(ManifestError, match=r"a\.png: a box must reach into its image of 64 x 32"):
        check_inside([Box(*corners)], "a.png", (32, 64))
