"""How much arithmetic a network does, and what a large matrix product reaches here."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

SIDE = 2048  # Of the matrices: larger ones reach no more.
PRODUCTS = ("tensorflow", "onnx", "openvino", "openvino fast", "openvino int8")


def count_operations(path: Path) -> int:
    """Return the multiplications and additions of an image's convolutions, in an OpenVINO file."""
    import openvino

    model, total = openvino.Core().read_model(path), 0
    for one in model.get_ops():
        if one.get_type_name() == "Convolution":
            places = [side.get_length() for side in list(one.get_output_partial_shape(0))[2:]]
            total += 2 * int(np.prod(one.input(1).get_shape())) * int(np.prod(places))
    return total


def make_product(name: str) -> Callable[[], object]:
    """Return what multiplies two large matrices, by one of `PRODUCTS`."""
    left, right = np.random.default_rng(0).random((2, SIDE, SIDE), np.float32)
    if name == "tensorflow":
        import tensorflow as tf

        # Not eagerly: then the product is copied out of the device too.
        multiply = tf.function(lambda x, y: tf.linalg.matmul(x, y)[0, 0])
        return partial(multiply, tf.constant(left), tf.constant(right))
    make = _multiply_by_onnx if name == "onnx" else partial(_multiply_by_openvino, name)
    return partial(make(right), left)


def _multiply_by_onnx(right: np.ndarray) -> Callable[[np.ndarray], object]:
    import onnx
    import onnxruntime

    kind = onnx.TensorProto.FLOAT
    shapes = {"x": right.shape, "y": right.shape}
    x, y = (onnx.helper.make_tensor_value_info(n, kind, s) for n, s in shapes.items())
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    weights = [onnx.numpy_helper.from_array(right, "w")]
    graph = onnx.helper.make_graph([node], "product", [x], [y], weights)
    model = onnx.helper.make_model(
        graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 17)]
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return lambda left: session.run(None, {"x": left})


def _multiply_by_openvino(name: str, right: np.ndarray) -> Callable[[np.ndarray], object]:
    import openvino
    from openvino import opset13

    image = opset13.parameter(right.shape, np.float32)
    x, y = image, opset13.constant(right)
    if name == "openvino int8":
        low, high = (np.float32(value) for value in (0, 1))
        x = opset13.fake_quantize(x, low, high, low, high, 256)
        y = opset13.fake_quantize(y, -high, high, -high, high, 255)
    product = opset13.matmul(x, y, transpose_a=False, transpose_b=False)
    options = {"INFERENCE_PRECISION_HINT": "f32"} if name == "openvino" else {}
    model = openvino.Model([opset13.result(product)], [image])
    request = openvino.compile_model(model, "CPU", options).create_infer_request()
    return lambda left: request.infer([left], share_inputs=True, share_outputs=True)
