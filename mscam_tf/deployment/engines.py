"""Engines that run an exported file without TensorFlow or Keras."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from mscam_tf.errors import MscamError

SALIENCY = "saliency_map"  # What OpenVINO's Model API calls maps, `(n, C, H, W)`.


def need(package: str, extra: str) -> Any:
    """Import a package that only some need.

    Raises:
        MscamError: If it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise MscamError(
            f"This needs the package {package}: pip install 'mscam-tf[{extra}]'. Received: {error}"
        ) from error


class OnnxEngine:
    """An exported `.onnx` file in ONNX Runtime, on the processor.

    Args:
        path: The file.
        relevance: The relevance of each scale for each class, `(B, C)`.
        threads: Threads that it may use; by default as many as there are cores.

    Raises:
        MscamError: If ONNX Runtime is not installed.
    """

    def __init__(self, path: Path, relevance: np.ndarray, threads: int | None = None) -> None:
        onnxruntime = need("onnxruntime", "onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self.relevance = relevance
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in self._session.get_outputs()]

    def explain(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs of the explainer for images `(n, H, W, 1)`, float32 in `[0, 1]`."""
        outputs = self._session.run(self._names, {self._input: images})
        return dict(zip(self._names, outputs, strict=True))


class OpenVinoEngine:
    """An exported `.xml` file in OpenVINO, on the processor.

    Args:
        path: The file; its weights lie beside it.
        relevance: The relevance of each scale for each class, `(B, C)`.
        threads: Threads that it may use; by default as many as there are cores.
        fast: Let OpenVINO compute in the precision in which the processor is quickest, such as
            bfloat16, instead of float32.

    Raises:
        MscamError: If OpenVINO is not installed.
    """

    def __init__(
        self,
        path: Path,
        relevance: np.ndarray,
        threads: int | None = None,
        *,
        fast: bool = False,
    ) -> None:
        openvino = need("openvino", "openvino")
        options: dict[str, Any] = {} if fast else {"INFERENCE_PRECISION_HINT": "f32"}
        options |= {"INFERENCE_NUM_THREADS": threads} if threads else {}
        self.relevance = relevance
        model = openvino.Core().read_model(path)
        # Once compiled, tensors that became one have the names of all.
        names = [output.get_any_name() for output in model.outputs]
        self._names = ["maps" if name == SALIENCY else name for name in names]
        self._model = openvino.compile_model(model, "CPU", options)

    def explain(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs of the explainer for images `(n, H, W, 1)`, float32 in `[0, 1]`."""
        results = self._model([images]).values()
        outputs = dict(zip(self._names, results, strict=True))
        outputs["maps"] = np.moveaxis(outputs["maps"], 1, -1)
        return outputs
