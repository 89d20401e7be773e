import numpy as np
import pytest

from mscam_tf import RunError
from mscam_tf.runs import fit_range


class Explainer:
    """Stands in for a model: its maps are multiples of its images; it notes how many at once."""

    def __init__(self, classes=2, factor=1.0):
        self.classes, self.factor, self.batches = classes, factor, []

    def predict_on_batch(self, images):
        self.batches.append(len(images))
        return {"maps": np.repeat(images * self.factor, self.classes, axis=-1)}


def make_images(count, side, seed=0):
    return np.random.default_rng(seed).normal(0, 2, (count, side, side, 1))


def test_small_maps_count_in_full():
    images = make_images(5, 24)
    explainer = Explainer(classes=1)
    found = fit_range(explainer, [images[:3], images[3:]])
    assert found == pytest.approx(tuple(np.percentile(images, (1, 99.5))))
    assert explainer.batches == [3, 2]


def test_large_maps_give_the_percentiles_of_all_values_within_a_tenth():
    images = make_images(3, 400) ** 3  # Long tails: where percentiles are hardest to tell.
    images[2] += 50
    found = fit_range(Explainer(), iter([images[:2], images[2:]]))
    assert found == fit_range(Explainer(), [images[:2], images[2:]])
    for value, percentile in zip(found, (1, 99.5), strict=True):
        low, high = np.percentile(images, (percentile - 0.1, percentile + 0.1))
        assert low < value < high


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_maps_that_are_no_numbers_are_refused(factor):
    with pytest.raises(RunError, match=r"maps must be numbers\. Received: \d+ values"):
        fit_range(Explainer(factor=factor), [make_images(2, 8)])


def test_memory_stays_bounded_by_the_batch():
    import tracemalloc

    def stream():
        for number in range(16):
            yield make_images(1, 256, number)

    explainer = Explainer(classes=14)
    tracemalloc.start()
    fit_range(explainer, stream())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one = 256 * 256 * 14 * 8  # Bytes of the maps of one image.
    assert peak < 6 * one
