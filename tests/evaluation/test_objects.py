from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mscam_tf import Box, Manifest, ManifestError, Sample, read_manifest, write_boxes
from mscam_tf.evaluation import read_objects
from mscam_tf.files import write_table
from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs

BOXES = {"b/1.png": [Box(2, 3, 8, 11, "pore"), Box(0, 0, 4, 1, "crack")]}


@pytest.fixture
def manifest(tmp_path):
    samples = (Sample("b/1.png", "bone", "1", mask="m/1.png"), Sample("n/2.png", "none", "2"))
    for sample in samples:
        (tmp_path / sample.path).parent.mkdir()
        Image.fromarray(np.zeros((16, 20), np.uint8)).save(tmp_path / sample.path)
    mask = np.zeros((16, 20), np.uint8)
    mask[3:11, 2:8], mask[0, 0:4] = 1, 2
    (tmp_path / "m").mkdir()
    Image.fromarray(mask).save(tmp_path / "m" / "1.png")
    return Manifest(tmp_path, samples)


def test_boxes_are_measured(manifest):
    write_boxes(BOXES, manifest.root / "boxes.csv")
    pore, crack = read_objects(manifest)["b/1.png"]
    assert [pore.measure(name) for name in ("width", "length", "area")] == [6, 8, 48]
    assert (crack.measure("width"), crack.name("label")) == (1, "crack")


def test_masks_are_measured_where_there_is_nothing_else(manifest):
    pore, crack = read_objects(manifest)["b/1.png"]
    assert (pore.box.x_min, pore.box.x_max, pore.box.y_max) == (2, 8, 11)
    assert (crack.measure("length"), crack.name("label")) == (4, "bone")


def test_parts_of_a_mask_that_no_box_meets_are_objects_too(manifest):
    write_boxes({"b/1.png": [Box(1, 3, 8, 9)]}, manifest.root / "boxes.csv")
    boxed, crack = read_objects(manifest)["b/1.png"]
    assert (boxed.measure("width"), boxed.name("label")) == (6, "bone")
    assert (crack.measure("length"), crack.box.y_max) == (4, 1)


def test_a_table_says_more_of_each_box(manifest):
    write_boxes(BOXES, manifest.root / "boxes.csv")
    rows = [{"path": "b/1.png", "diameter": 5.5, "material": "air"}] * 2
    write_table(manifest.root / "bones.csv", [dict(rows[0]), {**rows[1], "diameter": 0.5}])
    pore, crack = read_objects(manifest)["b/1.png"]
    assert (pore.measure("diameter"), crack.measure("diameter")) == (5.5, 0.5)
    assert (pore.name("material"), pore.measure("length")) == ("air", 8)


def test_a_table_with_corners_needs_no_boxes(manifest, tmp_path):
    corners = {"x_min": 1, "y_min": 2, "x_max": 4, "y_max": 5}
    rows = [{"path": "b/1.png", **corners, "depth_mm": 0.3}, {"path": "x.png", **corners}]
    write_table(tmp_path / "mine.csv", rows, ("path", *corners, "depth_mm"))
    (one,) = read_objects(manifest, tmp_path / "mine.csv")["b/1.png"]
    assert (one.measure("depth_mm"), one.measure("side")) == (0.3, 3)


def test_a_size_that_is_none_is_named_with_its_line(manifest):
    write_boxes(BOXES, manifest.root / "boxes.csv")
    rows = [{"path": "b/1.png", "mm": 2}, {"path": "b/1.png", "mm": "3,5"}]
    write_table(manifest.root / "objects.csv", rows)
    pore, crack = read_objects(manifest)["b/1.png"]
    assert pore.measure("mm") == 2
    with pytest.raises(ManifestError, match=r"objects\.csv, line 3: the size.*'mm' with '3,5'"):
        crack.measure("mm")


@pytest.mark.parametrize("column", ["diameter", "width", "length_mm"])
@pytest.mark.parametrize("text", ["-2", "0", "-0.0"])
def test_a_length_that_no_object_has_is_named_with_its_line(manifest, column, text):
    """A larger object in its image would hide it."""
    write_boxes(BOXES, manifest.root / "boxes.csv")
    rows = [{"path": "b/1.png", column: text, "contrast": -1}, {"path": "b/1.png", column: 9}]
    write_table(manifest.root / "objects.csv", rows, ("path", column, "contrast"))
    pore, crack = read_objects(manifest)["b/1.png"]
    assert (crack.measure(column), pore.measure("contrast")) == (9, -1)
    with pytest.raises(ManifestError, match=rf"objects\.csv, line 2: the size .* with '{text}'"):
        pore.measure(column)


