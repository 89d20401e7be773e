import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mscam_tf import Box, MscamError, read_boxes
from mscam_tf.data.manifests import export_boxes

BOXES = {"a.png": [Box(2, 4, 12.5, 10, "void"), Box(0.25, 0, 40, 20, "bone")], "b.png": []}
SIZES = {"a.png": (20, 40), "b.png": (8, 8)}


@pytest.mark.parametrize("box_format", ["coco", "yolo", "voc"])
def test_what_is_written_is_read(tmp_path, box_format):
    images = [tmp_path / name for name in SIZES]
    for image, size in zip(images, SIZES.values(), strict=True):
        Image.fromarray(np.zeros(size, np.uint8)).save(image)
    path = tmp_path / ("boxes.json" if box_format == "coco" else "boxes")
    export_boxes(BOXES, SIZES, path, box_format)
    found = {Path(name).name: boxes for name, boxes in read_boxes(path, images).items()}
    assert list(found) == ["a.png"]
    for read, written in zip(found["a.png"], BOXES["a.png"], strict=True):
        assert read.label == written.label
        for name in ("x_min", "y_min", "x_max", "y_max"):
            assert getattr(read, name) == pytest.approx(getattr(written, name), abs=1e-4)


def test_coco_by_hand(tmp_path):
    export_boxes(BOXES, SIZES, tmp_path / "x.json", "coco")
    content = json.loads((tmp_path / "x.json").read_text())
    assert content["images"] == [
        {"id": 1, "file_name": "a.png", "width": 40, "height": 20},
        {"id": 2, "file_name": "b.png", "width": 8, "height": 8},
    ]
    assert [(one["id"], one["name"]) for one in content["categories"]] == [(1, "bone"), (2, "void")]
    first = content["annotations"][0]
    assert (first["image_id"], first["category_id"], first["bbox"]) == (1, 2, [2, 4, 10.5, 6])


def test_images_without_boxes_have_a_file(tmp_path):
    export_boxes(BOXES, SIZES, tmp_path, "yolo")
    assert (tmp_path / "b.txt").read_text() == ""
    assert (tmp_path / "classes.txt").read_text() == "bone\nvoid\n"


def test_each_class_has_a_line(tmp_path):
    """A name of two lines would shift the numbers of all that follow."""
    boxes = {"a.png": [Box(2, 4, 12, 10, "a\r\nb"), Box(2, 4, 12, 10, "c")]}
    export_boxes(boxes, SIZES, tmp_path, "yolo")
    assert (tmp_path / "classes.txt").read_bytes() == b"a b\nc\n"


@pytest.mark.parametrize("box_format", ["yolo", "voc"])
def test_images_of_one_name_are_refused_where_boxes_are_known_by_it(tmp_path, box_format):
    sizes = {"x/a.png": (10, 20), "y/A.tif": (10, 20)}
    with pytest.raises(MscamError, match=r"take coco. Received: 'x/a.png' and 'y/A.tif'"):
        export_boxes({}, sizes, tmp_path, box_format)
    assert not list(tmp_path.iterdir())
    export_boxes({}, sizes, tmp_path / "boxes.json", "coco")


def test_annotations_of_coco_are_counted_from_one(tmp_path):
    boxes = {"a.png": [Box(2, 1, 6, 3, "bone"), Box(1, 1, 4, 3, "bone")]}
    export_boxes(boxes, {"a.png": (10, 20)}, tmp_path / "boxes.json", "coco")
    written = json.loads((tmp_path / "boxes.json").read_text())
    assert [row["id"] for row in written["annotations"]] == [1, 2]


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(MscamError, match=r"must be one of.*box_format='kitti'"):
        export_boxes(BOXES, SIZES, tmp_path, "kitti")


@pytest.mark.parametrize("image", ["a/classes.png", "Classes.tif"])
def test_an_image_does_not_take_the_place_of_the_list_of_classes(tmp_path, image):
    boxes, sizes = {image: [Box(2, 1, 6, 3, "bone")]}, {image: (10, 20)}
    with pytest.raises(MscamError, match=rf"list of classes.*rename it.*Received: '{image}'"):
        export_boxes(boxes, sizes, tmp_path / "yolo", "yolo")
    assert not (tmp_path / "yolo").exists()
    export_boxes(boxes, sizes, tmp_path / "voc", "voc")
    assert len(list((tmp_path / "voc").iterdir())) == 1
