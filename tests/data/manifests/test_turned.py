import json

import pytest

from mscam_tf import ManifestError, read_boxes
from mscam_tf.data.manifests import check_upright
from tests.data.reading.test_orientation import save


def write_coco(folder, **size):
    content = {
        "images": [{"id": 1, "file_name": "scans\\a.jpg", **size}],
        "categories": [{"id": 1, "name": "bone"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [2, 4, 10, 6]}],
    }
    (folder / "boxes.json").write_text(json.dumps(content))
    return folder / "boxes.json"


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_shares_of_a_picture_that_is_shown_turned_are_refused(tmp_path, orientation):
    """Nothing says whether they are of what is stored."""
    image = save(tmp_path / "a.jpg", orientation)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.25 0.2 0.1\n")
    message = (
        rf"a\.txt, line 1: .*stored as it is shown.*a\.jpg, with the orientation {orientation}"
    )
    with pytest.raises(ManifestError, match=message):
        read_boxes(tmp_path / "labels", [image])
    assert read_boxes(tmp_path / "labels", [save(image, 1)])


def test_sizes_tell_a_quarter_turn_and_no_half_turn(tmp_path):
    """Where the sides are swapped the sizes are compared later, once images are read."""
    sized, bare = {"width": 24, "height": 16}, {}
    for orientation, size, right in [(6, sized, True), (6, bare, False), (3, sized, False)]:
        image, boxes = save(tmp_path / "a.jpg", orientation), write_coco(tmp_path, **size)
        if right:
            assert read_boxes(boxes, [image])
        else:
            with pytest.raises(ManifestError, match="stored as it is shown"):
                read_boxes(boxes, [image])


def test_images_without_boxes_may_be_turned(tmp_path):
    assert read_boxes(write_coco(tmp_path), [save(tmp_path / "b.jpg", 6)])


@pytest.mark.parametrize("sized", ["upright", "turned"])
def test_images_of_one_name_in_several_folders(tmp_path, sized):
    """The size of one says nothing of the other."""
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "bone"}]}
    for number, folder in enumerate(("turned", "upright")):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "a.jpg", 6 if folder == "turned" else 1)
        size = {"width": 40, "height": 20} if folder == sized else {}
        content["images"].append({"id": number, "file_name": f"{folder}/a.jpg", **size})
        content["annotations"].append({"image_id": number, "category_id": 1, "bbox": [2, 4, 9, 6]})
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    with pytest.raises(ManifestError, match=r"turned.a\.jpg, with the orientation 6 of EXIF"):
        read_boxes(tmp_path / "boxes.json", sorted(tmp_path.glob("*/a.jpg")))


def test_boxes_are_written_of_upright_images_alone(tmp_path):
    upright, turned = save(tmp_path / "a.jpg", 1), save(tmp_path / "b.png", 2)
    check_upright([upright, tmp_path / "missing.png"])
    with pytest.raises(ManifestError, match=r"at another place.*b\.png, with the orientation 2 of"):
        check_upright([upright, turned])