def test_rows_that_stand_twice_are_said(manifest, caplog):
    corners = {"x_min": 1, "y_min": 2, "x_max": 4, "y_max": 5}
    rows = [{"path": "b/1.png", **corners, "diameter": 3}] * 2
    write_table(manifest.root / "objects.csv", [*rows, {**rows[0], "x_max": 5}])
    assert len(read_objects(manifest)["b/1.png"]) == 3
    assert "1 boxes stand twice in" in caplog.text
    assert "objects.csv, line 2 of b/1.png" in caplog.text


def test_the_label_of_a_table_comes_first(manifest):
    write_boxes(BOXES, manifest.root / "boxes.csv")
    rows = [{"path": "b/1.png", "label": "steel"}, {"path": "b/1.png", "label": ""}]
    write_table(manifest.root / "objects.csv", rows)
    found = read_objects(manifest)["b/1.png"]
    assert [one.name("label") for one in found] == ["steel", "crack"]


def test_boxes_without_a_row_are_said(manifest, caplog):
    """They do not count, and nothing else would tell."""
    wire = replace(manifest.samples[1], label="wire")
    both = replace(manifest, samples=(manifest.samples[0], wire))
    write_boxes({**BOXES, "n/2.png": [Box(1, 1, 3, 3)]}, manifest.root / "boxes.csv")
    write_table(manifest.root / "objects.csv", [{"path": "b/1.png"}] * 2)
    assert list(read_objects(both)) == ["b/1.png"]
    assert "1 images with boxes have no row in " in caplog.text
    assert "such as n/2.png: their objects do not count" in caplog.text


def test_what_does_not_fit_is_named(manifest):
    with pytest.raises(ManifestError, match=r"objects\.csv or bones\.csv, --objects"):
        read_objects(replace(manifest, samples=manifest.samples[1:]))
    write_boxes(BOXES, manifest.root / "boxes.csv")
    write_table(manifest.root / "objects.csv", [{"path": "b/1.png", "diameter": 1}])
    with pytest.raises(ManifestError, match=r"1 rows and 2 boxes of b/1\.png"):
        read_objects(manifest)
    (manifest.root / "objects.csv").write_text("image,diameter\nb/1.png,1\n")
    with pytest.raises(ManifestError, match=r"must have the column path. Received"):
        read_objects(manifest)


def test_labels_that_deny_what_is_marked_are_refused(manifest):
    """Objects in good images would not be looked for, and nobody would know."""
    good = replace(manifest.samples[0], label="none")
    denied = replace(manifest, samples=(good, manifest.samples[1]))
    message = r"b/1\.png: it is labelled 'none', but its mask m/1\.png marks an object in it, x"
    with pytest.raises(ManifestError, match=message):
        read_objects(denied)
    write_boxes(BOXES, manifest.root / "boxes.csv")
    with pytest.raises(ManifestError, match=r"but .*boxes\.csv, line 2 marks 'pore'"):
        read_objects(denied)
    with pytest.raises(ManifestError, match="it is labelled 'bone', but"):
        read_objects(manifest, good="bone")
    with pytest.raises(ManifestError, match=r"line 3 marks 'crack'"):
        read_objects(replace(manifest, samples=(replace(good, label="pore"),)), findings=NAMES)
    assert len(read_objects(manifest, findings=["bone"])["b/1.png"]) == 2


def test_what_lies_in_a_good_image_is_not_called_by_the_good_class(manifest):
    fine, other = replace(manifest.samples[0], label="fine"), manifest.samples[1]
    with pytest.raises(ManifestError, match=r"labelled 'fine', but its mask .* marks an object"):
        read_objects(replace(manifest, samples=(fine, other)), good="fine")


def test_a_table_does_not_hide_what_a_label_denies(manifest):
    """What is in a good image, but in no row, would be passed over."""
    table = manifest.root / "objects.csv"
    write_table(table, [{"path": "n/2.png", "x_min": 1, "y_min": 2, "x_max": 4, "y_max": 5}])
    bone, other = manifest.samples[0], replace(manifest.samples[1], label="wire")
    denied = replace(manifest, samples=(replace(bone, label="fine"), other))
    with pytest.raises(ManifestError, match=r"labelled 'fine', but its mask m/1\.png marks an obj"):
        read_objects(denied, good="fine")
    assert list(read_objects(denied)) == ["n/2.png"]  # Nobody says that it is good.
    write_boxes({"b/1.png": [Box(2, 3, 8, 11)]}, manifest.root / "boxes.csv")
    unmarked = replace(bone, label="none", mask="")
    with pytest.raises(ManifestError, match=r"labelled 'none', but .*boxes\.csv, line 2 marks an"):
        read_objects(replace(manifest, samples=(unmarked, other)))


