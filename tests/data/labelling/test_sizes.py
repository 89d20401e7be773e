from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, Manifest, ManifestError, Sample
from mscam_tf.data.labelling import measure_boxes, measure_images, measure_mask
from mscam_tf.data.manifests import Box
from mscam_tf.errors import MscamError


def test_a_cut_box_counts_whole():
    boxes = [Box(0, 0, 2, 4, object_size=(16, 4)), Box(0, 0, 12, 3)]
    assert measure_boxes(boxes) == [8, 6]
    assert measure_boxes(boxes, "width") == [4, 3]
    assert measure_boxes(boxes, "length") == [16, 12]
    assert measure_boxes(boxes, "area") == [64, 36]


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7])
def test_the_width_of_a_bar_is_exact_at_any_place(width):
    for start in (0, 3):
        mask = np.zeros((12, 20), np.uint8)
        mask[start : start + width, 2:18] = 255
        assert measure_mask(mask) == [width]
        assert measure_mask(mask.T) == [width]


def test_the_width_of_a_slanted_bar():
    y, x = np.mgrid[:80, :80]
    across = (x - y) / np.sqrt(2)
    (width,) = measure_mask(np.abs(across) < 5)
    assert width == pytest.approx(10, abs=0.8)


def test_regions_or_numbers():
    mask = np.zeros((8, 10), int)
    mask[1, 1] = mask[2, 2] = 255  # Touch at a corner: one object.
    mask[5:7, 5:9] = 255
    assert measure_mask(mask, "area") == [2, 8]
    mask[5:7, 7:9] = 9  # Now the values differ, and number the objects.
    assert measure_mask(mask, "area") == [4, 6]
    assert measure_mask(np.zeros((3, 3), int)) == []


@pytest.mark.parametrize(
    ("value", "areas"), [(1, [2, 4]), (255, [2, 4]), (65535, [2, 4]), (2, [6]), (254, [6])]
)
def test_one_numbered_object_in_two_pieces_stays_one(value, areas):
    mask = np.zeros((8, 10), int)
    mask[1, 1:3] = mask[5:7, 5:7] = value
    assert measure_mask(mask, "area") == areas


@pytest.mark.parametrize("function", [measure_boxes, measure_mask])
def test_unknown_measure(function):
    with pytest.raises(ValueError, match=r"`measure` must be one of .* Received: measure='size'"):
        function(np.zeros((2, 2)), "size")


def make_manifest(root, *samples):
    named = [{"path": f"{i}.png", "label": "x", "group": str(i)} for i in range(len(samples))]
    pairs = zip(named, samples, strict=True)
    return Manifest(root, tuple(Sample(**{**plain, **given}) for plain, given in pairs))


def save_image(folder):
    Image.fromarray(np.zeros((40, 12), np.uint8)).save(folder / "0.png")


def test_an_image_is_as_large_as_its_largest_object(tmp_path):
    mask = np.zeros((9, 9), np.uint8)
    mask[0:2, 0:2] = mask[4:7, 3:9] = 1
    Image.fromarray(mask).save(tmp_path / "m.png")
    manifest = make_manifest(tmp_path, {"mask": "m.png"}, {})
    assert measure_images(manifest, "masks").tolist() == [3, 0]
    assert measure_images(manifest, "masks", smallest=True).tolist() == [2, 0]
    assert measure_images(manifest, "masks", measure="area").tolist() == [18, 0]


def test_masks_of_another_size_than_their_images_are_refused(tmp_path):
    """Objects would be twice as large, and the labels wrong."""
    save_image(tmp_path)
    for size in ((40, 12), (80, 24), (12, 40)):
        mask = np.zeros(size, np.uint8)
        mask[3:7, 2:9] = 255
        Image.fromarray(mask).save(tmp_path / "m.png")
        manifest = make_manifest(tmp_path, {"mask": "m.png"})
        if size == (40, 12):
            assert measure_images(manifest, "masks").tolist() == [4]
            continue
        with pytest.raises(ImageError, match=r"m\.png: expected the size \(40, 12\) of its image"):
            measure_images(manifest, "masks")


