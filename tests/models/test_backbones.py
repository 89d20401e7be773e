import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from mscam_tf import MscamError
from mscam_tf.models.backbones import build_feature_extractor
from tests.conftest import make_backbone, randomize
from tests.hostile import link_elsewhere

pytestmark = pytest.mark.backends


@pytest.mark.parametrize(
    ("name", "taps"),
    [
        ("DenseNet121", ["pool3_relu", "pool4_relu", "relu"]),
        ("DenseNet169", ["pool3_relu", "pool4_relu", "relu"]),
        ("DenseNet201", ["pool3_relu", "pool4_relu", "relu"]),
        ("ResNet50V2", ["conv3_block4_preact_relu", "conv4_block6_preact_relu", "post_relu"]),
        (
            "EfficientNetV2B0",
            ["block4a_expand_activation", "block6a_expand_activation", "top_activation"],
        ),
        ("MobileNetV2", ["block_6_expand_relu", "block_13_expand_relu", "out_relu"]),
    ],
)
def test_default_taps(name, taps):
    extractor, names = build_feature_extractor(name)
    assert names == taps
    shapes = extractor.compute_output_shape((1, 64, 96, 3))
    assert [shape[1:3] for shape in shapes] == [(8, 12), (4, 6), (2, 3)]


def test_raw_block_outputs_are_taps_too():
    taps = ["conv3_block12_concat", "conv4_block24_concat", "conv5_block16_concat"]
    extractor, _ = build_feature_extractor("DenseNet121", taps)
    assert [output.shape[-1] for output in extractor.outputs] == [512, 1024, 1024]


def test_no_backbone():
    with pytest.raises(MscamError, match=r"mscam_tf\.list_backbones.*Received: backbone=3"):
        build_feature_extractor(3)
    vectors = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="vectors")
    with pytest.raises(MscamError, match=r"Received: backbone='vectors' with .*None, 3"):
        build_feature_extractor(vectors)


def test_momentum_of_named_backbones_only():
    def momenta(extractor):
        kind = keras.layers.BatchNormalization
        return {layer.momentum for layer in extractor.layers if isinstance(layer, kind)}

    assert momenta(build_feature_extractor("MobileNetV2")[0]) == {0.95}
    assert momenta(build_feature_extractor("MobileNetV2", batch_norm_momentum=None)[0]) == {0.999}
    assert momenta(build_feature_extractor(make_backbone())[0]) == {0.99}


def test_weights_from_a_file(tmp_path):
    source = randomize(make_backbone())
    source.save_weights(tmp_path / "tiny.weights.h5")
    source.save(tmp_path / "tiny.keras")
    for name in ("tiny.weights.h5", "tiny.keras"):
        copy, _ = build_feature_extractor(make_backbone(), weights=tmp_path / name)
        for a, b in zip(source.get_weights(), copy.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_weights_file_that_does_not_fit(tmp_path):
    (tmp_path / "noise.weights.h5").write_bytes(b"noise")
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save(tmp_path / "other.keras")
    for name in ("noise.weights.h5", "other.keras"):
        with pytest.raises(ValueError, match=f"does not fit(.|\n)*{name}"):
            build_feature_extractor(make_backbone(), weights=tmp_path / name)
    with pytest.raises(ValueError, match=r"existing file(.|\n)*missing\.h5"):
        build_feature_extractor(make_backbone(), weights=tmp_path / "missing.h5")


@pytest.mark.parametrize("version", ["2.15.0", b"2.4.3"])
@pytest.mark.parametrize("name", ["old.keras", "old.h5"])
def test_what_keras_2_wrote_is_said_to_be_so(tmp_path, name, version):
    text = version if isinstance(version, str) else version.decode()
    if name.endswith(".keras"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": text}))
            archive.writestr("config.json", "{}")
    else:
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["model_config"] = "{}"
            weights = file.create_group("model_weights")
            weights.attrs["layer_names"] = [b"dense"]
            weights.attrs["keras_version"] = version
            weights.create_group("dense").attrs["weight_names"] = [b"dense/kernel:0"]
    with pytest.raises(MscamError, match=rf"Keras {text} \(tf_keras\) wrote it.*Received.*{name}"):
        build_feature_extractor(make_backbone(), weights=tmp_path / name)


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras says it before it refuses.
def test_the_file_of_another_kind_is_said_to_be_so(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save_weights(tmp_path / "a.weights.h5")
    (tmp_path / "a.weights.h5").rename(tmp_path / "a.keras")
    with h5py.File(tmp_path / "checkpoint.weights.h5", "w") as file:
        file.create_group("_layer_checkpoint_dependencies")
    with h5py.File(tmp_path / "whole.h5", "w") as file:
        file.attrs.update({"model_config": "{}", "keras_version": "3.5.0"})
        file.create_group("model_weights").attrs["layer_names"] = [b"dense"]
    (tmp_path / "noise.keras").write_bytes(b"noise")
    for name, message in (
        ("a.keras", "an HDF5 file"),
        ("checkpoint.weights.h5", r"Keras 2\.13 or later"),
        ("whole.h5", "a whole model"),
        ("noise.keras", "no `.keras` file"),
    ):
        with pytest.raises(MscamError, match=f"{message}.*Received: weights='.*{name}"):
            build_feature_extractor(make_backbone(), weights=tmp_path / name)


def test_imagenet_without_network_says_which_file_to_place(monkeypatch, tmp_path):
    def fail(**arguments):
        if arguments["weights"] == "imagenet":
            raise Exception("URL fetch failure on https://host/a/tiny_notop.h5: None -- refused")

    monkeypatch.setattr(keras.applications, "MobileNetV2", fail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(OSError, match=r"tiny_notop\.h5 elsewhere and place it at .*models"):
        build_feature_extractor("MobileNetV2", weights="imagenet")


def test_imagenet_weights_of_a_registered_backbone():
    with pytest.raises(MscamError, match=r"backbone='TinyNet', weights='imagenet'"):
        build_feature_extractor("TinyNet", weights="imagenet")


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras says it before it refuses.
def test_a_weights_file_that_links_elsewhere_is_refused(tmp_path):
    """Keras' own guard: without it, numbers of any HDF5 file would be read as weights."""
    source = make_backbone()
    source.save_weights(tmp_path / "tiny.weights.h5")
    link_elsewhere(tmp_path / "tiny.weights.h5", "layers/conv2d/vars/0")
    with pytest.raises(MscamError, match=r"does not fit(.|\n)*ExternalLink(.|\n)*Received"):
        build_feature_extractor(make_backbone(), weights=tmp_path / "tiny.weights.h5")
