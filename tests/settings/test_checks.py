import json
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import get_args, get_origin, get_type_hints

import numpy as np
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


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("learning_rate", 1e300, "inf"),
        ("learning_rate", 1e-60, "0"),
        ("dropout", 1 - 1e-12, "1"),
        ("batch_norm_momentum", 0.9999999999, "1"),
        ("weight_decay", np.float64(1e39), "inf"),
        ("penalty_weight", 3.5e38, "inf"),
    ],
)
def test_numbers_are_what_float32_makes_of_them(name, value, seen):
    """Models compute in it: a rate of 0 learns nothing, and a dropout of 1 drops everything."""
    with pytest.raises(MscamError, match=rf"In float32 it is {seen}\. Received: {name}="):
        check_setting(name, value)
    check_setting("window", (0, 1e38))
    check_setting("seed", 2**32 - 1)


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


def list_numbers(config):
    """List the settings of a class that are numbers, or pairs: name, whole or not, pair or not."""
    for name, hint in get_type_hints(config).items():
        for kind in dict.fromkeys((hint, *get_args(hint))):
            if kind in (int, float):
                yield name, getattr(find_rule(name, config), "whole", False), False
            elif get_origin(kind) is tuple and get_args(kind)[0] in (int, float):
                yield name, get_args(kind)[0] is int, True


ALL_NUMBERS = [(config, *found) for config in CONFIGS for found in list_numbers(config)]
BAD = [float("nan"), float("inf"), -float("inf"), np.float32("nan"), np.float64("inf")]
BAD += [10**400, -(10**400), True, "1", 1j, np.array([1.0, 2.0])]


def test_all_kinds_of_numbers_are_found():
    names = {(config.__name__, name) for config, name, *_ in ALL_NUMBERS}
    expected = {("TrainConfig", "window_percentiles"), ("ReadOptions", "window")}
    expected |= {("TrainConfig", "learning_rate"), ("Tiling", "empty"), ("Plan", "frame_groups")}
    expected |= {("SimulationConfig", "photons"), ("PretrainConfig", "image_size")}
    assert expected <= names
    assert len(names) > 40


@pytest.mark.parametrize(("config", "name", "whole", "pair"), ALL_NUMBERS)
def test_no_number_in_any_setting_may_be_nan_infinite_or_huge(config, name, whole, pair):
    bad = [*BAD, *([2.0] if whole else [])]
    for value in bad if not pair else [p for b in bad for p in ((b, 2), (1, b), [b, b], b)]:
        with pytest.raises(MscamError, match=f"`{name}` must be "):
            config(**{name: value})


def test_settings_become_plain_numbers():
    config = TrainConfig(
        epochs=np.int64(3), learning_rate=np.float32(0.5), several=1, image_size=[64, np.int32(96)]
    )
    plain = TrainConfig(epochs=3, learning_rate=0.5, several=True, image_size=(64, 96))
    assert config == plain
    assert json.dumps(asdict(config)) == json.dumps(asdict(plain))
    assert hash(config) == hash(plain)
    window = ReadOptions(window=[np.uint8(3), np.float32(4.5)]).window
    assert json.dumps(window) == "[3, 4.5]"
    views = TrainConfig(views=["global", np.float32(4.5), np.int64(12)]).views
    assert views == ("global", 4.5, 12)
    assert json.dumps(views) == '["global", 4.5, 12]'
