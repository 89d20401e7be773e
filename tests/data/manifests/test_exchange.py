import json
import logging
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mscam_tf import Box, ManifestError, read_boxes
from mscam_tf.data.manifests import Manifest, Sample, check_inside, find_boxes

COCO = {
    "images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 20}],
    "categories": [{"id": 3, "name": "bone"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [2, 4, 10.5, 6], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1], "score": 0.5},
    ],
}
VOC = """<annotation><folder>x</folder><filename>a.png</filename>
<size><width>40</width><height>20</height><depth>1</depth></size>
<object><name>bone</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
<bndbox><xmin>2</xmin><ymin>4</ymin><xmax>12.5</xmax><ymax>10</ymax></bndbox></object>
<object><name>void</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>1</xmax><ymax>1</ymax></bndbox>
</object></annotation>"""
TURNED = """<attributes><attribute><name>rotation</name><value>30.5</value></attribute>
<attribute><name>occluded</name><value>1</value></attribute></attributes>"""
YOLO = "0 0.18125 0.35 0.2625 0.3\n\n1 0.0125 0.025 0.025 0.05 0.9\n"
BONE = Box(2, 4, 12.5, 10, "bone")


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "images" / "a.png"
    path.parent.mkdir()
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(path)
    return path


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_coco(tmp_path):
    path = write(tmp_path / "instances.json", COCO)
    first, second = read_boxes(path)["a.png"]
    assert (first, second) == (BONE, Box(0, 0, 1, 1, "bone"))
    assert second.place == f"{path}, annotation 2"


def test_voc(tmp_path):
    upright = VOC.replace("</bndbox>", f"</bndbox>{TURNED.replace('30.5', '0.0')}", 1)
    for text in (VOC, upright):
        write(tmp_path / "voc" / "deep" / "a.xml", text)
        assert read_boxes(tmp_path / "voc") == {"a.png": [BONE, Box(0, 0, 1, 1, "void")]}


def assert_yolo(folder, image, names):
    found = read_boxes(folder, [image])[str(image)]
    assert [box.label for box in found] == names
    corners = [(box.x_min, box.y_min, box.x_max, box.y_max) for box in found]
    np.testing.assert_allclose(corners, [(2, 4, 12.5, 10), (0, 0, 1, 1)], atol=1e-9)
    assert found[1].place.endswith("a.txt, line 3")


def test_yolo(tmp_path, image):
    write(tmp_path / "labels" / "train" / "a.txt", YOLO)
    assert_yolo(tmp_path / "labels", image, ["0", "1"])
    write(tmp_path / "data.yaml", "nc: 2\nnames: {0: hook, 1: wire}\n")
    assert_yolo(tmp_path / "labels", image, ["hook", "wire"])
    (tmp_path / "data.yaml").rename(tmp_path / "dataset.yml")
    assert_yolo(tmp_path / "labels", image, ["hook", "wire"])
    write(tmp_path / "data.yaml", "names: [rib, pin]\n")
    assert_yolo(tmp_path / "labels", image, ["rib", "pin"])
    write(tmp_path / "labels" / "classes.txt", "\ufeffbone\nvoid\n")
    assert_yolo(tmp_path / "labels", image, ["bone", "void"])


