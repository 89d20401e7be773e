import numpy as np
import pytest

from mscam_tf.drift import FEATURES, OutlierTest
from mscam_tf.metrics import clopper_pearson


def draw(generator, count):
    """Features that are skewed and depend on each other."""
    values = generator.normal(size=(count, len(FEATURES)))
    values[:, 1:] += values[:, :1]
    values[:, 2] = np.exp(values[:, 2])
    return values


def test_at_most_one_in_a_hundred_like_images_is_told():
    generator, told = np.random.default_rng(3), 0
    for _ in range(40):  # References, since the promise is over these too.
        test = OutlierTest(draw(generator, 99))
        told += sum(test.judge(features)[1] is not None for features in draw(generator, 50))
    low, high = clopper_pearson(told, 2000, 0.999)
    assert low < 0.01 < high


def test_the_outermost_feature_is_told():
    generator = np.random.default_rng(0)
    test = OutlierTest(draw(generator, 200))
    for index, name in enumerate(FEATURES):
        for side in (-1, 1):
            features = np.zeros(len(FEATURES))
            features[index] = 40 * side
            distance, told = test.judge(features)
            if index != 2 or side > 0:  # On the short side of a skewed one it may be another.
                assert told == name
            assert distance > 1.5


def test_distance_by_hand():
    """Of 0 to 99 and 120, the median is 50, and the percentile 99 is 99."""
    features = np.zeros((100, len(FEATURES)))
    features[:, 4] = np.arange(100)
    assert OutlierTest(features).judge(np.eye(len(FEATURES))[4] * 120) == (
        pytest.approx((120 - 50) / 49),
        "noise",
    )


def test_with_fewer_than_99_nothing_is_told():
    features = np.random.default_rng(0).normal(size=(98, len(FEATURES)))
    assert OutlierTest(features).judge(np.full(len(FEATURES), 1e6))[1] is None
    assert OutlierTest(features[:97].repeat(2, 0)).judge(np.full(len(FEATURES), 1e6))[1]


def test_features_that_never_vary():
    test = OutlierTest(np.ones((120, len(FEATURES))))
    assert test.judge(np.ones(len(FEATURES))) == (0, None)
    assert test.judge(np.ones(len(FEATURES)) + np.eye(len(FEATURES))[0])[1] == FEATURES[0]
