"""Write the files of TensorFlow, and run them: SavedModel and LiteRT."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mscam_tf.errors import MscamError


def write_saved_model(explainer: keras.Model, path: Path, about: Mapping[str, str]) -> None:  # noqa: ARG001
    """Write an explainer as a SavedModel, a folder with the signature `serving_default`."""
    explainer.export(str(path), format="tf_saved_model", verbose=False)


def write_litert(explainer: keras.Model, path: Path, about: Mapping[str, str]) -> None:  # noqa: ARG001
    """Write an explainer as a `.tflite` file of LiteRT.

    Raises:
        MscamError: If it takes images of any size.
    """
    if None in explainer.input_shape[1:]:
        raise MscamError(
            "A file of LiteRT takes images of one size. Received: free_size=True, format='litert'"
        )
    explainer.export(str(path), format="litert", verbose=False)


class SavedModelEngine:
    """An exported SavedModel in TensorFlow."""

    def __init__(self, path: Path, relevance: np.ndarray) -> None:
        import tensorflow as tf

        self.relevance = relevance
        # Its functions hold none of the variables: without the object, these would be gone.
        self._loaded = tf.saved_model.load(str(path))

    def explain(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs of the explainer for images `(n, H, W, 1)`, float32 in `[0, 1]`."""
        outputs = self._loaded.signatures["serving_default"](image=images)
        return {name: np.asarray(values) for name, values in outputs.items()}


class LiteRtEngine:
    """An exported `.tflite` file in the interpreter that comes with TensorFlow."""

    def __init__(self, path: Path, relevance: np.ndarray) -> None:
        import tensorflow as tf

        self.relevance = relevance
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # It asks for a package of its own.
            self._interpreter: Any = tf.lite.Interpreter(str(path))
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._run = self._interpreter.get_signature_runner()

    def explain(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs of the explainer for images `(n, H, W, 1)`, float32 in `[0, 1]`."""
        outputs: dict[str, np.ndarray] = self._run(image=images)
        return outputs
