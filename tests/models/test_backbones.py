import keras
import numpy as np
import pytest

from mscam_tf import default_taps, list_taps
from mscam_tf.models.backbones import build_feature_extractor
from tests.conftest import make_backbone, randomize

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


def test_list_taps_of_your_own_backbone():
    taps = list_taps(make_backbone())
    assert [(tap.name, tap.stride, tap.channels) for tap in taps] == [
        ("relu1", 2, 4),
        ("relu2", 4, 6),
        ("relu3", 8, 8),
    ]
    assert default_taps(make_backbone(), 2) == ["relu2", "relu3"]


def test_raw_block_outputs_are_taps_too():
    taps = ["conv3_block12_concat", "conv4_block24_concat", "conv5_block16_concat"]
    extractor, _ = build_feature_extractor("DenseNet121", taps)
    assert [output.shape[-1] for output in extractor.outputs] == [512, 1024, 1024]


def test_wrong_tap_lists_the_taps_there_are():
    with pytest.raises(ValueError, match=r"named 'relu9'.*relu1.*\n(.|\n)*4: relu2(.|\n)*Received"):
        build_feature_extractor(make_backbone(), ["relu9"])


@pytest.mark.parametrize(
    ("name", "strides"),
    [("MobileNetV3Small", [8, 16, 32]), ("InceptionV3", [8, 16, 32]), ("VGG16", [4, 8, 16])],
)
def test_other_applications_have_default_taps_too(name, strides):
    model = getattr(keras.applications, name)(include_top=False, weights=None)
    by_name = {tap.name: tap.stride for tap in list_taps(model)}
    assert [by_name[tap] for tap in default_taps(model)] == strides


def test_too_few_strides():
    with pytest.raises(ValueError, match="activations at 3 strides"):
        default_taps(make_backbone(), 4)


def test_unknown_backbone_lists_the_names():
    with pytest.raises(ValueError, match=r"DenseNet121.*Received: backbone='DenseNet12'"):
        build_feature_extractor("DenseNet12")
    with pytest.raises(ValueError, match="functional"):
        build_feature_extractor(3)


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


def test_imagenet_without_network_says_which_file_to_place(monkeypatch, tmp_path):
    def fail(**arguments):
        if arguments["weights"] == "imagenet":
            raise Exception("URL fetch failure on https://host/a/tiny_notop.h5: None -- refused")

    monkeypatch.setattr(keras.applications, "MobileNetV2", fail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(OSError, match=r"tiny_notop\.h5 elsewhere and place it at .*models"):
        build_feature_extractor("MobileNetV2", weights="imagenet")
