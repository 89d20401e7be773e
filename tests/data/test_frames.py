import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, ManifestError, ReadOptions
from mscam_tf.data.frames import (
    find_mask,
    list_frames,
    read_frame,
    read_frame_mask,
)


def test_list(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a/2.png", "1.tif", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    assert list_frames(tmp_path) == (tmp_path, ["1.tif", "a/2.png"])
    assert list_frames(tmp_path / "a" / "2.png") == (tmp_path / "a", ["2.png"])
    with pytest.raises(ManifestError, match=r"FRAMES must be .* Received: .*missing"):
        list_frames(tmp_path / "missing")
    (tmp_path / "1.png").touch()
    with pytest.raises(ManifestError, match=r"differ in their names. Received: 2 named 1"):
        list_frames(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bits_are_kept(tmp_path, dtype):
    pixels = np.array([[0, 7, np.iinfo(dtype).max]], dtype)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    frame = read_frame(tmp_path / "a.png", ReadOptions())
    assert frame.dtype == dtype
    np.testing.assert_array_equal(frame, pixels)


def test_broken_frames(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"a\.png"):
        read_frame(tmp_path / "a.png", ReadOptions())


def test_masks_by_name(tmp_path):
    (tmp_path / "x").mkdir()
    Image.fromarray(np.ones((2, 3), np.uint8)).save(tmp_path / "x" / "a.png")
    assert find_mask(tmp_path, "x/a.jpg") == tmp_path / "x" / "a.png"
    assert read_frame_mask(tmp_path, "x/a.jpg", (2, 3)).sum() == 6
    with pytest.raises(ImageError, match=r"the size \(3, 2\) of its frame, but it has \(2, 3\)"):
        read_frame_mask(tmp_path, "x/a.jpg", (3, 2))
    with pytest.raises(ManifestError, match=r"Each frame needs a mask.* none for b\.png"):
        find_mask(tmp_path, "b.png")
