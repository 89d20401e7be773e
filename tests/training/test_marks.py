from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mscam_tf import ReadOptions
from mscam_tf.data import build_augmentation, make_dataset
from mscam_tf.data.manifests import Box, Manifest, Sample
from mscam_tf.training.map_supervision import BOXED
from mscam_tf.training.marks import Mark, Marks, split_marks


def test_a_box_covers_the_pixels_whose_centres_are_in_it():
    kinds = np.full((4, 1), BOXED)
    boxes = (Box(0, 0, 5, 4), Box(1.4, 1.6, 3.5, 3), Box(5.6, 6.1, 5.9, 6.4))
    found = Mark(boxes, kinds, None, ReadOptions()).paint((7, 7))
    expected = np.zeros((7, 7))
    expected[:4, :5] = 1
    expected[2, 1:3] = 2  # The smaller one lies upon the larger one.
    expected[6, 5] = 3  # None is lost, however thin.
    np.testing.assert_array_equal(found, expected)


def make_marks(own, shown):
    own, shown = np.array(own, bool), np.array(shown, bool)
    return Marks((8, 8), (None,) * len(own), own, shown, 1)


def test_what_shows_a_class_and_what_has_nothing_of_it_count_alike():
    # Of ten images two show the class, one is of it without a mark, and seven have no object.
    marks = make_marks([[1]] * 3 + [[0]] * 7, [[1]] * 2 + [[0]] * 8)
    np.testing.assert_allclose(marks.counts[:, 0], [2.5, 2.5, 0] + 7 * [5 / 7], rtol=1e-6)


def test_few_count_more_but_not_too_much():
    marks = make_marks([[1]] + [[0]] * 99, [[1]] + [[0]] * 99)
    np.testing.assert_allclose(marks.counts[:2, 0], [8, 50 / 99], rtol=1e-6)


def test_images_of_other_classes_have_nothing_of_a_class_where_they_are_marked():
    own = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    shown = [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    expected = [[1, 1, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 0, 0]]
    counts = make_marks(own, shown).counts
    np.testing.assert_array_equal(counts > 0, np.array(expected, bool))
    assert counts[:, 0].sum() == pytest.approx(5 / 2)  # Two classes share it.


def test_in_the_validation_only_what_is_marked_in_the_training_counts():
    marks = make_marks([[1, 0], [0, 1], [0, 1]], [[1, 0], [0, 1], [0, 1]])
    samples = [Sample(str(k), "", str(k), split) for k, split in enumerate(
        ["train", "validation", "test"])]  # fmt: skip
    found = split_marks(marks, Manifest(None, tuple(samples)))
    assert found["train"].shown.tolist() == [[True, False]]
    assert found["validation"].shown.tolist() == [[False, False]]
    assert not found["validation"].counts.any()
    swapped = tuple(replace(s, split="test") for s in samples)
    assert split_marks(marks, Manifest(None, swapped)) == {}


@pytest.fixture
def painted(tmp_path):
    """An image of gentle hills, and marks that follow its brightness."""
    grid = np.arange(64)
    hills = 100 + 60 * np.sin(grid[:, None] / 7.0) * np.cos(grid / 9.0 + 1)
    path = tmp_path / "a.png"
    Image.fromarray(hills.astype(np.uint8)).save(path)
    bright = (hills.astype(np.uint8) > 120) + 2 * (hills.astype(np.uint8) < 80)

    class Painted:
        kinds, counts = np.zeros((8, 2, 1), np.int32), np.ones((8, 1), np.float32)

        def paint(self, index):
            return bright[..., None].astype(np.float32)

    return [path] * 8, Painted()


def collect(paths, marks, **options):
    return list(make_dataset(paths, range(8), (64, 64), 4, marks=marks, **options))


def test_marks_are_moved_as_their_images_are(painted):
    paths, marks = painted
    for inputs, _ in collect(paths, marks, training=True):
        images, numbers = (np.asarray(inputs[name])[..., 0] for name in ("image", "numbers"))
        assert set(np.unique(numbers)) == {0, 1, 2}
        for image, number in zip(images, numbers, strict=True):
            # Contrast is changed about the mean: the order of grey levels stays.
            assert abs(image[number == 1].min() - image[number == 0].max()) < 0.05
            assert abs(image[number == 2].max() - image[number == 0].min()) < 0.05
            assert np.abs(image[::-1] - image).max() > 0.1


def test_images_are_augmented_alike_with_and_without_marks(painted):
    paths, marks = painted
    for first_epoch in (0, 2):
        options = {"training": True, "seed": 5, "first_epoch": first_epoch}
        pairs = zip(collect(paths, None, **options), collect(paths, marks, **options), strict=True)
        for (images, labels), (inputs, labels_again) in pairs:
            np.testing.assert_array_equal(images, inputs["image"])
            np.testing.assert_array_equal(labels, labels_again)


def test_a_box_that_is_turned_stays_a_turned_box():
    numbers = np.zeros((1, 96, 96, 1), np.float32)
    numbers[:, 36:60, 30:66] = 3  # Of 24 x 36 pixels about the middle.
    pair = {"images": numbers / 3, "segmentation_masks": numbers}
    moved = build_augmentation(1)(pair, training=True)
    image, found = (np.asarray(moved[name])[0, ..., 0] for name in pair)
    np.testing.assert_array_equal(np.unique(found), [0, 3])
    assert (found > 0).sum() == pytest.approx(24 * 36, rel=0.03)
    rows, columns = np.nonzero(found)
    hull = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert hull > 1.1 * 24 * 36  # It is no hull: that would be larger.
    inner = image > image.min() + 0.9 * np.ptp(image)
    assert (found[inner] == 3).all()


def test_without_training_marks_come_as_they_are(painted):
    paths, marks = painted
    (inputs, labels), _ = collect(paths, marks)
    assert {name: tuple(x.shape) for name, x in inputs.items()} == {
        "image": (4, 64, 64, 1), "numbers": (4, 64, 64, 1), "kinds": (4, 2, 1), "counts": (4, 1),
    }  # fmt: skip
    np.testing.assert_array_equal(inputs["numbers"][2], marks.paint(2))
    assert np.asarray(labels).tolist() == [0, 1, 2, 3]
