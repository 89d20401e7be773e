import keras
import numpy as np
import pytest

from mscam_tf.fitting import compile_classifier


@pytest.mark.parametrize("several", [False, True])
def test_a_step_is_traced_once(several):
    """A variable that is made within the first step would cost a second trace."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    compile_classifier(model, 1e-3, several=several)
    step, traced = model.train_step, []
    model.train_step = lambda data: traced.append(1) or step(data)
    images = np.zeros((4, 4), np.float32)
    labels = np.zeros((4, 2) if several else 4)
    model.fit(images, labels, batch_size=2, verbose=0)
    assert len(traced) == 1
    assert "accuracy" in model.history.history
