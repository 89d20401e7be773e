from pathlib import Path

import pytest

from mscam_tf import TrainConfig


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("xray", 0)),
        ({"backbone": "MobileNetV2"}, (None, 0)),
        ({"weights": None}, (None, 0)),
        ({"weights": "none"}, (None, 0)),
        ({"weights": "imagenet"}, ("imagenet", 3)),
        ({"weights": Path("own/weights.npz")}, ("own/weights.npz", 0)),
        ({"weights": "own/weights.npz"}, ("own/weights.npz", 0)),
        ({"weights": "own.keras", "frozen_epochs": 1}, ("own.keras", 1)),
    ],
)
def test_what_depends_on_the_start(given, expected):
    config = TrainConfig(**given).resolve()
    assert (config.weights, config.frozen_epochs) == expected
    assert config.resolve() == config


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "singel"}, "Did you mean 'single'.* Received: model='singel'"),
        ({"weights": "xary"}, r"`weights` must be .*Did you mean 'xray'\? Received: .*'xary'"),
        ({"taps": "relu"}, "`taps` must be a tuple of different names.* Received: taps='relu'"),
        ({"taps": ("a", "b", "a")}, r"`taps` must be .* different .*Received: .*'a', 'b', 'a'"),
        ({"learning_rate": float("inf")}, "`learning_rate` must be .* Received: .*inf"),
        ({"precision": "int8"}, "`precision` must be one of .*'int8'"),
        (
            {"deep_supervision": -1.0},
            "`deep_supervision` must be .* Received: deep_supervision=-1.0",
        ),
        ({"deep_supervision": float("nan")}, "`deep_supervision` must be .* Received: .*nan"),
        ({"dropout": 1.5}, "`dropout` must be .* below 1. Received: dropout=1.5"),
        ({"image_size": (64, 16)}, "each a whole number of at least 32 and at most 16384.*16"),
        ({"image_size": (100_000, 64)}, "at most 16384. Received: .*100000"),
        ({"window_percentiles": (5, 5)}, "`window_percentiles` must be .* Received: .*5, 5"),
        ({"epochs": 0}, "`epochs` must be a whole number of at least 1. Received: epochs=0"),
    ],
)
def test_wrong_settings(arguments, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**arguments)


@pytest.mark.parametrize(
    ("settings", "frozen"),
    [
        ({}, 0),
        ({"taps": ("relu",)}, 3),
        ({"taps": ("relu",), "tune": "auto"}, 0),
        ({"unit_norm_heads": True}, 3),
        ({"unit_norm_heads": True, "epochs": 2}, 1),
        ({"weights": None}, 0),
    ],
)
def test_a_backbone_is_frozen_where_heads_cannot_start_as_pretrained(settings, frozen):
    assert TrainConfig(**settings).resolve().frozen_epochs == frozen
