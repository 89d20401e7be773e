"""Folders that model servers load: of OpenVINO Model Server, and of Triton."""

import re
from pathlib import Path
from typing import Any

from mscam_tf.deployment.engines import need
from mscam_tf.errors import MscamError
from mscam_tf.files import write_json, write_text

REPOSITORY = "models"
_VERSION = "1"
# How many folders above a file of a model the settings of servers stand, and under which name.
SERVER_SETTINGS = ((1, "config.pbtxt"), (2, "config.json"))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST = 256  # Characters: no file system takes longer names.
_LARGEST_BATCH = 64  # Images of one request to Triton.


def place_model(name: str, file: str) -> str:
    """Return where model servers look for a file, from the folder of the export on.

    Args:
        name: As the server calls the model: letters, digits, `.`, `_` and `-`.
        file: The file of the model.

    Raises:
        MscamError: If the name has other characters (it is part of paths and of addresses), or is
            that of a file of settings.

    Examples:
        >>> place_model("bones", "model.onnx")
        'models/bones/1/model.onnx'
    """
    settings = [each for _, each in SERVER_SETTINGS]
    if not _NAME.fullmatch(name) or len(name) >= _LONGEST or name.lower() in settings:
        raise MscamError(
            "The name of a model on a server (`server`, --server) must begin with a letter or a "
            f"digit, have only these and . _ - in it, fewer than {_LONGEST} of all, and be no name "
            "of their settings. "
            f"Received: server={name!r}"
        )
    return f"{REPOSITORY}/{name}/{_VERSION}/{file}"


def configure_openvino(file: Path, name: str) -> None:
    """Write `config.json` of OpenVINO Model Server, which serves a model in float32.

    Without being told so, it computes in the precision in which the processor is quickest.

    Args:
        file: Of the model, where `place_model` says.
        name: As the server calls it.
    """
    config = {
        "name": name,
        "base_path": name,  # From the folder of this file on.
        "plugin_config": {"INFERENCE_PRECISION_HINT": "f32"},
    }
    write_json(file.parents[2] / "config.json", {"model_config_list": [{"config": config}]})


def configure_triton(file: Path, name: str) -> None:
    """Write `config.pbtxt` of Triton, whose backend for a model is ONNX Runtime.

    It says the names, types and lengths of all inputs and outputs, as they are in the file; `-1`
    where a length is free. The batch is not among them.

    Args:
        file: Of the model, where `place_model` says.
        name: As the server calls it.

    Raises:
        MscamError: If the package onnx is not installed.
    """
    graph = need("onnx", "onnx").load(file).graph
    lines = [
        f'name: "{name}"',
        'backend: "onnxruntime"',
        f"max_batch_size: {_LARGEST_BATCH}",
        *(_describe("input", value) for value in graph.input),
        *(_describe("output", value) for value in graph.output),
    ]
    write_text(file.parents[1] / "config.pbtxt", "\n".join(lines) + "\n")


def _describe(kind: str, value: Any) -> str:
    axes = value.type.tensor_type.shape.dim[1:]  # The first one is the batch.
    dims = ", ".join(str(axis.dim_value or -1) for axis in axes)
    return f'{kind} {{ name: "{value.name}" data_type: TYPE_FP32 dims: [ {dims} ] }}'