NAMES = ["crack", "pore"]


def test_objects_labelled_none_are_refused(manifest, tmp_path):
    corners = {"x_min": 1, "y_min": 2, "x_max": 4, "y_max": 5}
    write_table(tmp_path / "mine.csv", [{"path": "b/1.png", **corners, "label": "none"}])
    with pytest.raises(ManifestError, match=r"mine\.csv, line 2: a box marks an object"):
        read_objects(manifest, tmp_path / "mine.csv")


def test_other_columns_are_named(manifest):
    write_boxes(BOXES, manifest.root / "boxes.csv")
    (one, _) = read_objects(manifest)["b/1.png"]
    with pytest.raises(ManifestError, match=r"one of \['side'.*Received: 'diameter' with None"):
        one.measure("diameter")
    with pytest.raises(ManifestError, match=r"column of \['label'\]. Received: 'material'"):
        one.name("material")


def test_simulated_bones_have_their_diameters(tmp_path):
    plan = Plan(4, SimulationConfig(image_size=(48, 48)), balance={"scale2": 1}, seed=1)
    manifest = read_manifest(write_radiographs(tmp_path / "data", plan))
    objects = read_objects(manifest)
    assert set(objects) == {sample.path for sample in manifest.samples}
    sizes = [one.measure("diameter") * 0.25 for found in objects.values() for one in found]
    assert min(sizes) >= 0.3
    assert max(sizes) <= 1.3


ROW = {"path": "b/1.png", "x_min": 1, "y_min": 2, "x_max": 4, "y_max": 5, "label": "pore"}


def write_objects(manifest, **changes):
    write_table(manifest.root / "objects.csv", [ROW, {**ROW, **changes}], tuple(ROW))


def test_spaces_around_the_cells_of_a_table_say_nothing(manifest):
    write_objects(manifest, path=" b/1.png ", label=" crack ")
    assert [one.box.label for one in read_objects(manifest)["b/1.png"]] == ["pore", "crack"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "B/1.png"}, r"written as it is listed.*B/1\.png, but b/1\.png"),
        ({"path": "b/1.tif"}, r"written as it is listed.*b/1\.tif, but b/1\.png"),
        ({"path": " "}, r"objects\.csv, line 3: expected an image"),
        ({"x_min": "?"}, r"objects\.csv, line 3: expected numbers"),
        ({"x_min": 4}, r"objects\.csv, line 3: A box must have x_min < x_max"),
    ],
)
def test_no_row_of_a_table_is_lost(manifest, changes, message):
    """An object that is left out would count as none, neither found nor missed."""
    write_objects(manifest, **changes)
    with pytest.raises(ManifestError, match=message):
        read_objects(manifest)


def test_rows_in_another_order_than_the_boxes_are_refused(manifest):
    write_boxes(BOXES, manifest.root / "boxes.csv")
    sizes = {"crack": 1, "pore": 9}
    rows = [{"path": "b/1.png", "label": label, "mm": mm} for label, mm in sizes.items()]
    write_table(manifest.root / "objects.csv", rows)
    with pytest.raises(ManifestError, match=r"line 2: .*order of its boxes.*'crack', 'pore'"):
        read_objects(manifest)
    write_table(manifest.root / "objects.csv", rows[::-1])
    assert [one.measure("mm") for one in read_objects(manifest)["b/1.png"]] == [9, 1]


def test_the_boxes_of_patches_as_a_table_are_those_boxes(manifest):
    """What the edge cuts has the size of the whole."""
    cut = Box(-12, 3, 4, 11, "pore").clip(20, 16)
    write_boxes({"b/1.png": [cut]}, manifest.root / "boxes.csv")
    (one,) = read_objects(manifest, manifest.root / "boxes.csv")["b/1.png"]
    assert (one.box.visible, one.measure("length")) == (0.25, 16)


def test_spaces_make_no_other_material(manifest):
    write_boxes(BOXES, manifest.root / "boxes.csv")
    rows = [{"path": "b/1.png", "material": name} for name in ("air ", " air")]
    write_table(manifest.root / "objects.csv", rows)
    assert {one.name("material") for one in read_objects(manifest)["b/1.png"]} == {"air"}