def test_yolo_files_without_an_image_are_said(tmp_path, image, caplog):
    write(tmp_path / "labels" / "a.txt", YOLO)
    write(tmp_path / "labels" / "train.txt", "images/a.png\n")
    with caplog.at_level(logging.WARNING):
        assert len(read_boxes(tmp_path / "labels", [image])) == 1
    assert "1 files of boxes have no image, such as" in caplog.text
    with pytest.raises(ManifestError, match=r"names of images.*images such as b\.png"):
        read_boxes(tmp_path / "labels", [tmp_path.relative_to(tmp_path) / "b.png"])
    twin = image.with_suffix(".tif")
    with pytest.raises(ManifestError, match=r"a\.txt must have the name of one image"):
        read_boxes(tmp_path / "labels", [image, twin])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.json", "{", r"x\.json must be a COCO file"),
        ("x.json", [1], r"x\.json must be a COCO file.*Received: a list$"),
        ("x.json", {**COCO, "images": [{}]}, r"must be a COCO file.*Received: no 'id'"),
        ("x.json", {**COCO, "categories": []}, r"annotation 1 \(id 1\).*category 3, .*are none"),
        ("x.json", {**COCO, "images": []}, r"annotation 1: expected the id of an image"),
        (
            "x.json",
            {**COCO, "annotations": [{**COCO["annotations"][0], "image_id": [7]}]},
            r"annotation 1: expected the id of an image",
        ),
        ("x.json", "[" * 100_000, r"x\.json must be a COCO file"),
        ("x.json", {**COCO, "images": COCO["images"] * 2}, r"id of an image.*Received: 7 twice"),
        (
            "x.json",
            {**COCO, "categories": [*COCO["categories"], {"id": 3, "name": "void"}]},
            r"id of a category.*Received: 3 twice",
        ),
        (
            "x.json",
            {**COCO, "images": [*COCO["images"], {"id": 8, "file_name": "a.png"}]},
            r"file of an image.*'a\.png' twice",
        ),
        ("f/a.xml", VOC.replace("<width>40", "<width>4o"), r"a\.xml: expected the size"),
        (
            "x.json",
            {**COCO, "images": [{"id": 7, "file_name": "a.png", "width": 1e999}]},
            r"x\.json must be a COCO file.*infinity",
        ),
        *(
            (
                "x.json",
                {**COCO, "annotations": [{"category_id": 3, "bbox": values}]},
                rf"annotation 1.*no four numbers as bbox, {re.escape(repr(values))}$",
            )
            for values in (None, 7, [1, 2, 3], "12.5", {"x": 1})
        ),
        ("x.json", {**COCO, "annotations": [[1]]}, r"annotation 1: expected an annotation.*\[1\]"),
        (
            "f/a.xml",  # As CVAT writes them: no object would be found.
            '<annotations><image name="a.png"><box xtl="1" ytl="1"/></image></annotations>',
            r"a\.xml must be a file of Pascal VOC.*Received: <annotations>",
        ),
        (
            "x.json",
            {**COCO, "annotations": [{**COCO["annotations"][0], "attributes": {"rotation": 45.0}}]},
            r"annotation 1.*a box that is turned by 45\.0 degrees; draw it upright",
        ),
        (
            "f/a.xml",
            VOC.replace("</bndbox>", f"</bndbox>{TURNED}", 1),
            r"object 1.*a box that is turned by 30\.5 degrees",
        ),
        ("f/a.xml", "<annotation>", r"a\.xml must be an XML file"),
        ("f/a.xml", VOC.replace("<ymax>1<", "<ymax>x<"), r"a\.xml, object 2: expected a box"),
        ("f/a.xml", VOC.replace("<xmax>12.5<", "<xmax>2<"), r"object 1.*x_min < x_max"),
        ("f/a.txt", "0 0.5 0.5 0.1\n", r"a\.txt, line 1: expected a box"),
        ("f/a.txt", "0 0.5 0.5 nan 0.1\n", r"a\.txt, line 1: expected a box"),
        (
            "f/a.txt",
            YOLO.replace("1 0.0125", "5 0.0125"),
            r"a\.txt, line 3.*category '5', which has no name; .*'0', '1'",
        ),
        ("f/a.txt", "0 0.5 0.5 20 9\n", r"a\.txt, line 1.*no shares of .*'0 0\.5 0\.5 20 9'"),
        ("f/a.txt", "0 0.5 0.5 0.1 3.1\n", r"a\.txt, line 1.*no shares of"),
        ("f/a.csv", "", r"must hold boxes as \.xml files.*Received: neither"),
    ],
)
def test_errors_name_file_and_entry(tmp_path, image, name, content, message):
    path = write(tmp_path / name, content)
    write(tmp_path / "classes.txt", "bone\nvoid\n")
    with pytest.raises(ManifestError, match=message):
        read_boxes(path.parent if name.startswith("f/") else path, [image])


def test_names_in_yaml_stay_as_they_are_written(tmp_path, image):
    write(tmp_path / "labels" / "a.txt", YOLO)
    write(tmp_path / "data.yaml", "names: [no, 010]\n")  # False and 8 in YAML.
    assert_yolo(tmp_path / "labels", image, ["no", "010"])
    write(tmp_path / "data.yaml", "names: bone\n")  # Letters are no names.
    with pytest.raises(ManifestError, match="The `names` of"):
        read_boxes(tmp_path / "labels", [image])


def test_lines_end_at_line_breaks_alone(tmp_path, image):
    """Python parts lines at signs too that names may have in them."""
    write(tmp_path / "labels" / "a.txt", YOLO)
    write(tmp_path / "classes.txt", "left\u2028rib\r\nvoid\n")
    assert_yolo(tmp_path / "labels", image, ["left\u2028rib", "void"])


@pytest.mark.parametrize(("suffix", "content"), [("txt", YOLO), ("xml", VOC)])
def test_two_files_of_boxes_for_one_image_are_refused(tmp_path, image, suffix, content):
    """Boxes of another image of that name would be marked in this one."""
    write(tmp_path / "labels" / "test" / f"a.{suffix}", content)
    write(tmp_path / "labels" / "train" / f"a.{suffix}", content)
    with pytest.raises(ManifestError, match=rf"test.a\.{suffix} and .*train.a\.{suffix}, both of"):
        read_boxes(tmp_path / "labels", [image])


