import numpy as np
import pytest

from mscam_tf import MscamError, metrics

IMAGE = np.array([[1.0, 5.0, 0.0], [2.0, 0.0, 8.0]])


def weigh(images):
    """A classifier that adds the pixels up, the last one threefold."""
    weights = np.array([[1, 1, 1], [1, 1, 3]])
    return (images * weights).sum((1, 2))


def test_the_score_falls_in_the_order_of_the_map():
    map_ = np.array([[0, 4, 1], [3, 2, 5]])
    area, scores = metrics.deletion(weigh, IMAGE, map_, steps=6)
    # Taken are 8 (threefold), 5, 2, 0, 0, 1.
    assert scores.tolist() == [32, 8, 3, 1, 1, 1, 0]
    assert area == pytest.approx((32 / 2 + 8 + 3 + 1 + 1 + 1 + 0) / 6)


def test_the_score_rises_in_the_order_of_the_map():
    map_ = np.array([[0, 4, 1], [3, 2, 5]])
    area, scores = metrics.insertion(weigh, IMAGE, map_, steps=3, blur=1e3)
    mean = 16 / 6
    expected = [8 * mean, 29 + 4 * mean, 31 + 2 * mean, 32]
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert area == pytest.approx((expected[0] / 2 + expected[1] + expected[2] + 16) / 3, abs=1e-4)


def test_steps_need_not_divide_the_pixels():
    _, scores = metrics.deletion(lambda x: (x > 0).sum((1, 2)), np.ones((1, 5)), np.eye(1, 5), 2)
    assert scores.tolist() == [5, 3, 0]  # Half of five is rounded to two.


def test_channels_are_taken_together():
    image = np.dstack([IMAGE, 10 * IMAGE])
    area, scores = metrics.deletion(lambda x: x.sum((1, 2, 3)), image, IMAGE, steps=6, fill=1.0)
    assert scores[0] == 11 * 16
    assert scores[1] == 11 * 8 + 2
    assert scores[-1] == 12
    assert area > 0
    _, risen = metrics.insertion(lambda x: x.sum((1, 2, 3)), image, IMAGE, steps=6)
    assert risen[-1] == 11 * 16


def test_many_steps_go_in_batches():
    sizes = []

    def predict(images):
        sizes.append(len(images))
        return images.mean((1, 2))

    _, scores = metrics.deletion(predict, IMAGE, IMAGE, steps=40)
    assert len(scores) == sum(sizes) == 41
    assert max(sizes) <= 16


def test_drop_and_increase():
    whole, covered = np.array([0.5, 0.8, 0.4, 0.4]), np.array([0.25, 0.9, 0.4, 0.1])
    assert metrics.average_drop(whole, covered) == pytest.approx((0.5 + 0 + 0 + 0.75) / 4)
    assert metrics.average_increase(whole, covered) == 0.25


def test_a_map_covers_all_channels():
    covered = metrics.cover_image(np.full((1, 3, 2), 4.0), np.array([[1.0, 2.0, 3.0]]))
    assert covered[0].tolist() == [[0, 0], [2, 2], [4, 4]]


def test_parts_that_miss_something_are_told():
    logits = np.array([[1.0, -2.0], [0.5, 3.0]])
    parts = np.array([[[0.5, -1.0], [0.25, 0.0]], [[0.5, 1.0], [0.0, 1.0]]])
    errors = metrics.logit_sum_error(logits, parts, np.array([[0.25, -1.0], [0.0, 0.0]]))
    assert errors.tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.deletion(weigh, IMAGE, np.eye(2)), "the size of `image`"),
        (lambda: metrics.deletion(weigh, IMAGE, IMAGE, steps=0), "at least 1"),
        (lambda: metrics.deletion(lambda x: x, IMAGE, IMAGE), "a finite score for each of 16"),
        (lambda: metrics.insertion(lambda x: x[:, 0, 0] / 0, IMAGE, IMAGE), "a finite score"),
        (lambda: metrics.average_drop([0.5, 0.0], [0.1, 0.1]), "scores above 0"),
        (lambda: metrics.average_increase([0.5], [0.1, 0.2]), "the same shape"),
        (lambda: metrics.cover_image(IMAGE, np.eye(2)), "the size of `image`"),
        (lambda: metrics.logit_sum_error(np.zeros(2), np.zeros(2), np.zeros(2)), r"\(..., P, C\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero|invalid value:RuntimeWarning")
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(MscamError, match=message):
        call()
