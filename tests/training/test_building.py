import keras
import pytest

import mscam_tf
from mscam_tf import MscamError, TrainConfig
from mscam_tf.training import check_config

TINY = {"backbone": "TinyNet", "image_size": (32, 32)}
WRONG = [
    ({"backbone": "TinyNett"}, r"`backbone` must be .*Did you mean 'TinyNet'\? Received: .*Nett'"),
    (
        {**TINY, "taps": ("relu9",)},
        r"(?s)named 'relu9'.*Did you mean 'relu.'.*Received: taps='relu9'",
    ),
    ({**TINY, "scales": 1000}, r"scales.*1000"),
    ({**TINY, "views": ("global", "global")}, r"`views` must be one view, or .*Received: views="),
    ({**TINY, "views": (4.0, 4.0, 4.0)}, r"`views` must be one view, or .*Received: views="),
    (
        {**TINY, "epochs": 2, "frozen_epochs": 2},
        r"must be less than `epochs`.*--tune heads.*Received: frozen_epochs=2, epochs=2",
    ),
    ({**TINY, "weights": "no.weights.h5"}, r"existing file.*Received: weights='no\.weights\.h5'"),
    ({**TINY, "weights": "xray"}, r"DenseNet121 alone\. Received: backbone='TinyNet'"),
]


@pytest.fixture
def unread(tmp_path):
    """Give a manifest whose images must not be opened: they are not there."""
    samples = [
        mscam_tf.Sample(f"{number}.png", "ab"[number % 2], str(number)) for number in range(20)
    ]
    return mscam_tf.Manifest(tmp_path, tuple(samples))


@pytest.mark.parametrize(("settings", "message"), WRONG)
def test_wrong_names_fail_before_any_image_is_opened(unread, tmp_path, settings, message):
    config = TrainConfig(**settings)
    for check in (
        lambda: mscam_tf.train(unread, tmp_path / "run", config),
        lambda: check_config(config),
    ):
        with pytest.raises(MscamError, match=message):
            check()
    assert not (tmp_path / "run").exists()


def test_a_missing_description_of_weights_fails_early(unread, tmp_path):
    (tmp_path / "weights.npz").write_bytes(b"weights")
    config = TrainConfig(weights=str(tmp_path / "weights.npz"), **TINY)
    with pytest.raises(OSError, match=r"there is no weights\.json"):
        mscam_tf.train(unread, tmp_path / "run", config)


def test_layers_without_a_name_of_their_own_are_numbered_from_the_start(unread, tmp_path):
    """Keras numbers layers on from model to model; taps name those of the first."""
    keras.applications.InceptionV3(include_top=False, weights=None)
    config = TrainConfig(backbone="InceptionV3", taps=("activation_93",))
    with pytest.raises(mscam_tf.ImageError):
        mscam_tf.train(unread, tmp_path / "run", config)