def test_boxes_that_hardly_show_do_not_count(tmp_path):
    boxes = {"0.png": [Box(0, 0, 4, 4), Box(0, 0, 1, 40, "", (40, 40), 0.4)]}
    manifest = make_manifest(tmp_path, {}, {})
    save_image(tmp_path)
    assert measure_images(manifest, "boxes", boxes=boxes).tolist() == [4, 0]
    assert measure_images(manifest, "boxes", boxes=boxes, min_visible=0.3).tolist() == [40, 0]


def test_what_the_edge_of_the_image_cuts_off_does_not_show(tmp_path):
    manifest = make_manifest(tmp_path, {})
    save_image(tmp_path)
    boxes = {"0.png": [Box(0, 0, 2, 2), Box(10, 0, 20, 10)]}  # A fifth of ten columns is inside.
    assert measure_images(manifest, "boxes", boxes=boxes).tolist() == [2]
    assert measure_images(manifest, "boxes", boxes=boxes, min_visible=0.2).tolist() == [10]


@pytest.mark.parametrize("box", [Box(12, 0, 20, 9), Box(-3, 0, 0, 9), Box(0, 40.0, 3, 50)])
def test_a_box_beside_its_image_is_refused(tmp_path, box):
    manifest = make_manifest(tmp_path, {})
    save_image(tmp_path)
    with pytest.raises(ManifestError, match=r"0\.png: a box must reach into its image of 12 x 40 "):
        measure_images(manifest, "boxes", boxes={"0.png": [box]})


def test_an_image_with_a_box_must_be_there(tmp_path):
    with pytest.raises(ImageError, match=r"0\.png: no such file"):
        measure_images(make_manifest(tmp_path, {}), "boxes", boxes={"0.png": [Box(0, 0, 3, 3)]})


def test_a_column(tmp_path):
    manifest = make_manifest(
        tmp_path, {"extra": {"mm": "1.5"}}, {"extra": {"mm": ""}, "label": "none"}
    )
    assert measure_images(manifest, "column", column="mm").tolist() == [1.5, 0]


def test_an_empty_cell_of_an_image_with_an_object_is_no_size(tmp_path):
    manifest = make_manifest(tmp_path, *[{"extra": {"mm": ""}}] * 7)
    with pytest.raises(ManifestError, match=r"no size in 7 rows: 0\.png, .* 4\.png and 2 more"):
        measure_images(manifest, "column", column="mm")


@pytest.mark.parametrize("value", ["x", "-1", "nan", "inf"])
def test_bad_column(tmp_path, value):
    manifest = make_manifest(tmp_path, {"extra": {"mm": value}})
    with pytest.raises(ManifestError, match=f"0.png: the column 'mm' must .* Received: '{value}'"):
        measure_images(manifest, "column", column="mm")


@pytest.mark.parametrize("column", [None, "cm"])
def test_unknown_column(tmp_path, column):
    manifest = make_manifest(tmp_path, {"extra": {"mm": "1"}}, {"extra": {"mm": "2", "x": ""}})
    match = rf"\(--column\) must be one of \['mm', 'x'\]. Received: column={column!r}"
    with pytest.raises(ManifestError, match=match):
        measure_images(manifest, "column", column=column)


def test_bad_sources(tmp_path):
    manifest = make_manifest(tmp_path, {})
    with pytest.raises(ManifestError, match="Sizes from masks need a column mask"):
        measure_images(manifest, "masks")
    with pytest.raises(ValueError, match=r"`source` must be .* Received: source='eyes'"):
        measure_images(manifest, "eyes")


@pytest.mark.parametrize("share", [float("nan"), -0.1, 1.5])
def test_the_least_visible_share_is_a_share(share):
    manifest = Manifest(Path(), (Sample("a.png", "x", "1"),))
    with pytest.raises(MscamError, match="`min_visible` must be from 0 to 1"):
        measure_images(manifest, "boxes", boxes={"a.png": [Box(0, 0, 3, 3)]}, min_visible=share)
