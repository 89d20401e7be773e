import numpy as np
import pytest
from PIL import Image

from mscam_tf import Box, ImageError, ManifestError, ReadOptions, Sample
from mscam_tf.evaluation.truth import cut_boxes, list_corners, list_marked
from tests.data.reading.test_orientation import save

SAMPLE = Sample("a.png", "bone", "a", mask="m.png")


@pytest.fixture
def root(tmp_path):
    mask = np.zeros((10, 14), np.uint8)
    mask[1:4, 2:7], mask[6:8, 9:12] = 1, 2
    Image.fromarray(mask).save(tmp_path / "m.png")
    return tmp_path


def name(boxes):
    return [(box.x_min, box.y_min, box.x_max, box.y_max) for box in boxes]


def test_objects_are_boxes_and_what_of_the_mask_no_box_meets(root):
    assert name(list_marked(root, SAMPLE, [], ReadOptions())) == [(2, 1, 7, 4), (9, 6, 12, 8)]
    boxes = [Box(6, 3, 8, 5, "pore"), Box(-2, 0, 1, 1)]
    found = list_marked(root, SAMPLE, boxes, ReadOptions(), (10, 14))
    assert name(found) == [(6, 3, 8, 5), (0, 0, 1, 1), (9, 6, 12, 8)]
    assert [box.label for box in found] == ["pore", "", ""]
    assert found[1].visible == pytest.approx(1 / 3)
    assert name(list_marked(root, SAMPLE, boxes, ReadOptions())) == name(found)


def test_without_a_mask_the_boxes_are_cut_where_the_size_is_known(tmp_path):
    sample, boxes = Sample("a.png", "bone", "a"), [Box(-2, 0, 1, 1)]
    assert list_marked(tmp_path, sample, boxes, ReadOptions()) == boxes
    assert name(list_marked(tmp_path, sample, boxes, ReadOptions(), (5, 5))) == [(0, 0, 1, 1)]
    assert list_marked(tmp_path, sample, [], ReadOptions()) == []


def test_a_mask_of_another_size_is_refused(root):
    with pytest.raises(ImageError, match=r"m\.png: expected the size \(14, 10\) of its image"):
        list_marked(root, SAMPLE, [], ReadOptions(), (14, 10))


def test_a_mask_that_is_not_turned_as_its_image_is_refused(root):
    save(root / "a.png", 4)
    with pytest.raises(ImageError, match=r"m\.png: .*orientation of EXIF is 4 in .*a\.png"):
        list_marked(root, SAMPLE, [], ReadOptions())


def test_objects_of_a_mask_of_another_size_than_the_image_are_refused(root):
    """Where the size of the image becomes known later."""
    found = list_marked(root, SAMPLE, [], ReadOptions())
    assert name(cut_boxes(found, "a.png", (10, 14))) == name(found)
    with pytest.raises(ManifestError, match=r"its mask m\.png, a\.png: .*Received: one of 14 x 10"):
        cut_boxes(found, "a.png", (20, 28))


def test_boxes_beside_their_image_are_refused():
    with pytest.raises(ManifestError, match=r"a\.png: a box must reach into its image of 4 x 6"):
        cut_boxes([Box(4, 0, 5, 6)], "a.png", (6, 4))


def test_corners_of_no_boxes_have_their_shape():
    assert list_corners([]).shape == (0, 4)
    assert list_corners([Box(1, 2, 3, 5)]).tolist() == [[1, 2, 3, 5]]
