import pytest

openvino = pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def model(export):
    return openvino.Core().read_model(export("openvino").file)


def test_outputs_are_those_that_model_api_expects(model):
    shapes = {out.get_any_name(): str(out.get_partial_shape()) for out in model.outputs}
    assert list(shapes.items()) == [
        ("logits", "[?,2]"),
        ("probabilities", "[?,2]"),
        ("contributions", "[?,3,2]"),
        ("saliency_map", "[?,2,64,64]"),
    ]


def test_model_info(model):
    info = {
        name: model.get_rt_info(["model_info", name]).astype(str)
        for name in ("model_type", "labels", "multilabel", "embedded_processing")
    }
    assert info == {
        "model_type": "Classification",
        "labels": "none wide",
        "multilabel": "False",
        "embedded_processing": "True",
    }


def test_features_are_not_copied_into_another_order(model):
    """Heads that multiply channels-last features would have them turned, and turned back."""
    turned = [op for op in model.get_ops() if op.get_type_name() == "Transpose"]
    channels = {op.get_output_partial_shape(0)[1].to_string() for op in turned}
    sides = {"64", "2", "1"}  # Of the image or of the maps, of a class each, of a grey image.
    assert channels <= sides


def test_weights_are_float32(model):
    kinds = {op.get_element_type().get_type_name() for op in model.get_ops() if is_weight(op)}
    assert kinds == {"f32"}


def is_weight(op):
    return op.get_type_name() == "Constant" and len(op.get_output_shape(0)) == 4
