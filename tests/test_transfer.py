import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf.pretrained import Pretrained
from mscam_tf.transfer import initialize_heads
from tests.conftest import make_backbone, randomize

CHANNELS = (4, 6, 8)


@pytest.fixture
def pretrained():
    generator = np.random.default_rng(1)
    relevance = np.array([[0.5, 0.25], [0.25, 0.25], [0.25, 0.5]], np.float32)
    kernels = tuple(generator.normal(size=(k, 2)).astype(np.float32) for k in CHANNELS)
    return Pretrained(("bone", "wire"), {}, kernels, (np.zeros(2, np.float32),) * 3, relevance)


def make_data(count=24):
    generator = np.random.default_rng(0)
    images = generator.random((count, 32, 32, 1), np.float32)
    images[: count // 2, ::4] *= 0.2
    return images, np.repeat([1, 0], count // 2)


def build(num_classes=2, single=False):
    if single:
        return randomize(
            mscam_tf.build_single_scale_classifier(num_classes, (32, 32), backbone=make_backbone())
        )
    model = mscam_tf.build_multiscale_classifier(num_classes, (32, 32), backbone=make_backbone())
    return randomize(model)


@pytest.mark.parametrize("single", [False, True])
def test_the_fitted_heads_tell_the_classes_apart(pretrained, single):
    model = build(single=single)
    images, labels = make_data()
    initialize_heads(model, images, labels, pretrained)
    right = (model.predict(images, verbose=0).argmax(-1) == labels).mean()
    assert right > (0.65 if single else 0.9)  # The coarsest scale alone hardly sees the stripes.


def test_maps_are_mixtures_of_the_pretrained_maps(pretrained):
    """Of two classes and two targets: each kernel is a combination of two pretrained kernels."""
    model = build()
    initialize_heads(model, *make_data(), pretrained)
    relevance = model.get_layer("relevance").get_relevance()
    np.testing.assert_allclose(relevance[:, 0], [0.375, 0.25, 0.375], rtol=1e-5)
    mixtures = []
    for scale, (kernel, h) in enumerate(zip(pretrained.kernels, pretrained.relevance, strict=True)):
        new = model.get_layer(f"scale{scale + 1}_logits").kernel * relevance[scale]
        mixture, residual, *_ = np.linalg.lstsq(kernel * h, np.asarray(new), rcond=None)
        assert residual == pytest.approx(0, abs=1e-6)
        mixtures.append(mixture)
    np.testing.assert_allclose(mixtures[0], mixtures[1], rtol=1e-2, atol=1e-4)
    np.testing.assert_allclose(mixtures[0], mixtures[2], rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize(("classes", "labels"), [(1, np.zeros(24)), (3, np.arange(24) % 3)])
def test_one_class_and_three(pretrained, classes, labels):
    model = build(classes)
    initialize_heads(model, make_data()[0], labels.astype(int), pretrained)
    assert np.isfinite(model.predict(make_data()[0], verbose=0)).all()


def test_a_missing_class_is_named(pretrained):
    images, labels = make_data()
    with pytest.raises(ValueError, match=r"class from 0 to 2\. Received: .*\[0, 1\]"):
        initialize_heads(build(3), images, labels, pretrained)


def test_other_taps_are_refused(pretrained):
    taps = ["relu1", "relu3"]
    backbone = make_backbone()
    model = mscam_tf.build_multiscale_classifier(2, (32, 32), backbone=backbone, taps=taps)
    with pytest.raises(ValueError, match=r"read \[6, 8\] channels\. Received: taps with \[4, 8\]"):
        initialize_heads(model, *make_data(), pretrained)


def test_the_pretrained_classifier_knows_all_targets():
    model = mscam_tf.build_pretrained_classifier((64, 64))
    pretrained = mscam_tf.load_pretrained()
    assert model.output_shape == (None, len(pretrained.targets))
    relevance = model.get_layer("relevance").get_relevance()
    np.testing.assert_allclose(relevance, pretrained.relevance, atol=1e-6)
    head = model.get_layer("scale3_logits")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(head.kernel), pretrained.kernels[2])
