import numpy as np
import pytest
from PIL import Image

from mscam_tf import ManifestError, read_manifest
from mscam_tf.data.checking import check_manifest


@pytest.fixture
def data(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (4, 32, 32)).astype(np.uint8)
    for name, pixels in zip("abcd", noise, strict=True):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    Image.fromarray(np.eye(32) > 0).save(tmp_path / "m.png")
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / "z.png")
    rows = "a.png,none,m.png\nb.png,none,z.png\nc.png,crack,m.png\nd.png,none,\n"
    (tmp_path / "manifest.csv").write_text(f"path,label,mask\n{rows}")
    return tmp_path


def check(folder, boxes):
    (folder / "boxes.csv").write_text(f"path,x_min,y_min,x_max,y_max,label\n{boxes}")
    return check_manifest(read_manifest(folder))


def test_labels_that_deny_what_is_marked_are_named_with_their_lines(data):
    report = check(data, "c.png,0,0,4,4,pore\nd.png,0,0,4,8,crack\nb.png,-9,0,4,4,\n")
    assert report.failed
    masked, boxed = report.denied
    assert "manifest.csv, line 2: it is labelled 'none', but its mask m.png marks" in masked
    assert "manifest.csv, line 5: it is labelled 'none', but" in boxed
    assert "boxes.csv, line 3 marks 'crack' in it" in boxed


def test_masks_that_are_not_turned_as_their_image_are_named(data):
    exif = Image.Exif()
    exif[274] = 3
    with Image.open(data / "c.png") as image:
        image.save(data / "c.png", exif=exif)
    report = check(data, "d.png,0,0,4,4,crack\n")
    ((path, reason),) = report.problems
    assert path.name == "m.png"
    assert "the orientation of EXIF is 3 in" in reason
    assert report.failed


def test_masks_of_another_size_are_named(data):
    Image.fromarray(np.zeros((32, 16), np.uint8)).save(data / "z.png")
    ((path, reason),) = check(data, "d.png,0,0,4,4,crack\n").problems
    assert path.name == "z.png"
    assert "expected the size (32, 32) of its image, but it has (32, 16)" in reason


def test_boxes_beside_their_image_are_named(data):
    denied = check(data, "c.png,40,0,44,4,pore\n").denied
    assert len(denied) == 2
    assert "boxes.csv, line 2, c.png: a box must reach into its image of 32 x 32" in denied[1]


def test_boxes_labelled_none_end_the_check(data):
    with pytest.raises(ManifestError, match=r"boxes\.csv, line 3: a box marks an object, and"):
        check(data, "c.png,0,0,4,4,pore\nd.png,0,0,4,4,none\n")


def test_rows_that_hold_no_box_end_the_check(data):
    with pytest.raises(ManifestError, match=r"boxes\.csv, line 2, column x_max.*'nan'"):
        check(data, "c.png,0,0,nan,4,pore\n")


def test_images_that_are_nearly_listed_end_the_check(data):
    with pytest.raises(ManifestError, match=r"boxes\.csv, line 3: .*Received: d\.jpg, but d\.png"):
        check(data, "c.png,0,0,4,4,pore\nd.jpg,0,0,4,4,crack\n")


def test_empty_masks_of_images_with_an_object_are_known_and_no_failure(data):
    rows = "a.png,pore,z.png\nb.png,none,z.png\nc.png,crack,m.png\nd.png,pore,z.png\n"
    (data / "manifest.csv").write_text(f"path,label,mask\n{rows}")
    report = check(data, "d.png,0,0,4,4,pore\n")
    assert list(report.unmarked) == [0]
    assert not report.failed
    (data / "z.png").write_bytes(b"no mask")
    assert list(check(data, "d.png,0,0,4,4,pore\n").unmarked) == []


@pytest.mark.parametrize(("marked", "covered"), [(0.5, []), (0.6, [2]), (1.0, [2])])
def test_masks_of_most_of_an_image_are_known_and_no_failure(data, marked, covered):
    with Image.open(data / "c.png") as image:
        width, height = image.size
    mask = np.zeros(height * width, np.uint8)
    mask[: round(marked * mask.size)] = 255
    Image.fromarray(mask.reshape(height, width)).save(data / "much.png")
    rows = "a.png,pore,z.png\nb.png,none,z.png\nc.png,crack,much.png\n"
    (data / "manifest.csv").write_text(f"path,label,mask\n{rows}")
    report = check(data, "a.png,0,0,4,4,pore\n")
    assert list(report.covered) == covered
    assert not report.failed
