import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import mscam_tf
from mscam_tf import MscamError
from mscam_tf.models import (
    Pretrained,
    build_targets,
    go_on_from,
    initialize_heads,
    start_heads,
)
from tests.conftest import make_backbone, randomize

pytestmark = pytest.mark.backends

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
def test_the_started_heads_tell_the_classes_apart(pretrained, single):
    model = build(single=single)
    images, labels = make_data()
    pools = [layer.output for layer in model.layers if layer.name.endswith("pool")]
    features = [keras.Model(model.input, pool).predict(images, verbose=0) for pool in pools]
    kernels = list(pretrained.kernels)
    for scale, feature in zip((-1,) if single else (0, 1, 2), features, strict=True):
        apart = feature[labels == 1].mean(0) - feature[labels == 0].mean(0)
        kernels[scale][:, 1] = apart / feature.var(0).clip(1e-6) / len(features)
        pretrained.biases[0][1] -= feature.mean(0) @ kernels[scale][:, 1] / len(features)
    initialize_heads(model, images, labels, pretrained)
    logits = model.predict(images, verbose=0)
    # The coarsest scale alone hardly sees the stripes.
    assert roc_auc_score(labels, logits[:, 1] - logits[:, 0]) > (0.7 if single else 0.95)


def test_each_map_starts_as_a_pretrained_map_or_empty(pretrained):
    model = build()
    initialize_heads(model, *make_data(), pretrained)
    relevance = model.get_layer("relevance").get_relevance()
    np.testing.assert_allclose(relevance[:, 0], [0.375, 0.25, 0.375], rtol=1e-5)
    gains = []
    for scale, (kernel, h) in enumerate(zip(pretrained.kernels, pretrained.relevance, strict=True)):
        new = model.get_layer(f"scale{scale + 1}_logits").get_weights()[0] * relevance[scale]
        mixture, residual, *_ = np.linalg.lstsq(kernel * h, new, rcond=None)
        assert residual == pytest.approx(0, abs=1e-6)
        gains.append(mixture)
    np.testing.assert_allclose(gains[1], gains[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(gains[2], gains[0], rtol=1e-3, atol=1e-5)
    taken = np.abs(gains[0]) > 1e-5
    assert taken.sum(0).max() == 1
    assert (gains[0][taken] > 0).all()


def start(logits, labels):
    """Start heads from features that are the logits of the pretrained targets themselves."""
    count = logits.shape[1]
    model = start_model(max(labels) + 1, count)
    start_heads(model, logits, np.array(labels), make_identity(count))
    return model.get_layer("logits").get_weights()


def make_identity(count):
    return Pretrained(
        tuple("abc"[:count]), {}, (np.eye(count),), (np.zeros(count),), np.ones((1, count))
    )


def start_model(classes, count):
    image = keras.Input((None, None, 3))
    tap = keras.layers.ReLU(name="tap")(keras.layers.Conv2D(count, 1)(image))
    return mscam_tf.build_single_scale_classifier(
        classes, (32, 32), 3, backbone=keras.Model(image, tap), tap="tap"
    )


@pytest.mark.parametrize("pooling", ["mean", "soft"])
def test_started_logits_are_the_fitted_ones_on_any_image(pretrained, pooling):
    """A scaled map is pooled as it was: logits are gain times pretrained logit plus offset."""
    model = randomize(
        mscam_tf.build_multiscale_classifier(2, (32, 32), backbone=make_backbone(), pooling=pooling)
    )
    images, labels = make_data()
    targets = build_targets(model, pretrained).predict(images, verbose=0)
    wanted = np.where(labels == 1, 3.0, -2.0) + np.random.default_rng(0).normal(size=24)
    start_heads(model, np.stack([wanted, 0 * wanted], axis=1), labels, pretrained)
    logits = model.predict(images, verbose=0)
    for c in (0, 1):
        gain, offset = np.polyfit(targets[:, 0], logits[:, c], 1)
        np.testing.assert_allclose(logits[:, c], gain * targets[:, 0] + offset, atol=1e-3)
    assert np.ptp(logits[:, 1]) > 0.01


def test_of_two_targets_that_tell_as_much_the_more_general_is_taken():
    told = np.array([-3.0, -2.0, 2.0, 3.0])
    kernel, _ = start(np.stack([told, told * 1.01], axis=1), [0, 0, 1, 1])
    assert kernel[0, 1] > 0
    np.testing.assert_array_equal(kernel[[0, 1, 1], [0, 0, 1]], 0)


def test_a_target_that_tells_nothing_is_not_taken():
    kernel, bias = start(np.array([[-9.0, -1.0]] * 4), [0, 0, 1, 1])
    np.testing.assert_array_equal(kernel, 0)
    assert bias == pytest.approx([0, 0], abs=1e-3)


def test_heads_of_unit_norm_are_refused(pretrained):
    model = mscam_tf.build_multiscale_classifier(
        2, (32, 32), backbone=make_backbone(), unit_norm_heads=True
    )
    with pytest.raises(ValueError, match=r"any norm\. Received: .*unit_norm_heads=True"):
        initialize_heads(model, *make_data(), pretrained)


def test_without_contradiction_the_pretrained_logit_stays_as_it_is():
    """Balanced and well apart: there is no reason to move the threshold."""
    kernel, bias = start(np.array([[-6.0], [-5.0], [5.0], [6.0]]), [0, 0, 1, 1])
    np.testing.assert_allclose(kernel[:, 1], [1.0], atol=0.1)
    assert bias[1] - bias[0] == pytest.approx(0, abs=0.02)


def test_findings_take_their_targets_each_by_itself():
    """The first goes by one logit, the second by the other, and both may be there."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, (40, 2))
    logits = 6 * labels - 3 + generator.normal(0, 1, labels.shape)
    model = start_model(2, 2)
    identity = make_identity(2)
    start_heads(model, logits, labels, identity)
    kernel, _ = model.get_layer("logits").get_weights()
    np.testing.assert_array_equal(kernel > 0, np.eye(2))
    with pytest.raises(ValueError, match=r"not in others\. Received: .*\[40, \d+\] of 40"):
        start_heads(model, logits, np.column_stack([np.ones(40), labels[:, 1]]), identity)


def test_three_classes_take_their_own_targets():
    logits = np.repeat(np.array([[-4.0, -4.0], [4.0, -4.0], [-4.0, 4.0]]), 5, axis=0)
    logits += np.random.default_rng(0).normal(0, 1, logits.shape)
    kernel, _ = start(logits, [0] * 5 + [1] * 5 + [2] * 5)
    np.testing.assert_array_equal(kernel > 0, [[False, True, False], [False, False, True]])


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
    head = model.get_layer("scale3_maps" if pretrained.pooling == "soft" else "scale3_logits")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(head.kernel), pretrained.kernels[2])


def go_on(pretrained, views, scales=3, seed=5):
    model = mscam_tf.build_multiscale_classifier(
        2, (32, 32), backbone=make_backbone(), scales=scales, views=views
    )
    go_on_from(randomize(model, seed), pretrained, views)
    return model


def keep(model, views=("global",)):
    """Return the weights of a classifier as pretrained ones are kept."""
    heads = mscam_tf.models.find_heads(model).heads
    return Pretrained(
        ("bone", "wire"),
        {
            f"{layer.name}/{variable.name}": keras.ops.convert_to_numpy(variable)
            for layer in model.get_layer("backbone").layers
            for variable in layer.weights
        },
        tuple(keras.ops.convert_to_numpy(head.dense.kernel) for head in heads),
        tuple(keras.ops.convert_to_numpy(head.dense.bias) for head in heads),
        model.get_layer("relevance").get_relevance(),
        views=views,
    )


@pytest.mark.parametrize("views", [("global",), ("global", 6.0, 2.0), (6.0, "global", 2.0)])
def test_what_goes_on_says_the_same_with_more_views(views):
    model = build()
    model.get_layer("relevance").set_relevance(np.array([[0.2, 0.5], [0.3, 0.3], [0.5, 0.2]]))
    images, _ = make_data(6)
    found = go_on(keep(model), views).predict(images, verbose=0)
    np.testing.assert_allclose(found, model.predict(images, verbose=0), rtol=1e-3, atol=1e-3)


def test_heads_at_finer_scales_begin_anew_and_count_little():
    kept = keep(build())
    coarse = Pretrained(
        kept.targets,
        kept.backbone,
        kept.kernels[1:],
        kept.biases[1:],
        np.array([[0.4, 0.5], [0.6, 0.5]], np.float32),
    )
    model = go_on(coarse, ("global",))
    relevance = model.get_layer("relevance").get_relevance()
    np.testing.assert_allclose(relevance, np.array([[0.05, 0.05], [0.4, 0.5], [0.6, 0.5]]) / 1.05)
    dense = mscam_tf.models.find_heads(model).heads[1].dense
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(dense.kernel), kept.kernels[1])


def test_views_of_other_weights_are_refused():
    kept = keep(build(), views=("global", 6.0, 2.0))
    with pytest.raises(MscamError, match="same views, or from 'global' alone"):
        go_on(kept, ("global", 4.0, 2.0))
