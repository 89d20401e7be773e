import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from mscam_tf.models.graph import Cursor, find_inputs, lift, walk_layers

pytestmark = pytest.mark.backends


def make_inner():
    x = keras.Input((2,), name="inner_input")
    doubled = keras.layers.Rescaling(2.0, name="double")(x)
    return keras.Model(x, keras.layers.Rescaling(1.0, 5.0, name="add")(doubled), name="inner")


def make_outer(inner):
    x = keras.Input((2,), name="image")
    tripled = keras.layers.Rescaling(3.0, name="triple")(x)
    return keras.Model(x, inner(tripled), name="outer")


def test_layers_of_nested_models_in_order():
    names = [layer.name for layer in walk_layers(make_outer(make_inner()))]
    assert names == ["image", "triple", "inner_input", "double", "add"]


def test_a_cursor_enters_nested_models_and_leaves_them_again():
    cursor, names = Cursor(make_outer(make_inner()).outputs[0]), []
    while cursor.layer.name != "image":
        names.append(cursor.layer.name)
        (cursor,) = cursor.inputs()
        if cursor.layer.name == "inner_input":
            break
    assert names[:2] == ["add", "double"]


def test_what_a_layer_reads_as_a_tensor_of_the_outermost_model():
    inner = make_inner()
    outer = make_outer(inner)
    read = keras.Model(outer.input, find_inputs(outer, inner.get_layer("add")))
    (values,) = keras.tree.flatten(read(np.array([[1.0, 10.0]], "float32")))
    np.testing.assert_allclose(to_numpy(values), [[6.0, 60.0]])  # Times three, times two.


def test_a_layer_that_the_model_does_not_call():
    with pytest.raises(KeyError, match="'outer' does not call its layer 'lone'"):
        find_inputs(make_outer(make_inner()), keras.layers.Dense(1, name="lone"))


def test_tensors_at_several_depths_are_lifted_in_their_order():
    outer = make_outer(make_inner())
    last = Cursor(outer.outputs[0])
    cursors = [*last.inputs(), last]
    model = keras.Model(outer.input, lift(cursors))
    found = [to_numpy(x) for x in model(np.array([[1.0, 10.0]], "float32"))]
    np.testing.assert_allclose(found, [[[6.0, 60.0]], [[11.0, 65.0]]])
