import numpy as np

from mscam_tf.training.features import FeatureReader
from tests.training.conftest import build_classifier


def test_views_differ_and_are_the_same_each_time(heads_run, few_images):
    part = few_images.select("validation")
    reader = FeatureReader(build_classifier("mean"), heads_run)
    count = len(part.samples)
    found, again = reader.read(part, views=2), reader.read(part, views=2)
    assert len(found.labels) == 2 * count
    np.testing.assert_array_equal(found.maps[0], again.maps[0])
    first, second = found.maps[0][:count], found.maps[0][count:]
    assert not np.allclose(np.sort(first.ravel()), np.sort(second.ravel()))


def test_memory_takes_views_first_and_then_images(heads_run, few_images):
    part, classifier = few_images.select("train"), build_classifier("soft")
    one = 2 * (16 * 16 * 4 + 8 * 8 * 6 + 4 * 4 * 8)  # Bytes of the maps of a view.
    for images, expected in ((200, (28, 4)), (60, (28, 2)), (28, (28, 1)), (10, (10, 1))):
        chosen, views = FeatureReader(classifier, heads_run, one * images).choose(part, 4)
        assert (len(chosen.samples), views) == expected
    assert [sample.label for sample in chosen.samples].count("wide") == 5
