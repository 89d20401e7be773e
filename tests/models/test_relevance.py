import keras
import numpy as np
import pytest
from keras import ops
from keras.ops import convert_to_numpy as to_numpy

from mscam_tf import RelevanceCombine
from tests.harness import check_layer

pytestmark = pytest.mark.backends

FINE = np.array([[2.0, 0.0, -1.0]], "float32")
COARSE = np.array([[4.0, 6.0, 5.0]], "float32")


def build(**arguments):
    layer = RelevanceCombine(**arguments)
    layer.build([(None, 3), (None, 3)])
    return layer


def fit_relevance(layer, optimizer, steps, target=None):
    """Train the layer alone; without a target only the added loss acts."""
    inputs = [keras.Input((3,)), keras.Input((3,))]
    model = keras.Model(inputs, layer(inputs))
    loss = "mse" if target is not None else (lambda y, z: ops.zeros_like(z[:, 0]))
    model.compile(optimizer, loss)
    y = np.zeros((1, 3), "float32") if target is None else target
    return model.fit([FINE, COARSE], y, epochs=steps, verbose=0)


@pytest.mark.parametrize("normalization", ["penalty", "softmax"])
def test_starts_as_the_plain_mean(normalization):
    layer = build(normalization=normalization)
    np.testing.assert_allclose(layer.get_relevance(), np.full((2, 3), 0.5))
    np.testing.assert_allclose(to_numpy(layer([FINE, COARSE])), [[3.0, 3.0, 2.0]])


