import json

import pytest
from PIL import Image

from mscam_tf import ManifestError
from mscam_tf.data.manifests import (
    Box,
    Manifest,
    Sample,
    find_denied,
    guess_findings,
    read_boxes,
    refuse_denied,
)


def find(label, *boxes, **options):
    return find_denied(Sample("a.png", label, "a", mask="m.png"), boxes, **options)


def test_an_image_without_objects_has_none_marked():
    assert find("none") == ""
    assert "marks 'crack' in it, x from 0 to 4, y from 1 to 4.5" in find(
        "none", Box(0, 1, 4, 4.5, "crack")
    )
    assert "b.csv, line 3 marks an object" in find("none", Box(0, 0, 4, 4, place="b.csv, line 3"))
    assert "its mask m.png marks an object" in find("none", masked=True)


def test_an_image_of_one_class_may_show_others():
    assert find("pore", Box(0, 0, 4, 4, "crack"), masked=True) == ""


@pytest.mark.parametrize(("visible", "denied"), [(0.4, False), (0.5, True)])
def test_what_the_edge_cuts_by_more_than_half_may_be_left_out(visible, denied):
    assert bool(find("none", Box(0, 0, 4, 4, visible=visible))) is denied


def test_the_good_class_denies_objects_as_none_does():
    crack = Box(0, 0, 4, 4, "crack")
    assert find("fine", crack) == find("pore", crack, good="fine") == ""
    assert "labelled 'fine', but boxes.csv marks 'crack'" in find("fine", crack, good="fine")
    assert "its mask m.png marks" in find("fine", masked=True, good="fine")
    assert "boxes.csv marks 'fine'" in find("pore", Box(0, 0, 4, 4, "fine"), good="fine")


def test_contradictions_are_named_together():
    refuse_denied(["", ""])
    with pytest.raises(ManifestError, match=r"(?s)or leave. Received: 2 such images:\n  a\n  b$"):
        refuse_denied(["a", "", "b"], ", or leave")


NAMED = "a box marks an object, and 'none' says that there is none; .* Received: label='None', in 2"


@pytest.mark.parametrize("kind", ["csv", "coco", "voc", "yolo"])
def test_a_box_cannot_be_labelled_none(tmp_path, kind):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "labels").mkdir()
    path, place = write[kind](tmp_path)
    with pytest.raises(ManifestError, match=f"{place}: {NAMED}"):
        read_boxes(path, [tmp_path / "a.png"])


def test_a_box_has_a_label_of_one_line(tmp_path):
    text = 'path,x_min,y_min,x_max,y_max,label\na.png,0,0,2,2,"bone\nx"\n'
    (tmp_path / "b.csv").write_text(text)
    with pytest.raises(ManifestError, match=r"b\.csv, line 2: a label must not have line breaks"):
        read_boxes(tmp_path / "b.csv")


def write_csv(folder):
    rows = ["path,x_min,y_min,x_max,y_max,label", "a.png,0,0,2,2,bone", "a.png,0,0,2,2,None"]
    (folder / "b.csv").write_text("\n".join([*rows, "a.png,0,0,2,2,  NONE ", ""]))
    return folder / "b.csv", "line 3"


def write_coco(folder):
    names = [{"id": 1, "name": "bone"}, {"id": 2, "name": "None"}]
    boxes = [{"image_id": 7, "bbox": [0, 0, 2, 2], "category_id": k} for k in (1, 2, 2)]
    images = [{"id": 7, "file_name": "a.png"}]
    content = {"images": images, "annotations": boxes, "categories": names}
    (folder / "b.json").write_text(json.dumps(content))
    return folder / "b.json", "annotation 2"


def write_voc(folder):
    corners = "<bndbox><xmin>0</xmin><ymin>0</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>"
    marks = [f"<object><name>{name}</name>{corners}</object>" for name in ("bone", "None", "none")]
    text = f"<annotation><filename>a.png</filename>{''.join(marks)}</annotation>"
    (folder / "labels" / "a.xml").write_text(text)
    return folder / "labels", "object 2"


def write_yolo(folder):
    (folder / "labels" / "classes.txt").write_text("bone\nNone\n")
    (folder / "labels" / "a.txt").write_text("".join(f"{k} .5 .5 .2 .2\n" for k in (0, 1, 1)))
    return folder / "labels", "line 2"


write = {"csv": write_csv, "coco": write_coco, "voc": write_voc, "yolo": write_yolo}


def test_findings_are_named_all_or_none():
    names = ["crack", "pore"]
    assert find("pore", Box(0, 0, 4, 4, "pore"), Box(0, 0, 4, 4), findings=names) == ""
    assert "labelled 'pore'" in find("pore", Box(0, 0, 4, 4, "crack"), findings=names)
    assert find("pore", Box(0, 0, 4, 4, "letter"), findings=names) == ""
    assert find("pore|crack", Box(0, 0, 4, 4, "crack"), findings=names) == ""


def test_labels_are_of_findings_if_one_names_several(tmp_path):
    def guess(*labels):
        return guess_findings(Manifest(tmp_path, tuple(Sample(x, x, x) for x in labels)))

    assert guess("none", "pore", "crack") == []
    assert guess("none", "pore", "crack|pore") == ["crack", "pore"]
