import json

import pytest

import mscam_tf
from mscam_tf.deployment import list_outside

openvino = pytest.importorskip("openvino")
pytest.importorskip("nncf")


@pytest.fixture(scope="module")
def int8(tmp_path_factory, finished_run):
    folder = tmp_path_factory.mktemp("int8") / "export"
    return mscam_tf.export_run(finished_run, folder, "openvino", int8=True)


def test_convolutions_alone_are_quantized(int8):
    operations = openvino.Core().read_model(int8.file).get_ops()
    quantized = [op for op in operations if is_quantized(op)]
    assert [op.get_type_name() for op in quantized] == ["Convolution"] * 3


def is_quantized(operation):
    """Whether its weights are stored as int8."""
    nodes = [value.get_node() for value in operation.input_values()]
    sources = [value.get_node() for node in nodes for value in node.input_values()]
    deeper = [value.get_node() for node in sources for value in node.input_values()]
    stored = (node.get_element_type().get_type_name() for node in deeper)
    return operation.get_type_name() in ("Convolution", "MatMul") and "i8" in stored


def test_how_far_it_is_off_is_stated(int8, finished_run, image_folder):
    assert list(int8.comparisons) == ["int8", "fast"]
    assert int8.comparisons["int8"].maps_error > 1e-4
    about = json.loads((int8.folder / "export.json").read_text(encoding="utf-8"))
    assert about["precision"] == "int8"
    paths = sorted(image_folder.glob("wide/*"))[:2]
    (first, _) = mscam_tf.load_exported(int8.folder).explain(paths)
    (own, _) = mscam_tf.open_session(finished_run).explain(paths)
    assert abs(first.maps - own.maps).max() < 0.5 * abs(own.maps).max()


def test_only_openvino_has_int8(finished_run, tmp_path):
    with pytest.raises(mscam_tf.MscamError, match=r"Only OpenVINO.*int8=True, format='onnx'"):
        mscam_tf.export_run(finished_run, tmp_path / "export", int8=True)


def test_what_lies_outside_of_the_convolutions():
    ops = openvino.opset13
    image = ops.parameter([1, 1, 8, 8], name="image")
    halved = ops.multiply(image, ops.constant([[[[0.5]]]], openvino.Type.f32))
    first = convolve(halved, "first")
    last = convolve(first, "last")
    heads = [convolve(first, "fine"), convolve(last, "coarse")]
    mean = ops.reduce_mean(ops.concat(heads, 1), ops.constant([2, 3]), name="mean")
    model = openvino.Model([ops.result(mean)], [image])
    named = {name for name in list_outside(model) if not name.startswith("Constant")}
    assert {"image", halved.get_friendly_name(), "mean"} <= named
    assert {"fine", "fine_relu", "coarse", "last_relu"} <= named
    assert not {"first", "first_relu", "last"} & named


def convolve(x, name):
    ops = openvino.opset13
    kernel = ops.constant([[[[1.0]]]], openvino.Type.f32)
    done = ops.convolution(x, kernel, [1, 1], [0, 0], [0, 0], [1, 1], name=name)
    return ops.relu(done, name=f"{name}_relu")


def test_without_convolutions_there_is_nothing_to_quantize():
    ops = openvino.opset13
    image = ops.parameter([1, 1, 8, 8], name="image")
    for output in (ops.relu(image), convolve(image, "head")):
        model = openvino.Model([ops.result(output)], [image])
        with pytest.raises(mscam_tf.MscamError, match="Only convolutions"):
            list_outside(model)
