"""What wrote a file of a model, where Keras' own message would mislead."""

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py

_WHOLE, _OLD_LAYERS = "model_config", "_layer_checkpoint_dependencies"


def explain_writer(path: Path) -> str:
    """Say why Keras 3 does not take the weights of a file, if its writer is the reason.

    Args:
        path: A `.keras` or `.h5` file that could not be loaded.

    Returns:
        A sentence, or nothing if the writer is not the reason.
    """
    try:
        version, whole = _read_zip(path) if zipfile.is_zipfile(path) else _read_hdf5(path)
    except (KeyError, OSError, TypeError, ValueError):
        return "" if path.suffix != ".keras" else "it is no `.keras` file, or a damaged one."
    if version.startswith(("1.", "2.")):
        return (
            f"Keras {version} (tf_keras) wrote it. Of its files, Keras 3 reads only .h5 files with "
            "the weights of the backbone alone: load the model where it was made, and save these."
        )
    if path.suffix == ".keras" and not zipfile.is_zipfile(path):
        return "it is an HDF5 file, of a model or of weights; name it .h5."
    if whole:
        return (
            "it holds a whole model. Load that, and save the weights of its backbone alone as a "
            ".weights.h5 file, or the model as a .keras file."
        )
    return ""


def _read_zip(path: Path) -> tuple[str, bool]:
    with zipfile.ZipFile(path) as archive:
        return str(json.loads(archive.read("metadata.json"))["keras_version"]), False


def _read_hdf5(path: Path) -> tuple[str, bool]:
    with h5py.File(path) as file:
        if _OLD_LAYERS in file:
            return "2.13 or later", False
        weights = file.get("model_weights", file)
        version = _decode(file.attrs.get("keras_version", weights.attrs.get("keras_version", "")))
        return version, _WHOLE in file.attrs


def _decode(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
