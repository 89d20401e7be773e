"""Write OpenVINO files, which OpenVINO's Model API reads too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from mscam_tf.deployment.engines import SALIENCY, need

_FIRST = ("logits", "probabilities", "contributions", "maps")
_TO_NCHW = (0, 3, 1, 2)


def write_openvino(explainer: keras.Model, path: Path, about: Mapping[str, str]) -> None:
    """Write an explainer as a file of OpenVINO: `.xml`, and the weights beside it in `.bin`.

    Its input is `image`. The logits are its first output, as Model API expects, and the maps are
    called `saliency_map` there, of shape `(batch, C, H, W)`.

    Args:
        explainer: In float32.
        path: The `.xml` file to write.
        about: What the file says of itself (`model_info`).

    Raises:
        MscamError: If OpenVINO is not installed.
    """
    openvino = need("openvino", "openvino")
    explainer.export(str(path), format="openvino", verbose=False)
    core = openvino.Core()
    core.set_property({"ENABLE_MMAP": False})  # The file is written anew while it is read.
    model = core.read_model(path)
    outputs = {
        name: output.node.input_value(0)
        for output in model.outputs
        for name in output.names & explainer.output.keys()  # Some have names of layers too.
    }
    named = sorted(outputs, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    results = [_make_result(name, outputs[name]) for name in named]
    model = openvino.Model(results, model.get_parameters(), explainer.name)
    for name, value in about.items():
        model.set_rt_info(value, ["model_info", name])
    openvino.save_model(model, path, compress_to_fp16=False)


def _make_result(name: str, value: Any) -> Any:
    from openvino import opset13

    if name == "maps":
        name, value = SALIENCY, opset13.transpose(value, list(_TO_NCHW)).output(0)
    result = opset13.result(value)
    result.set_friendly_name(name)
    value.set_names({name})
    return result
