import numpy as np
import pytest

import mscam_tf


def test_tensorflow_alone_runs_a_saved_model(export):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(export("savedmodel").file))
    outputs = loaded.signatures["serving_default"](image=np.zeros((3, 64, 64, 1), np.float32))
    assert {name: tuple(values.shape) for name, values in outputs.items()} == {
        "logits": (3, 2),
        "probabilities": (3, 2),
        "contributions": (3, 3, 2),
        "maps": (3, 64, 64, 2),
    }


def test_litert_takes_one_size(finished_run, tmp_path):
    with pytest.raises(mscam_tf.MscamError, match=r"one size. Received: free_size=True"):
        mscam_tf.export_run(finished_run, tmp_path / "export", "litert", free_size=True)
    assert not (tmp_path / "export").exists()
