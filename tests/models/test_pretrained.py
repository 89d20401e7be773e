import hashlib
import json

import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import mscam_tf
from mscam_tf.models import load_pretrained, parse_weights, read_pretrained, write_pretrained
from mscam_tf.simulation import simulate_batch
from tests.conftest import make_backbone, randomize

pytestmark = pytest.mark.backends


@pytest.fixture
def classifier():
    return randomize(mscam_tf.build_multiscale_classifier(2, (32, 32), backbone=make_backbone()))


@pytest.fixture
def written(classifier, tmp_path):
    classifier.get_layer("relevance").set_relevance([[0.5, 0.125], [0.25, 0.25], [0.25, 0.625]])
    path = tmp_path / "weights.npz"
    write_pretrained(classifier, path, ["bone", "wire"], {"steps": 3})
    return path


def test_weights_come_back_within_half_precision(classifier, written):
    found = read_pretrained(written)
    assert found.targets == ("bone", "wire")
    kernel = classifier.get_layer("scale2_logits").get_weights()[0]
    np.testing.assert_allclose(found.kernels[1], kernel, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(found.relevance[:, 1], [0.125, 0.25, 0.625])
    assert {array.dtype for array in found.backbone.values()} == {np.dtype("float32")}
    assert json.loads(written.with_suffix(".json").read_text())["recipe"] == {"steps": 3}


def test_the_range_of_the_maps_comes_back(classifier, written):
    assert read_pretrained(written).display is None
    write_pretrained(classifier, written, ["bone", "wire"], {"steps": 3}, (-2.5, 4))
    assert read_pretrained(written).display == (-2.5, 4.0)


def test_a_backbone_takes_them_all(classifier, written):
    other = make_backbone()
    read_pretrained(written).copy_to(other)
    expected = classifier.get_layer("backbone").get_weights()
    for value, wanted in zip(other.get_weights(), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-3, atol=1e-6)


def test_another_backbone_is_refused(written):
    with pytest.raises(
        ValueError, match=r"fit the backbone DenseNet121 alone\. Received: .*conv1/kernel"
    ):
        read_pretrained(written).copy_to(make_backbone(channels=1))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"sha256": "HASH"}'])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    """Also where its hash is right."""
    path = tmp_path / "weights.npz"
    path.write_bytes(b"no archive")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(text.replace("HASH", digest))
    with pytest.raises(OSError, match=r"weights\.npz, or the \.json beside it"):
        read_pretrained(path)


def test_a_damaged_file_is_refused(written):
    content = bytearray(written.read_bytes())
    content[len(content) // 2] ^= 1
    written.write_bytes(content)
    with pytest.raises(OSError, match=r"weights\.npz is damaged.*Expected: SHA-256.*Received: "):
        read_pretrained(written)


def test_a_missing_description_is_named(written):
    written.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match=r"weights\.npz, but there is no weights\.json"):
        read_pretrained(written)


@pytest.mark.parametrize("value", [np.nan, 1e6])
def test_weights_that_do_not_fit_are_not_written(classifier, tmp_path, value):
    classifier.get_layer("scale1_logits").bias.assign([0, value])
    with pytest.raises(ValueError, match=r"float16\. Received: scale1/bias"):
        write_pretrained(classifier, tmp_path / "weights.npz", ["bone", "wire"], {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "views", "scales"),
    [
        ("xray", ("global", 12.0, 4.0), 4),
        ("xray-2", ("global", 12.0, 4.0), 4),
        ("xray-1", ("global",), 3),
    ],
)
def test_the_embedded_files_are_small_and_say_what_they_saw(name, views, scales):
    weights = parse_weights(name)
    assert weights.path.stat().st_size <= 16e6
    found = weights.read()
    assert (found.targets[0], found.views, len(found.kernels)) == ("bone", views, scales)
    assert found.display[0] < 0 < found.display[1]


@pytest.mark.slow
def test_the_embedded_model_sees_bones():
    """A changed preprocessing or tap would leave it blind."""
    batch = simulate_batch((128, 128), 64, 32, seed=10**6, step=10**3)
    logits = mscam_tf.build_pretrained_classifier((128, 128)).predict(batch.images, verbose=0)
    assert roc_auc_score(batch.targets[:, 0], logits[:, 0]) > 0.7


@pytest.mark.parametrize("build", ["multiscale", "single_scale"])
def test_both_builders_take_the_embedded_weights(build):
    model = getattr(mscam_tf, f"build_{build}_classifier")(3, (64, 64), weights="xray")
    layer = model.get_layer("backbone").get_layer("conv4_block3_2_conv")
    expected = load_pretrained().backbone["conv4_block3_2_conv/kernel"]
    np.testing.assert_array_equal(layer.get_weights()[0], expected)
    keras.backend.clear_session()


def test_other_applications_are_refused():
    with pytest.raises(ValueError, match=r"fit the backbone DenseNet121 alone\. Received: "):
        mscam_tf.build_multiscale_classifier(2, backbone="MobileNetV2", weights="xray")
