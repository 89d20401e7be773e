import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, Manifest, ManifestError, ReadOptions, Sample
from mscam_tf.data.tiling import list_frames, list_inputs
from mscam_tf.data.tiling.frames import find_mask, name_frame, read_frame, read_frame_mask
from tests.data.reading.test_orientation import PIXELS, save


def test_list(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a/2.png", "1.tif", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    frames = list_frames(tmp_path)
    assert frames.root == tmp_path
    assert [sample.path for sample in frames.samples] == ["1.tif", "a/2.png"]
    single = list_frames(tmp_path / "a" / "2.png")
    assert single.paths == [tmp_path / "a" / "2.png"]
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


def test_frames_of_a_manifest(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,label,group,mask\n../x/a.tif,x,fish 1,m/a.png\n")
    (tmp_path / "other.png").touch()
    for source in (tmp_path, tmp_path / "manifest.csv"):
        (frame,) = list_frames(source).samples
        assert (frame.path, frame.group, frame.mask) == ("../x/a.tif", "fish 1", "m/a.png")
    assert name_frame(frame.path) == "x/a"
    assert name_frame("/data/a.tif") == "data/a"


def test_masks_by_name(tmp_path):
    (tmp_path / "x").mkdir()
    path = tmp_path / "x" / "a.png"
    Image.fromarray(np.ones((2, 3), np.uint8)).save(path)
    assert find_mask(tmp_path, "../x/a.jpg") == path
    with pytest.raises(ManifestError, match=r"Each frame needs a mask.* none for b\.png"):
        find_mask(tmp_path, "b.png")
    (tmp_path / "films" / "x").mkdir(parents=True)
    (tmp_path / "films" / "x" / "a.jpg").touch()
    frames = list_frames(tmp_path / "films", tmp_path)
    (frame,) = frames.samples
    assert list_inputs(frames) == [tmp_path / "films" / "x" / "a.jpg", path.resolve()]
    options = ReadOptions()
    assert read_frame_mask(frames, frame, (2, 3), options).sum() == 6
    with pytest.raises(ImageError, match=r"the size \(3, 2\) of its image, but it has \(2, 3\)"):
        read_frame_mask(frames, frame, (3, 2), options)
    bare = Sample("x/a.jpg", "", "1")
    assert read_frame_mask(frames, bare, (3, 2), options).tolist() == [[0, 0]] * 3


def test_masks_that_are_not_turned_as_their_frame_are_refused(tmp_path):
    save(tmp_path / "a.png", 2)
    save(tmp_path / "m.png", 1)
    frames = Manifest(tmp_path, (Sample("a.png", "x", "", mask="m.png"),))
    with pytest.raises(ImageError, match=r"m\.png: .*orientation of EXIF is 2 in .*a\.png"):
        read_frame_mask(frames, frames.samples[0], PIXELS.shape, ReadOptions())


def test_masks_in_capitals_or_of_several_formats(tmp_path):
    (tmp_path / "a.TIF").touch()
    assert find_mask(tmp_path, "a.png").samefile(tmp_path / "a.TIF")
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ManifestError, match=r"one only; .* Received: a\.TIF and a\.jpg for a\.png"):
        find_mask(tmp_path, "a.png")
