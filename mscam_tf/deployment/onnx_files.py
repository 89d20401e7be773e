"""Write ONNX files."""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from mscam_tf.deployment.engines import need

_EXTRA = "onnx"


def write_onnx(explainer: keras.Model, path: Path, about: Mapping[str, str]) -> None:
    """Write an explainer as one ONNX file.

    Its input is `image`, its outputs have the names of the explainer's, the logits first.

    Args:
        explainer: In float32.
        path: The `.onnx` file to write.
        about: What the file says of itself (`metadata_props`).

    Raises:
        MscamError: If a package is missing.
    """
    onnx = need("onnx", _EXTRA)
    need("tf2onnx", _EXTRA)
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Of NumPy, about what Keras patches.
        explainer.export(str(path), format="onnx", verbose=False)
    model = onnx.load(path)
    _order_outputs(model.graph)
    for value in (*model.graph.input, *model.graph.output):
        _name_axes(value, explainer)
    onnx.helper.set_model_props(model, {f"model_info {k}": v for k, v in about.items()})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _order_outputs(graph: Any) -> None:
    """Put the logits first, where tools look for what a classifier says."""
    outputs = sorted(graph.output, key=lambda output: output.name != "logits")
    outputs = [type(output).FromString(output.SerializeToString()) for output in outputs]
    del graph.output[:]
    graph.output.extend(outputs)


def _name_axes(value: Any, explainer: keras.Model) -> None:
    """Say the lengths that are fixed, and name the axes that are free."""
    axes = value.type.tensor_type.shape.dim
    image, prefix = explainer.input_shape, ""
    shape = explainer.output[value.name].shape if value.name in explainer.output else image
    if len(shape) != 4:
        axes[0].dim_param = "batch"
        return
    if value.name.endswith("_contributions"):  # They have the grid of a scale.
        image, prefix = shape, f"{value.name}_"
    names = ("batch", f"{prefix}height", f"{prefix}width", "")
    for axis, name, length in zip(axes, names, (*image[:3], shape[3]), strict=True):
        if length is None:
            axis.dim_param = name
        else:
            axis.dim_value = length
