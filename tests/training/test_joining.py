import keras
import pytest

import mscam_tf
from mscam_tf import MscamError, TrainConfig
from mscam_tf.training import open_team


def test_wrong_words_and_other_backends_are_refused():
    with pytest.raises(MscamError, match="`devices` must be one of 'one', 'all', 'cluster'"):
        open_team("alll")
    if keras.backend.backend() != "jax":
        message = r"KERAS_BACKEND=jax. Received: devices='cluster' with the backend 'tensorflow'"
        with pytest.raises(MscamError, match=message):
            open_team("cluster")


def test_a_training_on_several_devices_is_refused_before_it_begins(image_folder, tmp_path):
    manifest = mscam_tf.read_manifest(image_folder)
    with pytest.raises(MscamError, match="Several devices need the JAX backend"):
        mscam_tf.train(manifest, tmp_path / "run", TrainConfig(), devices="all")
    assert not (tmp_path / "run").exists()
