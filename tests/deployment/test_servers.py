import json
import shutil

import numpy as np
import pytest

import mscam_tf
from mscam_tf import MscamError, export_run
from mscam_tf.deployment import configure_triton, place_model

FLOAT = "tensor(float)"  # As ONNX Runtime calls it.


@pytest.fixture(scope="module")
def serve(tmp_path_factory, finished_run, image_folder):
    """Export a run for the server of a format, once for all tests."""
    folder, made = tmp_path_factory.mktemp("servers"), {}

    def make(format):
        if format not in made:
            images = sorted(image_folder.glob("wide/*"))[:1]
            made[format] = export_run(
                finished_run, folder / format, format, server="bones", images=images
            )
        return made[format]

    return make


@pytest.mark.parametrize(
    "name", ["", "a b", "../up", "a/b", ".hidden", "ä", "config.json", "a" * 256]
)
def test_names_that_are_no_part_of_a_path_are_refused(name):
    with pytest.raises(MscamError, match=r"begin with a letter or a digit.*Received: server="):
        place_model(name, "model.onnx")


def test_the_file_lies_in_a_folder_of_the_model_and_its_version(serve):
    export = serve("openvino")
    assert export.file == export.folder / "models" / "bones" / "1" / "model.xml"
    models = export.folder / "models"
    found = {one.relative_to(models).as_posix() for one in models.rglob("*")}
    assert found == {"bones", "bones/1", "bones/1/model.xml", "bones/1/model.bin", "config.json"}


def test_openvino_model_server_finds_the_model_and_computes_in_float32(serve):
    pytest.importorskip("openvino")
    export = serve("openvino")
    path = export.folder / "models" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    assert list(config) == ["model_config_list"]
    (entry,) = config["model_config_list"]
    assert list(entry) == ["config"]
    assert set(entry["config"]) == {"name", "base_path", "plugin_config"}
    assert entry["config"]["name"] == "bones"
    assert path.parent / entry["config"]["base_path"] / "1" == export.file.parent
    assert entry["config"]["plugin_config"] == {"INFERENCE_PRECISION_HINT": "f32"}


def parse(path):
    """Read a `config.pbtxt` as protobuf does, by the messages that Triton documents."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

    file = descriptor_pb2.FileDescriptorProto(name="config.proto", syntax="proto3")
    types = file.enum_type.add(name="DataType")
    for name, number in (("TYPE_INVALID", 0), ("TYPE_FP32", 11)):
        types.value.add(name=name, number=number)
    integer, text = (descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
                     descriptor_pb2.FieldDescriptorProto.TYPE_STRING)  # fmt: skip
    one, several = (descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
                    descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED)  # fmt: skip
    tensor = file.message_type.add(name="Tensor")
    tensor.field.add(name="name", number=1, type=text, label=one)
    tensor.field.add(name="data_type", number=2, type_name=".DataType", label=one,
                     type=descriptor_pb2.FieldDescriptorProto.TYPE_ENUM)  # fmt: skip
    tensor.field.add(name="dims", number=3, type=integer, label=several)
    config = file.message_type.add(name="ModelConfig")
    config.field.add(name="name", number=1, type=text, label=one)
    config.field.add(name="max_batch_size", number=4, type=integer, label=one)
    for name, number in (("input", 5), ("output", 6)):
        config.field.add(name=name, number=number, type_name=".Tensor", label=several,
                         type=descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE)  # fmt: skip
    config.field.add(name="backend", number=17, type=text, label=one)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName("ModelConfig"))()
    return text_format.Parse(path.read_text(encoding="utf-8"), message)


def list_shapes(values):
    """Return what ONNX Runtime says of inputs or outputs, as Triton writes it."""
    assert {value.type for value in values} == {FLOAT}
    assert all(isinstance(value.shape[0], str) for value in values)  # The batch is free.
    return {
        value.name: [side if isinstance(side, int) else -1 for side in value.shape[1:]]
        for value in values
    }


def test_triton_knows_the_names_and_shapes_of_the_file(serve):
    onnxruntime = pytest.importorskip("onnxruntime")
    export = serve("onnx")
    config = parse(export.folder / "models" / "bones" / "config.pbtxt")
    session = onnxruntime.InferenceSession(export.file)
    assert (config.name, config.backend) == ("bones", "onnxruntime")
    assert config.max_batch_size >= 1
    assert {tensor.data_type for tensor in (*config.input, *config.output)} == {11}
    shapes = [{one.name: list(one.dims) for one in ones} for ones in (config.input, config.output)]
    assert shapes == [list_shapes(session.get_inputs()), list_shapes(session.get_outputs())]
    assert shapes[0] == {"image": [64, 64, 1]}
    assert shapes[1]["maps"] == [64, 64, 2]
    assert shapes[1]["contributions"] == [3, 2]


def test_lengths_that_are_free_are_written_so(tmp_path):
    onnx = pytest.importorskip("onnx")
    image, logits = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape])
        for name, shape in (("image", ("height", "width", 1)), ("logits", (2,)))
    )
    file = tmp_path / "bones" / "1" / "model.onnx"
    file.parent.mkdir(parents=True)
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [image], [logits])), file)
    configure_triton(file, "bones")
    assert (tmp_path / "bones" / "config.pbtxt").read_text(encoding="utf-8") == (
        'name: "bones"\n'
        'backend: "onnxruntime"\n'
        "max_batch_size: 64\n"
        'input { name: "image" data_type: TYPE_FP32 dims: [ -1, -1, 1 ] }\n'
        'output { name: "logits" data_type: TYPE_FP32 dims: [ 2 ] }\n'
    )


@pytest.mark.parametrize(
    ("format", "settings"), [("openvino", "config.json"), ("onnx", "bones/config.pbtxt")]
)
def test_it_opens_as_a_session_and_settings_of_the_server_may_be_changed(
    serve, finished_run, tmp_path, format, settings
):
    folder = shutil.copytree(serve(format).folder, tmp_path / "copy")
    path = folder / "models" / settings
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    session = mscam_tf.load_exported(folder)
    found = session.engine.explain(np.full((2, 64, 64, 1), 0.5, np.float32))
    assert found["maps"].shape == (2, 64, 64, 2)
    assert session.task.class_names == finished_run.class_names


@pytest.mark.parametrize("format", ["savedmodel", "litert"])
def test_formats_without_a_server_are_named(finished_run, tmp_path, format):
    with pytest.raises(MscamError, match=rf"for openvino and onnx.*format='{format}'"):
        export_run(finished_run, tmp_path / "export", format, server="bones")
    assert list(tmp_path.iterdir()) == []