NAMES = ["a.png", "x/a.png", "C:\\x\\A.png", "a"]


@pytest.mark.parametrize("filename", NAMES)
@pytest.mark.parametrize("name", ["b.xml", "B.xml", "b.png.xml"])
def test_a_voc_file_that_names_another_listed_image_is_refused(tmp_path, filename, name):
    """Images and files were numbered anew together, and all boxes would move by one image."""
    path = write(tmp_path / "voc" / name, VOC.replace("a.png", filename))
    images = [tmp_path / "a.png", tmp_path / "b.png"]
    with pytest.raises(ManifestError) as caught:
        read_boxes(path.parent, images)
    assert str(caught.value).startswith(f"{path}: expected")
    assert str(caught.value).endswith(f"Received: {filename}")
    for listed in (images[:1], images[1:], []):
        assert list(read_boxes(path.parent, listed)) == [filename]


@pytest.mark.parametrize("filename", [*NAMES, "a.tif", ""])
def test_a_voc_file_may_name_its_own_image_in_any_way(tmp_path, filename):
    path = write(tmp_path / "voc" / "a.xml", VOC.replace("a.png", filename))
    images = [tmp_path / name for name in ("a.png", "a.tif", "x/a.png", "b.png")]
    assert list(read_boxes(path.parent, images)) == [filename or "a"]


@pytest.mark.parametrize("kind", ["coco", "voc"])
def test_boxes_drawn_on_an_image_of_another_size_are_refused(tmp_path, kind):
    if kind == "coco":
        path = write(tmp_path / "x.json", COCO)
    else:
        path = write(tmp_path / "voc" / "a.xml", VOC).parent
    boxes = read_boxes(path)["a.png"]
    check_inside(boxes, "a.png", (20, 40))
    with pytest.raises(ManifestError, match=r"of 80 x 40 pixels.*Received: one of 40 x 20"):
        check_inside(boxes, "a.png", (40, 80))
    with pytest.raises(ManifestError, match="turned by EXIF"):
        check_inside(boxes, "a.png", (40, 20))
    with pytest.raises(ManifestError, match=r"^a\.png: a box must be drawn"):
        check_inside([replace(box, place="") for box in boxes], "a.png", (40, 20))


def voc_of(x_min, y_min, x_max, y_max):
    corners = f"<xmin>{x_min}</xmin><ymin>{y_min}</ymin><xmax>{x_max}</xmax><ymax>{y_max}</ymax>"
    return f"<annotation><object><name>x</name><bndbox>{corners}</bndbox></object></annotation>"


def yolo_of(x_min, y_min, x_max, y_max):
    x, y = (x_min + x_max) / 80, (y_min + y_max) / 40
    return f"0 {x} {y} {(x_max - x_min) / 40} {(y_max - y_min) / 20}"


def coco_of(x_min, y_min, x_max, y_max):
    box = {**COCO["annotations"][0], "bbox": [x_min, y_min, x_max - x_min, y_max - y_min]}
    return {**COCO, "annotations": [box]}


def csv_of(*corners):
    return f"path,x_min,y_min,x_max,y_max\na.png,{','.join(map(str, corners))}\n"


@pytest.mark.parametrize(
    ("name", "make", "place"),
    [
        ("x.json", coco_of, r"x\.json, annotation 1"),
        ("f/a.xml", voc_of, r"a\.xml, object 1"),
        ("f/a.txt", yolo_of, r"a\.txt, line 1"),
        ("x.csv", csv_of, r"x\.csv, line 2"),
    ],
)
@pytest.mark.parametrize(
    "corners",
    [(0, 2, 90, 6), (-80, 2, 40, 6), (4, 0, 8, 45), (4, -25, 8, 20), (40, 2, 45, 6), (4, -5, 8, 0)],
)
def test_a_box_beside_its_image_is_named_in_all_formats(
    tmp_path, image, name, make, place, corners
):
    path = write(tmp_path / name, make(*corners))
    boxes = read_boxes(path.parent if name.startswith("f/") else path, [image])
    match = rf"{place}, a\.png: a box must reach into its image of 40 x 20"
    with pytest.raises(ManifestError, match=match):
        check_inside(next(iter(boxes.values())), "a.png", (20, 40))


def test_sizes_that_are_zero_or_missing_say_nothing(tmp_path):
    images = [{"id": 7, "file_name": "a.png", "width": 0, "height": 0}]
    (first, _) = read_boxes(write(tmp_path / "x.json", {**COCO, "images": images}))["a.png"]
    write(tmp_path / "voc" / "a.xml", VOC.replace("width", "w"))
    (second, _) = read_boxes(tmp_path / "voc")["a.png"]
    assert first.image_size is second.image_size is None


