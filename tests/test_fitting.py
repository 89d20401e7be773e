import keras
import numpy as np
import pytest

from mscam_tf.fitting import compile_classifier, show_heads
from mscam_tf.layers import RelevanceCombine


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


def build_heads():
    """Three classes and two heads that pass on the inputs as they are."""
    inputs = keras.Input((6,))
    combined = RelevanceCombine(name="relevance")([inputs[:, :3], inputs[:, 3:]])
    return keras.Model(inputs, combined)


def cross_entropy(logits, label):
    return np.log(np.exp(logits).sum()) - logits[label]


@pytest.mark.backends
def test_deep_supervision_adds_the_loss_of_each_head():
    model = show_heads(build_heads())
    compile_classifier(model, 0.0, deep_supervision=0.25)
    first, second = np.array([1.0, 2.0, 0.0]), np.array([3.0, 0.0, 0.0])
    images = np.concatenate([first, second])[None].astype(np.float32)
    np.testing.assert_allclose(
        model.predict(images, verbose=0)[0], np.stack([[2, 1, 0], first, second], -1)
    )
    found = model.evaluate(images, np.array([0]), verbose=0, return_dict=True)
    parts = [cross_entropy(z, 0) for z in (np.array([2.0, 1.0, 0.0]), first, second)]
    assert found["loss"] == pytest.approx(parts[0] + 0.25 * (parts[1] + parts[2]), rel=1e-5)
    assert found["accuracy"] == 1.0  # Of the mixed logits: the first head alone is wrong.


@pytest.mark.backends
def test_deep_supervision_of_several_findings_and_their_weights():
    model = show_heads(build_heads())
    compile_classifier(model, 0.0, several=True, deep_supervision=1.0)
    images = np.zeros((2, 6), np.float32)
    found = model.evaluate(images, np.eye(3)[:2], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(3 * np.log(2), rel=1e-5)
    assert found["accuracy"] == pytest.approx(2 / 3)


@pytest.mark.backends
def test_deep_supervision_heeds_the_weights_of_images():
    model = show_heads(build_heads())
    compile_classifier(model, 0.0, deep_supervision=1.0)
    images = np.array([[9, 0, 0, 9, 0, 0], [0, 0, 0, 0, 0, 0]], np.float32)
    weights = np.array([0.0, 2.0])
    found = model.evaluate(images, np.array([1, 0]), sample_weight=weights, verbose=0)
    assert found[0] == pytest.approx(3 * np.log(3), rel=1e-5)
