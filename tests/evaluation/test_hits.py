import numpy as np
import pytest

from mscam_tf import Box, Manifest, ManifestError, Sample
from mscam_tf.data.reading import ReadOptions
from mscam_tf.evaluation import TrueObject, find_hits
from mscam_tf.runs import Explanation, OneLabel, OperatingPoint, Session
from tests.conftest import write_images

NAMES = ["bone", "none"]
POINT = OperatingPoint({"bone": 2.0}, decision_threshold=1.0, good="none")


def explain(path="", logits=(0.0, 0.0), **peaks):
    """Give an explanation whose map of bone has the given peaks, `row_column=value`."""
    maps = np.zeros((32, 64, 2))
    maps[..., 1] = 9.0  # Nothing is marked in the map of good images.
    for place, value in peaks.items():
        row, column = map(int, place.removeprefix("at").split("_"))
        maps[row, column, 0] = value
    empty = np.empty((0, *maps.shape))
    values = (maps[..., 0], np.array(logits), None, None, None, maps, empty, NAMES)
    return Explanation(path, *values, source_size=(64, 128))


@pytest.fixture
def manifest(tmp_path):
    folder = write_images(tmp_path / "data", {"none": 3, "bone": 2}, (64, 128))
    names = ["none/none0.png", "none/none1.png", "none/none2.png", "bone/bone0.png"]
    groups = ["a", "a", "b", "c"]
    pairs = zip(names, groups, strict=True)
    return Manifest(folder, tuple(Sample(n, n.split("/")[0], g) for n, g in pairs))


class Fake(Session):
    """A session whose explanations are given."""

    def explain(self, paths):
        given = [
            {"logits": (2.0, 0.0)},
            {"at3_3": 5.0},
            {},
            {"logits": (0.9, 0.0), "at10_20": 3.0},
        ]
        for path, values in zip(paths, given, strict=True):
            yield explain(path, **values)


def open_fake():
    return Fake(None, None, OneLabel(NAMES), (32, 64), ReadOptions(), 4)


def test_objects_are_found_by_marks_in_pixels_of_the_image(manifest):
    """Images are twice as large as the maps: the mark lies at (41, 21) in them."""
    boxes = [Box(40, 20, 44, 24), Box(47.5, 20, 50, 22), Box(46.5, 20, 50, 22), Box(0, 0, 9, 9)]
    objects = {"bone/bone0.png": [TrueObject(box) for box in boxes]}
    progress = []
    hits = find_hits(open_fake(), manifest, objects, POINT, on_progress=progress.append)
    assert [one.marked for one in hits.objects] == [True, False, True, False]
    assert [one.rejected for one in hits.objects] == [False] * 4
    assert progress == [1] * 4


def test_false_rejects_and_marks_are_of_good_groups(manifest):
    hits = find_hits(open_fake(), manifest, {}, POINT)
    assert (hits.false_rejects.count, hits.false_rejects.groups) == (1, 2)
    assert (hits.false_marks.count, hits.false_marks.groups) == (1, 2)
    bones = Manifest(manifest.root, manifest.samples[3:])
    Fake.explain, kept = lambda self, paths: iter([explain(p) for p in paths]), Fake.explain
    try:
        hits = find_hits(open_fake(), bones, {}, POINT)
    finally:
        Fake.explain = kept
    assert hits.false_rejects is hits.false_marks is None


def test_an_object_that_hardly_reaches_into_its_image_need_not_be_found(manifest):
    objects = {"bone/bone0.png": [TrueObject(Box(-5, 20, 4, 24)), TrueObject(Box(-3, 20, 4, 24))]}
    hits = find_hits(open_fake(), manifest, objects, POINT)
    assert [one.object.box.x_min for one in hits.objects] == [-3]


def test_boxes_of_other_images_are_refused(manifest):
    objects = {"bone/bone0.png": [TrueObject(Box(400, 4, 409, 9))]}
    with pytest.raises(ManifestError, match=r"bone0\.png: a box must reach into its image of 128"):
        find_hits(open_fake(), manifest, objects, POINT)