def test_both_kinds_in_a_folder_are_refused(tmp_path, image):
    write(tmp_path / "f" / "a.xml", VOC)
    write(tmp_path / "f" / "a.txt", YOLO)
    with pytest.raises(ManifestError, match="Received: both"):
        read_boxes(tmp_path / "f", [image])


@pytest.mark.parametrize("name", ["README.txt", "classes.txt", "deep/notes.TXT"])
def test_notes_beside_voc_files_are_no_boxes(tmp_path, image, name):
    write(tmp_path / "voc" / "a.xml", VOC)
    write(tmp_path / "voc" / name, "Drawn by hand.\n")
    for images in ([], [image]):
        found = read_boxes(tmp_path / "voc", images)
        assert found == {"a.png": [BONE, Box(0, 0, 1, 1, "void")]}


def test_settings_of_others_beside_yolo_files_say_nothing(tmp_path, image):
    write(tmp_path / "labels" / "a.txt", YOLO)
    write(tmp_path / "labels" / "data.yml", "version: 3\n")
    assert_yolo(tmp_path / "labels", image, ["0", "1"])
    write(tmp_path / "data.yaml", "names: [rib, pin]\n")
    assert_yolo(tmp_path / "labels", image, ["rib", "pin"])


def test_a_manifest_may_name_its_boxes(tmp_path, image):
    samples = (Sample("images/a.png", "bone", ""),)
    write(tmp_path / "labels" / "a.txt", YOLO)
    write(tmp_path / "boxes.csv", "path,x_min,y_min,x_max,y_max\na.png,1,1,2,2\n")
    assert find_boxes(Manifest(tmp_path, samples))["images/a.png"] == [Box(1, 1, 2, 2)]
    found = find_boxes(Manifest(tmp_path, samples, tmp_path / "labels"))
    assert [box.label for box in found["images/a.png"]] == ["0", "1"]
    other = write(tmp_path / "other.json", {**COCO, "images": [{"id": 7, "file_name": "b.png"}]})
    with pytest.raises(ManifestError, match="must be of images that are listed"):
        find_boxes(Manifest(tmp_path, samples, other))


@pytest.mark.parametrize("folder", ["images", ".", "../there/images"])
def test_yolo_files_of_images_in_a_relative_folder(tmp_path, image, monkeypatch, folder):
    """As commands are called; a path in the boxes is one in the folder of the manifest."""
    write(tmp_path / "labels" / "a.txt", YOLO)
    (tmp_path / "there").mkdir()
    image.parent.rename(tmp_path / "there" / "images")
    monkeypatch.chdir(tmp_path / "there" / ("images" if folder == "." else "."))
    labels = tmp_path / "labels"
    manifest = Manifest(Path(folder), (Sample("a.png", "bone", ""),), labels)
    assert [box.x_max for box in find_boxes(manifest)["a.png"]] == [12.5, 1]
    assert list(read_boxes(labels, manifest.paths)) == [str(manifest.paths[0].absolute())]


def test_classes_without_names_are_said(tmp_path, image, caplog):
    write(tmp_path / "labels" / "a.txt", YOLO)
    assert_yolo(tmp_path / "labels", image, ["0", "1"])
    assert "no names of classes for " in caplog.text
    caplog.clear()
    write(tmp_path / "labels" / "classes.txt", "bone\nvoid\n")
    assert_yolo(tmp_path / "labels", image, ["bone", "void"])
    assert not caplog.text


@pytest.mark.parametrize(("name", "content"), [("a.TXT", YOLO), ("a.Xml", VOC)])
def test_suffixes_in_capitals(tmp_path, image, name, content):
    write(tmp_path / "labels" / name, content)
    (boxes,) = read_boxes(tmp_path / "labels", [image]).values()
    assert [(box.x_min, box.y_max) for box in boxes] == [(2, 10), (0, 1)]


SHARES = "".join(f"<{c}>0.{k}</{c}>" for k, c in enumerate(("xmin", "ymin", "xmax", "ymax"), 1))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "x.json",
            {**COCO, "annotations": [{**COCO["annotations"][0], "bbox": [0.1, 0.2, 0.5, 0.4]}]},
        ),
        (
            "f/a.xml",
            f"<annotation><object><name>x</name><bndbox>{SHARES}</bndbox></object></annotation>",
        ),
    ],
)
def test_boxes_in_shares_of_the_image_are_refused(tmp_path, name, content):
    """They would lie in its first pixel."""
    path = write(tmp_path / name, content)
    with pytest.raises(ManifestError, match="must be in pixels, but all are between 0 and 1"):
        read_boxes(path.parent if name.startswith("f/") else path)
