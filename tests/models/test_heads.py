import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf.models import find_heads, find_relevance, read_relevance
from tests.conftest import make_backbone

pytestmark = pytest.mark.backends


def make_multiscale():
    return mscam_tf.build_multiscale_classifier(2, (32, 32), backbone=make_backbone())


def make_single():
    return mscam_tf.build_single_scale_classifier(2, (32, 32), backbone=make_backbone())


def nest(model):
    return keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Rescaling(2.0), model])


def test_the_relevance_layer_whatever_its_name_and_depth():
    layer = mscam_tf.RelevanceCombine(name="mix")
    model = mscam_tf.build_multiscale_classifier(
        2, (32, 32), backbone=make_backbone(), relevance=layer
    )
    for outer in (model, nest(model), nest(nest(model))):
        assert find_relevance(outer) is layer
        assert find_heads(outer).relevance is layer


def test_of_two_it_is_that_of_the_output():
    image = keras.Input((2,))
    first = mscam_tf.RelevanceCombine(name="first")([image, image])
    last = mscam_tf.RelevanceCombine(name="last")
    assert find_relevance(keras.Model(image, last([first, image]))) is last


def test_relevance_as_numbers():
    model = make_multiscale()
    find_relevance(model).set_relevance([[0.5, 0.25], [0.25, 0.5], [0.25, 0.25]])
    expected = [[0.5, 0.25], [0.25, 0.5], [0.25, 0.25]]
    np.testing.assert_allclose(read_relevance(nest(model), 2), expected)


def test_a_single_scale_has_the_relevance_one():
    assert find_relevance(make_single()) is None
    np.testing.assert_array_equal(read_relevance(make_single(), 2), [[1.0, 1.0]])


def test_heads_and_their_feature_maps():
    found = find_heads(make_multiscale())
    assert [head.dense.name for head in found.heads] == [f"scale{b}_logits" for b in (1, 2, 3)]
    assert [head.feature_map.shape[-1] for head in found.heads] == [4, 6, 8]
    assert found.activation is None


def test_what_is_no_model_of_keras_3_is_named():
    other = type("Functional", (), {"outputs": [0], "__module__": "tf_keras.src.engine.functional"})
    with pytest.raises(mscam_tf.MscamError, match=r"Received: .*tf_keras.src.engine.functional"):
        mscam_tf.build_explainer(other())
