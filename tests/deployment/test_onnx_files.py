import pytest

onnx = pytest.importorskip("onnx")


def test_axes_have_sizes_or_names_and_the_logits_come_first(export):
    model = onnx.load(export("onnx").file)
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert next(iter(model.graph.output)).name == "logits"
    assert shapes == {
        "image": ["batch", 64, 64, 1],
        "logits": ["batch", 2],
        "probabilities": ["batch", 2],
        "contributions": ["batch", 3, 2],
        "maps": ["batch", 64, 64, 2],
    }


def test_the_file_says_what_it_is(export):
    said = {p.key: p.value for p in onnx.load(export("onnx").file).metadata_props}
    assert said["model_info labels"] == "none wide"
