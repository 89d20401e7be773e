"""The formats in which runs are exported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mscam_tf.deployment.engines import SALIENCY, OnnxEngine, OpenVinoEngine
from mscam_tf.deployment.onnx_files import write_onnx
from mscam_tf.deployment.openvino_files import write_openvino
from mscam_tf.deployment.quantizing import quantize_openvino
from mscam_tf.deployment.servers import configure_openvino, configure_triton, place_model
from mscam_tf.deployment.tensorflow_files import (
    LiteRtEngine,
    SavedModelEngine,
    write_litert,
    write_saved_model,
)
from mscam_tf.errors import MscamError
from mscam_tf.runs import Engine

EXACT, INT8 = "float32", "int8"
FAST = "fast"  # In the precision that the processor is quickest in.


@dataclass(frozen=True)
class Format:
    """A format of exports.

    Attributes:
        name: As `format` names it.
        file: The file of the model in the folder of an export, or the folder of a SavedModel.
        write: Writes an explainer to a path, with what the file says of itself.
        loaders: For each precision of the computation, what makes an engine of a path and the
            relevance. `EXACT` is the precision that must say what Keras says.
        quantize: Makes a file in int8 of one that was written, with real images; `None` if the
            format has no such files.
        renamed: Outputs that have another name in the file.
        layouts: Outputs whose axes have another order than the explainer's.
        configure: Writes what a model server must know of a file, and of its name there; `None` if
            the format has no server.
    """

    name: str
    file: str
    write: Callable[[Any, Path, Mapping[str, str]], None]
    loaders: Mapping[str, Callable[[Path, np.ndarray], Engine]]
    quantize: Callable[[Path, Sequence[np.ndarray]], None] | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)
    configure: Callable[[Path, str], None] | None = None

    def place(self, server: str | None) -> str:
        """Return where the file is, from the folder of the export on.

        Args:
            server: The name of the model on a server; `None` where none is to load it.

        Raises:
            MscamError: If there is no server for the format, or the name is not fit for one.
        """
        if server is None:
            return self.file
        if self.configure is None:
            raise MscamError(
                "Folders of model servers (`server`, --server) are written for openvino and onnx. "
                f"Received: {server=}, format={self.name!r}"
            )
        return place_model(server, self.file)

    def describe_output(self, name: str, axes: int) -> dict[str, str]:
        """Return the name and the layout of an output in the file."""
        usual = {2: "NC", 3: "NSC", 4: "NHWC"}[axes]
        return {"name": self.renamed.get(name, name), "layout": self.layouts.get(name, usual)}


_OPENVINO: dict[str, Callable[[Path, np.ndarray], Engine]] = {
    EXACT: OpenVinoEngine,
    FAST: partial(OpenVinoEngine, fast=True),
}
FORMATS = {
    one.name: one
    for one in (
        Format("savedmodel", "saved_model", write_saved_model, {EXACT: SavedModelEngine}),
        Format("onnx", "model.onnx", write_onnx, {EXACT: OnnxEngine}, configure=configure_triton),
        Format(
            "openvino",
            "model.xml",
            write_openvino,
            _OPENVINO,
            quantize_openvino,
            renamed={"maps": SALIENCY},
            layouts={"maps": "NCHW"},
            configure=configure_openvino,
        ),
        Format("litert", "model.tflite", write_litert, {EXACT: LiteRtEngine}),
    )
}


def find_format(name: str) -> Format:
    """Return the format of a name.

    Raises:
        MscamError: If there is none.
    """
    if name not in FORMATS:
        raise MscamError(f"`format` must be one of {list(FORMATS)}. Received: format={name!r}")
    return FORMATS[name]
