from pathlib import Path

from mscam_tf import Box, read_boxes
from mscam_tf.explanation.boxes import MarkedImage, write_image_boxes


def test_images_of_one_name_keep_their_folders(tmp_path):
    first = MarkedImage(Path("x/a.png"), (20, 40), (Box(1, 2, 3, 4, "bone"),))
    write_image_boxes([first], tmp_path / "one.json", "coco")
    assert list(read_boxes(tmp_path / "one.json")) == ["a.png"]
    second = MarkedImage(Path("y/a.png"), (8, 8), (Box(0, 0, 5, 6, "void"),))
    write_image_boxes([first, second], tmp_path / "two.json", "coco")
    assert read_boxes(tmp_path / "two.json") == {
        "x/a.png": list(first.boxes),
        "y/a.png": list(second.boxes),
    }
