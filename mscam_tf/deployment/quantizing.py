"""Files of OpenVINO in int8, by NNCF, calibrated with real images."""

import io
import logging
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from mscam_tf.deployment.engines import need
from mscam_tf.errors import MscamError

_CONVOLUTIONS = ("Convolution", "GroupConvolution")


def quantize_openvino(path: Path, images: Sequence[np.ndarray]) -> None:
    """Quantize a file of OpenVINO in its place: convolutions compute in int8.

    Only what lies between the first convolution and the heads is quantized. What stands before
    (standardizing, local contrast) and after (heads, maps, their enlargement) stays in float32:
    there a step of 1/256 of the range would be seen.

    Args:
        path: The `.xml` file; its weights lie beside it in `.bin`.
        images: Real images that show how large the values in the network become, `(n, H, W, 1)`.

    Raises:
        MscamError: If OpenVINO or NNCF is not installed, or the model has no convolution.
    """
    os.environ.setdefault("NNCF_CI", "1")  # It tells its maker of each use otherwise.
    openvino, nncf = need("openvino", "openvino"), need("nncf", "openvino")
    core = openvino.Core()
    core.set_property({"ENABLE_MMAP": False})  # The file is written anew.
    model = core.read_model(path)
    samples = [image[None] for batch in images for image in batch]
    logging.getLogger("nncf").setLevel(logging.ERROR)
    with redirect_stdout(io.StringIO()):  # It draws bars.
        quantized = nncf.quantize(
            model,
            nncf.Dataset(samples),
            ignored_scope=nncf.IgnoredScope(names=list_outside(model), validate=False),
            subset_size=len(samples),
        )
    openvino.save_model(quantized, path, compress_to_fp16=False)


def list_outside(model: Any) -> list[str]:
    """Return the names of the operations before the first convolution, and from the heads on.

    Heads are the convolutions behind which there is no other.

    Raises:
        MscamError: If there is no convolution but them.
    """
    operations = model.get_ordered_ops()
    convolutions = {_name(one) for one in operations if one.get_type_name() in _CONVOLUTIONS}
    inner = convolutions & _find_before(operations, convolutions)
    if not inner:
        raise MscamError("Only convolutions are quantized. Received: a model without any")
    inside = inner | (_find_behind(operations, inner) & _find_before(operations, inner))
    return [name for name in map(_name, operations) if name not in inside]


def _find_before(operations: Sequence[Any], chosen: set[str]) -> set[str]:
    """Return the names of all that lead to some of the operations."""
    found: set[str] = set()
    for operation in reversed(operations):
        if _name(operation) in chosen | found:
            found |= _name_sources(operation)
    return found


def _find_behind(operations: Sequence[Any], chosen: set[str]) -> set[str]:
    """Return the names of all that some of the operations lead to."""
    found: set[str] = set()
    for operation in operations:
        if _name_sources(operation) & (chosen | found):
            found.add(_name(operation))
    return found


def _name_sources(operation: Any) -> set[str]:
    return {_name(value.get_node()) for value in operation.input_values()}


def _name(operation: Any) -> str:
    return str(operation.get_friendly_name())
