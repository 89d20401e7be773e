from dataclasses import dataclass, fields, is_dataclass
from typing import get_type_hints

import pytest

from mscam_tf import MscamError, ReadOptions, Tiling, TrainConfig
from mscam_tf.experiments import ReproductionConfig
from mscam_tf.pretraining import PretrainConfig
from mscam_tf.settings import check_setting, check_settings_of, find_rule, suggest
from mscam_tf.simulation import Plan, SimulationConfig

CONFIGS = (
    *(TrainConfig, PretrainConfig, SimulationConfig, Plan, ReproductionConfig),
    *(Tiling, ReadOptions),
)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_setting_has_a_rule_that_its_default_keeps(config):
    hints = get_type_hints(config)
    for field in fields(config):
        if not is_dataclass(hints[field.name]):
            assert str(find_rule(field.name, config))
    config()


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_number_may_be_nan_or_infinite(config, value):
    numbers = [name for name, hint in get_type_hints(config).items() if hint in (int, float)]
    for name in numbers:
        with pytest.raises(MscamError, match=f"`{name}` must be .* Received: {name}={value}"):
            config(**{name: value})


def test_a_word_that_is_nearly_right_is_named():
    with pytest.raises(MscamError, match=r"Did you mean 'softmax'\? Received: .*'sotfmax'"):
        check_setting("normalization", "sotfmax")
    with pytest.raises(MscamError, match=r"'mixed_bfloat16'\. Received: precision='int8'"):
        check_setting("precision", "int8")
    assert suggest("DENSENET121", ["VGG16", "DenseNet121"]) == " Did you mean 'DenseNet121'?"


def test_none_is_allowed_where_the_annotation_says_so():
    @dataclass
    class Plain:
        epochs: int | None = None
        patience: int = 1

    check_settings_of(Plain())
    check_settings_of(Plain(epochs=2))
    with pytest.raises(MscamError, match=r"`epochs` must be .* Received: epochs=0"):
        check_settings_of(Plain(epochs=0))
    with pytest.raises(MscamError, match="Received: patience=None"):
        check_settings_of(Plain(patience=None))


def test_a_name_that_stands_for_two_things_has_two_rules():
    assert TrainConfig(pooling="auto").pooling == "auto"
    with pytest.raises(MscamError, match=r"`pooling` must be one of 'mean', 'soft'\."):
        check_setting("pooling", "auto")
    with pytest.raises(MscamError, match="at least 32"):
        TrainConfig(image_size=(16, 64))
    assert SimulationConfig(image_size=(16, 64)).image_size == (16, 64)
