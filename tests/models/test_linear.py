import keras
import numpy as np
import pytest
from keras import layers
from keras.ops import convert_to_numpy as to_numpy

from mscam_tf.models.linear import count_outputs, explain_nonlinear, fold_layers, has_kernel
from tests.conftest import randomize

pytestmark = pytest.mark.backends

CHAINS = [
    lambda: [layers.Dense(3)],
    lambda: [layers.Dense(3, use_bias=False)],
    lambda: [layers.Dense(4), layers.Dense(3)],
    lambda: [layers.BatchNormalization(), layers.Dense(3)],
    lambda: [layers.Dense(3), layers.BatchNormalization(scale=False)],
    lambda: [
        layers.BatchNormalization(center=False),
        layers.BatchNormalization(),
        layers.Conv2D(4, 1),
        layers.BatchNormalization(),
        layers.Conv2D(3, 1, use_bias=False),
    ],
]


@pytest.mark.parametrize("make", CHAINS)
def test_one_kernel_does_what_the_chain_does(make):
    chain = make()
    model = randomize(keras.Sequential([keras.Input((1, 1, 2)), *chain]))
    kernel, bias = map(to_numpy, fold_layers(chain))
    assert (kernel.shape, bias.shape, count_outputs(chain)) == ((2, 3), (3,), 3)
    x = np.random.default_rng(0).normal(size=(5, 1, 1, 2)).astype("float32")
    expected = to_numpy(model(x, training=False))
    np.testing.assert_allclose(x @ kernel + bias, expected, rtol=1e-4, atol=1e-5)


def test_what_has_a_kernel():
    assert not has_kernel([layers.BatchNormalization()])
    assert has_kernel([layers.BatchNormalization(), layers.Conv2D(2, 1)])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.Conv2D(2, 3, name="c"), "Conv2D 'c' is no 1 x 1 convolution with stride 1"),
        (layers.Conv2D(2, 1, strides=2, name="c"), "Conv2D 'c' is no 1 x 1 convolution"),
        (layers.Conv2D(2, 1, groups=2, name="c"), "Conv2D 'c' is no 1 x 1 convolution"),
        (layers.Conv2D(2, 1, data_format="channels_first", name="c"), "works on channels_first"),
        (layers.BatchNormalization(1, name="n"), "BatchNormalization 'n' normalizes axis 1"),
    ],
)
def test_what_is_not_linear_in_the_channels(layer, message):
    assert message in explain_nonlinear(layer, 4)
