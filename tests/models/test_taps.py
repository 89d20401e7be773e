import keras
import pytest

from mscam_tf import default_taps, list_taps
from mscam_tf.models.backbones import build_feature_extractor
from tests.conftest import make_backbone

pytestmark = pytest.mark.backends


def test_list_taps_of_your_own_backbone():
    taps = list_taps(make_backbone())
    assert [(tap.name, tap.stride, tap.channels) for tap in taps] == [
        ("relu1", 2, 4),
        ("relu2", 4, 6),
        ("relu3", 8, 8),
    ]
    assert default_taps(make_backbone(), 2) == ["relu2", "relu3"]


def test_strides_of_a_backbone_of_fixed_size():
    taps = list_taps(make_backbone(size=(40, 24)))
    assert [(tap.name, tap.stride) for tap in taps] == [("relu1", 2), ("relu2", 4), ("relu3", 8)]


def test_wrong_tap_lists_the_taps_there_are():
    with pytest.raises(
        ValueError, match=r"named 'relu9'.*'relu.'\?.*\n(.|\n)*4: relu2(.|\n)*Received"
    ):
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
