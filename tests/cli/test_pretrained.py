import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, ReadOptions
from mscam_tf.cli.pretrained import open_xray

SETTINGS = {"image_size": None, **vars(ReadOptions())}


def write(folder, broken, good):
    paths = [folder / f"{number:03d}.png" for number in range(broken + good)]
    for path in paths[:broken]:
        path.write_bytes(b"no image")
    for path in paths[broken:]:
        Image.fromarray(np.eye(150, 200, dtype=np.uint8)).save(path)
    return paths


def test_the_size_is_that_of_the_first_images_that_can_be_read(tmp_path):
    paths = write(tmp_path, 70, 2)
    assert open_xray(paths, SETTINGS).image_size == (160, 224)


def test_no_image_that_can_be_read(tmp_path):
    with pytest.raises(ImageError, match="70 image files cannot be read"):
        open_xray(write(tmp_path, 70, 0), SETTINGS)
