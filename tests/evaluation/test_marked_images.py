from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mscam_tf import Box, ImageError, ManifestError, ReadOptions, read_manifest, write_boxes
from mscam_tf.data.manifests import Manifest, Sample
from mscam_tf.evaluation import read_marked_images
from mscam_tf.evaluation.marked_images import choose_findings
from mscam_tf.runs import OneLabel, SeveralFindings

SIZE = (20, 40)  # Of the files; models see half of it.


@pytest.fixture
def folder(tmp_path):
    """Write three images: with boxes and a mask, with a mask alone, and a good one."""
    (tmp_path / "masks").mkdir()
    for name in "abc":
        Image.fromarray(np.full(SIZE, 90, np.uint8)).save(tmp_path / f"{name}.png")
    first, second = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
    first[2:6, 4:12] = 255  # In the box.
    first[14:18, 30:32] = 255  # In none.
    second[4:8, 0:6] = 3
    second[10:12, 20:30] = 8
    Image.fromarray(first).save(tmp_path / "masks" / "a.png")
    Image.fromarray(second).save(tmp_path / "masks" / "b.png")
    return tmp_path


def list_samples(folder):
    samples = (
        Sample("a.png", "pore", "a", mask="masks/a.png"),
        Sample("b.png", "pore", "b", mask="masks/b.png"),
        Sample("c.png", "none", "c"),
    )
    return Manifest(folder, samples)


def read(manifest, **options):
    return read_marked_images(manifest, (10, 20), ReadOptions(), **options)


def test_objects_are_boxes_and_what_is_beside_them_in_the_mask(folder):
    write_boxes({"a.png": [Box(3, 1, 13, 7, "pore"), Box(-8, 10, 2, 14)]}, folder / "boxes.csv")
    manifest, found, problems = read(list_samples(folder))
    assert [sample.path for sample in manifest.samples] == ["a.png", "b.png", "c.png"]
    assert problems == []
    boxed, masked, good = found
    np.testing.assert_allclose(boxed.corners, [[1.5, 0.5, 6.5, 3.5], [0, 5, 1, 7], [15, 7, 16, 9]])
    # The size is that of the whole object in the file, and a fifth of it is not asked for.
    np.testing.assert_allclose(boxed.sizes, [60**0.5, 40**0.5, 8**0.5])
    assert boxed.asked.tolist() == [True, False, True]
    np.testing.assert_allclose(masked.corners, [[0, 2, 3, 4], [10, 5, 15, 6]])
    np.testing.assert_allclose(masked.sizes, [24**0.5, 20**0.5])
    assert good.corners.shape == (0, 4)
    assert good.asked.shape == good.sizes.shape == (0,)


def test_pixels_are_those_of_the_mask_or_else_of_the_boxes(folder):
    samples = list_samples(folder).samples
    write_boxes({"a.png": [Box(3, 1, 13, 7)]}, folder / "boxes.csv")
    _, found, _ = read(Manifest(folder, samples))
    mask = np.zeros((10, 20), bool)
    mask[1:3, 2:6] = mask[7:9, 15:16] = True
    np.testing.assert_array_equal(found[0].paint(), mask)
    _, found, _ = read(Manifest(folder, (replace(samples[0], mask=""), samples[2])))
    boxed = np.zeros((10, 20), bool)
    boxed[0:3, 1:6] = True
    np.testing.assert_array_equal(found[0].paint(), boxed)
    assert not found[1].paint().any()


def test_images_of_which_nobody_knows_the_objects_are_left_out(folder, caplog):
    samples = list_samples(folder).samples
    more = (replace(samples[2], label="pore"), replace(samples[2], label="fine"))
    manifest, found, _ = read(Manifest(folder, (*samples, *more)), good="fine")
    assert [sample.label for sample in manifest.samples] == ["pore", "pore", "none", "fine"]
    assert len(found) == 4
    assert "1 images are left out: nothing is marked in them" in caplog.text


def test_a_label_that_denies_what_is_marked_is_refused(folder):
    write_boxes({"c.png": [Box(3, 1, 13, 7)]}, folder / "boxes.csv")
    with pytest.raises(ManifestError, match=r"No label may deny(.|\n)*1 such(.|\n)*c\.png"):
        read(list_samples(folder))


def test_boxes_deny_the_good_class_and_findings_that_are_not_named(folder):
    manifest = list_samples(folder)
    fine = replace(manifest, samples=(*manifest.samples[1:], Sample("a.png", "fine", "a")))
    write_boxes({"a.png": [Box(3, 1, 13, 7, "pore")]}, folder / "boxes.csv")
    assert len(read(fine)[1]) == 3
    with pytest.raises(ManifestError, match=r"a\.png: it is labelled 'fine'.*x from 3 to 13"):
        read(fine, good="fine")
    write_boxes({"b.png": [Box(3, 1, 13, 7, "crack")]}, folder / "boxes.csv")
    assert len(read(manifest)[1]) == 3
    with pytest.raises(ManifestError, match=r"b\.png: it is labelled 'pore', .* marks 'crack'"):
        read(manifest, findings=["crack", "pore"])


def test_labels_are_of_findings_where_a_task_knows_them_all(folder):
    task, manifest = SeveralFindings(["crack", "pore"]), list_samples(folder)
    assert choose_findings(task, manifest) == ["crack", "pore"]
    assert choose_findings(OneLabel(["none", "pore"]), manifest) == ()
    other = replace(manifest.samples[0], label="pore|scratch")
    assert choose_findings(task, replace(manifest, samples=(other,))) == ()


def test_nothing_marked_is_refused(image_folder):
    with pytest.raises(ManifestError, match="Some objects must be marked, by masks"):
        read(read_manifest(image_folder))


def test_masks_of_other_sizes_are_named_or_left_out(folder):
    Image.fromarray(np.full((4, 4), 255, np.uint8)).save(folder / "masks" / "a.png")
    manifest = list_samples(folder)
    with pytest.raises(ImageError, match=r"a\.png: expected the size \(20, 40\) of its image"):
        read(manifest)
    manifest, _, problems = read(manifest, skip_bad=True)
    assert [sample.path for sample in manifest.samples] == ["b.png", "c.png"]
    assert [problem.path.name for problem in problems] == ["a.png"]


def test_a_box_beside_its_image_is_refused(folder):
    write_boxes({"a.png": [Box(100, 100, 104, 104)]}, folder / "boxes.csv")
    with pytest.raises(ImageError, match="a box must reach into its image"):
        read(list_samples(folder))