def test_combines_by_class():
    layer = build()
    layer.set_relevance([[0.25, 1.0, 0.5], [0.75, 0.0, 0.5]])
    # 0.25 * 2 + 0.75 * 4; 1 * 0 + 0 * 6; 0.5 * -1 + 0.5 * 5
    np.testing.assert_allclose(to_numpy(layer([FINE, COARSE])), [[3.5, 0.0, 2.0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    # Sums over the scales are 0.5, 1 and 1.75: what is missing to one is 0.5, 0 and -0.75.
    [("squared", 2 * (0.25 + 0.5625)), ("absolute", 2 * 1.25), ("signed", 2 * -0.25)],
)
def test_added_loss_by_hand(penalty, expected):
    layer = build(penalty=penalty, penalty_weight=2.0)
    layer.set_relevance([[0.2, 0.4, 0.75], [0.3, 0.6, 1.0]])
    layer([FINE, COARSE])
    np.testing.assert_allclose(to_numpy(layer.losses[0]), expected, rtol=1e-5)


def test_softmax_adds_no_loss_and_is_convex():
    layer = build(normalization="softmax", rate=2.0)
    layer.relevance_weights.assign([[np.log(3.0) / 2, 0.0, -5.0], [0.0, 0.0, 5.0]])
    layer([FINE, COARSE])
    assert layer.losses == []
    np.testing.assert_allclose(layer.get_relevance()[:, 0], [0.75, 0.25], rtol=1e-6)
    np.testing.assert_allclose(layer.get_relevance().sum(0), np.ones(3), rtol=1e-6)


@pytest.mark.slow
def test_signed_penalty_drives_every_weight_to_one_and_squared_does_not():
    # SGD at 0.01 with rate 1: each signed step adds 0.01 to every weight, whatever the sum.
    signed = RelevanceCombine(penalty="signed", rate=1.0)
    fit_relevance(signed, keras.optimizers.SGD(0.01), steps=10)
    np.testing.assert_allclose(signed.get_relevance(), np.full((2, 3), 0.6), atol=1e-5)
    fit_relevance(signed, keras.optimizers.SGD(0.01), steps=60)
    np.testing.assert_allclose(signed.get_relevance().sum(0), np.full(3, 2.0), atol=1e-5)

    squared = RelevanceCombine(penalty="squared", rate=1.0)
    squared.build([(None, 3), (None, 3)])
    squared.set_relevance(np.full((2, 3), 0.9))
    fit_relevance(squared, keras.optimizers.SGD(0.1), steps=40)
    np.testing.assert_allclose(squared.get_relevance().sum(0), np.ones(3), atol=1e-3)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_weights_stay_between_zero_and_one(sign):
    layer = RelevanceCombine()
    target = np.full((1, 3), sign * 1e3, "float32")
    fit_relevance(layer, keras.optimizers.Adam(0.05), steps=30, target=target)
    relevance = layer.get_relevance()
    assert relevance.min() >= 0.0
    assert relevance.max() <= 1.0 + 1e-6
    assert np.isclose(relevance.max() if sign > 0 else relevance.min(), max(sign, 0.0))


@pytest.mark.slow
@pytest.mark.parametrize("normalization", ["penalty", "softmax"])
def test_rate_makes_the_relevance_move(normalization):
    target = np.array([[2.0, 6.0, 5.0]], "float32")  # Fine, coarse, coarse.
    moved = []
    for rate in (1.0, 10.0):
        layer = RelevanceCombine(normalization=normalization, rate=rate)
        fit_relevance(layer, keras.optimizers.Adam(3e-4), steps=50, target=target)
        moved.append(np.abs(layer.get_relevance() - 0.5).max())
    assert moved[0] < 0.02
    assert moved[1] > 5 * moved[0]


def test_plain_sgd_moves_the_relevance_by_the_square_of_the_rate():
    moved = []
    for rate in (1.0, 3.0):
        layer = RelevanceCombine(penalty="signed", rate=rate)
        fit_relevance(layer, keras.optimizers.SGD(0.01), steps=1)
        moved.append(layer.get_relevance()[0, 0] - 0.5)
    np.testing.assert_allclose(moved, [0.01, 0.09], rtol=1e-3)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX layers cannot update a metric")
def test_added_loss_is_shown_during_fit():
    layer = RelevanceCombine(penalty_weight=3.0)
    layer.build([(None, 3), (None, 3)])
    layer.set_relevance(np.full((2, 3), 0.25))
    history = fit_relevance(layer, keras.optimizers.SGD(0.0), steps=1).history
    np.testing.assert_allclose(history["relevance_penalty"], [3 * 3 * 0.25], rtol=1e-5)
    np.testing.assert_allclose(history["loss"], [3 * 3 * 0.25], rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_sums_in_float32_under_any_policy(policy):
    keras.config.set_dtype_policy(policy)
    # 2049 is no float16 and no bfloat16 number.
    logits = np.array([[2049.0, 0, 0]], "float32")
    assert to_numpy(build()([logits, logits]))[0, 0] == 2049.0


def test_one_scale_one_class_and_any_batch():
    layer = RelevanceCombine()
    x = np.array([[1.5], [-2.0], [0.25]], "float32")
    np.testing.assert_allclose(to_numpy(layer([x])), x)
    assert layer.get_relevance().tolist() == [[1.0]]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"normalization": "softmax", "penalty": "absolute", "penalty_weight": 0.5, "rate": 3.0}],
)
def test_stands_what_every_layer_must(tmp_path, arguments):
    def make():
        return RelevanceCombine(**arguments, name="mix")

    check_layer(make, [FINE, COARSE], tmp_path, trainable=1)
    assert arguments.items() <= make().get_config().items()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"normalization": "sum"}, r"`normalization` must be one of .* Received: .*'sum'"),
        ({"penalty": "cubic"}, r"`penalty` must be one of .* Received: penalty='cubic'"),
        ({"penalty_weight": -1}, r"`penalty_weight` must be a number of at least 0.*=-1"),
        ({"rate": 0}, r"`rate` must be a number above 0.*rate=0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        RelevanceCombine(**arguments)


@pytest.mark.parametrize(
    "shapes", [[(None, 3), (None, 4)], (None, 3), [(None, 3, 1), (None, 3, 1)], []]
)
def test_wrong_inputs(shapes):
    with pytest.raises(ValueError, match="Received: input_shape"):
        RelevanceCombine().build(shapes)
