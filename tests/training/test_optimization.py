import keras
import numpy as np
import pytest

from mscam_tf import MscamError
from mscam_tf.models import RelevanceCombine
from mscam_tf.runs import OneLabel, SeveralFindings
from mscam_tf.training import compile_classifier, make_schedule
from mscam_tf.training.deep_supervision import show_heads


@pytest.mark.parametrize("task", [OneLabel, SeveralFindings])
def test_a_step_is_traced_once(task):
    """A variable that is made within the first step would cost a second trace."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    compile_classifier(model, 1e-3, task=task)
    step, traced = model.train_step, []
    model.train_step = lambda data: traced.append(1) or step(data)
    images = np.zeros((4, 4), np.float32)
    labels = np.zeros(4 if task.exclusive else (4, 2))
    model.fit(images, labels, batch_size=2, verbose=0)
    assert len(traced) == 1
    assert "accuracy" in model.history.history


def build_heads(relevance=(0.5, 0.25)):
    """Three classes, and two heads that pass on the inputs as they are, but trainable."""
    inputs = keras.Input((6,))
    parts = (inputs[:, :3], inputs[:, 3:])
    heads = [
        keras.layers.Dense(3, kernel_initializer="identity", name=f"head{scale}")(part)
        for scale, part in enumerate(parts, 1)
    ]
    layer = RelevanceCombine(name="relevance")
    model = keras.Model(inputs, layer(heads))
    layer.set_relevance(np.repeat(np.array(relevance)[:, None], 3, 1))
    return model


def cross_entropy(logits, label):
    return np.log(np.exp(logits).sum()) - logits[label]


FIRST, SECOND = np.array([1.0, 2.0, 0.0]), np.array([3.0, 0.0, -1.0])
MIXED = 0.5 * FIRST + 0.25 * SECOND
IMAGE = np.concatenate([FIRST, SECOND])[None].astype(np.float32)
PENALTY = 3 * (1 - 0.75) ** 2  # Of three classes, once.


@pytest.mark.backends
def test_deep_supervision_adds_the_loss_of_each_head():
    model = show_heads(build_heads())
    compile_classifier(model, 0.0, deep_supervision=0.25)
    logits = model.predict(IMAGE, verbose=0)[0]
    np.testing.assert_allclose(logits, np.stack([MIXED, FIRST, SECOND], -1), rtol=1e-5, atol=1e-6)
    found = model.evaluate(IMAGE, np.array([0]), verbose=0, return_dict=True)
    parts = [cross_entropy(z, 0) for z in (MIXED, FIRST, SECOND)]
    expected = parts[0] + 0.25 * (parts[1] + parts[2]) + PENALTY
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    assert found["accuracy"] == 1.0  # Of the mixed logits: the first head alone is wrong.


@pytest.mark.backends
def test_deep_supervision_of_several_findings():
    model = show_heads(build_heads())
    compile_classifier(model, 0.0, task=SeveralFindings, deep_supervision=0.25)
    label = np.array([1.0, 0.0, 1.0])
    found = model.evaluate(IMAGE, label[None], verbose=0, return_dict=True)
    parts = [np.mean(np.log1p(np.exp(z)) - label * z) for z in (MIXED, FIRST, SECOND)]
    expected = parts[0] + 0.25 * (parts[1] + parts[2]) + PENALTY
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    assert found["accuracy"] == pytest.approx(1 / 3)  # The mixed ones: 1.25, 1, -0.25.


@pytest.mark.backends
def test_deep_supervision_heeds_the_weights_of_images():
    model = show_heads(build_heads((0.5, 0.5)))
    compile_classifier(model, 0.0, deep_supervision=1.0)
    images = np.array([[9, 0, 0, 9, 0, 0], [0, 0, 0, 0, 0, 0]], np.float32)
    weights = np.array([0.0, 2.0])
    found = model.evaluate(images, np.array([1, 0]), sample_weight=weights, verbose=0)
    assert found[0] == pytest.approx(3 * np.log(3), rel=1e-5)


@pytest.mark.backends
@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_deep_supervision_teaches_a_head_that_is_not_mixed_in(weight):
    model = build_heads((1.0, 0.0))
    trainer = show_heads(model) if weight else model
    before = keras.ops.convert_to_numpy(model.get_layer("head2").kernel).copy()
    compile_classifier(trainer, 0.01, deep_supervision=weight, weight_decay=0.0)
    trainer.fit(IMAGE, np.array([1]), epochs=1, verbose=0)
    after = keras.ops.convert_to_numpy(model.get_layer("head2").kernel)
    assert np.array_equal(before, after) == (weight == 0)


@pytest.mark.backends
def test_a_model_of_one_scale_shows_its_head():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, RelevanceCombine(name="relevance")([inputs]))
    assert show_heads(model).output_shape == (None, 3, 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e-3, 10**400])
@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "deep_supervision"])
def test_no_number_may_be_nan_infinite_or_negative(name, value):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    with pytest.raises(MscamError, match=f"`{name}` must be a number of at least 0"):
        compile_classifier(model, **{"learning_rate": 0.1, name: value})


def test_a_schedule_has_a_rate_above_zero():
    with pytest.raises(MscamError, match="`learning_rate` must be a number above 0"):
        make_schedule(float("nan"), 10)
