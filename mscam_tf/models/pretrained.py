"""The weights that come with the library: pretrained on simulated scenes alone."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.files import write_json, write_whole
from mscam_tf.models.embedded import XRAY_BACKBONE
from mscam_tf.models.hashes import hash_file
from mscam_tf.models.heads import find_heads, read_relevance
from mscam_tf.settings import GLOBAL, View


@dataclass(frozen=True)
class Pretrained:
    """Pretrained weights of a backbone and of its heads.

    Attributes:
        targets: Names of the classes that it was trained on.
        backbone: Arrays by `layer/variable`, float32.
        kernels: Of the head at each scale, `(K_b, targets)`, float32; the finest scale first.
        biases: Of the head at each scale, `(targets,)`, float32.
        relevance: `(scales, targets)`, float32.
        pooling: How its heads pool maps: `"mean"` or `"soft"`.
        architecture: Name of the backbone in `keras.applications`.
        views: What its channels saw of an image, as in `build_multiscale_classifier`.
        digest: SHA-256 of the file.
        display: Lowest and highest value of its maps, in logits, that pictures tell apart; `None`
            where the file was written without it.
    """

    targets: tuple[str, ...]
    backbone: Mapping[str, np.ndarray]
    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    relevance: np.ndarray
    pooling: str = "mean"
    architecture: str = XRAY_BACKBONE
    views: tuple[View, ...] = GLOBAL
    digest: str = ""
    display: tuple[float, float] | None = None

    def copy_to(self, backbone: keras.Model) -> None:
        """Set the weights of a backbone.

        Raises:
            ValueError: If a layer of it has no weights here, or of another shape.
        """
        variables = _list_variables(backbone)
        for name, variable in variables.items():
            value = self.backbone.get(name)
            if value is None or value.shape != tuple(variable.shape):
                raise MscamError(
                    f"These pretrained weights fit the backbone {self.architecture} alone. "
                    f"Received: a backbone with {name} of shape {tuple(variable.shape)}"
                )
        for name, variable in variables.items():
            variable.assign(self.backbone[name])


def _name_damage(
    read: Callable[[str | Path], Pretrained],
) -> Callable[[str | Path], Pretrained]:
    """Turn whatever a damaged file raises into an error that names it."""

    @wraps(read)
    def read_named(path: str | Path) -> Pretrained:
        try:
            return read(path)
        except (BadZipFile, KeyError, TypeError, ValueError) as error:
            raise OSError(
                f"{path}, or the .json beside it, is not as `mscam pretrain` wrote it: {error!r}"
            ) from error

    return read_named


@_name_damage
def read_pretrained(path: str | Path) -> Pretrained:
    """Read a file that `write_pretrained` wrote; float16 becomes float32.

    Raises:
        OSError: If its SHA-256 is not the one in the `.json` beside it, or one of the two is
            missing.
    """
    path = Path(path)
    for file in (path, path.with_suffix(".json")):
        if not file.is_file():
            raise FileNotFoundError(
                "Pretrained weights are an .npz file and a .json file beside it. "
                f"Received: {path}, but there is no {file.name}"
            )
    info = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    digest = hash_file(path)
    if digest != info["sha256"]:
        raise OSError(
            f"{path} is damaged; install it anew. Expected: SHA-256 {info['sha256']}. "
            f"Received: {digest}"
        )
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    scales = range(1, len(arrays["relevance"]) + 1)
    recipe = info["recipe"]
    return Pretrained(
        tuple(info["targets"]),
        {n.removeprefix("backbone/"): a for n, a in arrays.items() if n.startswith("backbone/")},
        tuple(arrays[f"scale{b}/kernel"] for b in scales),
        tuple(arrays[f"scale{b}/bias"] for b in scales),
        arrays["relevance"],
        recipe.get("pooling", "mean"),
        recipe.get("backbone", XRAY_BACKBONE),
        tuple(recipe.get("views", GLOBAL)),
        digest,
        _read_display(info),
    )


def _read_display(info: Mapping[str, Any]) -> tuple[float, float] | None:
    found = info.get("display")
    return None if found is None else (float(found["low"]), float(found["high"]))


def write_pretrained(
    classifier: keras.Model,
    path: str | Path,
    targets: Sequence[str],
    recipe: Mapping[str, Any],
    display: tuple[float, float] | None = None,
) -> None:
    """Write a multi-scale classifier's weights in float16, and beside them what they are.

    Args:
        classifier: From `build_multiscale_classifier`.
        path: An `.npz` file; the SHA-256, the targets and the recipe are written beside it as
            `.json`.
        targets: Names of its classes.
        recipe: How it was made, its `backbone`, `pooling` and `views` included; anything
            that JSON takes.
        display: Lowest and highest value of its maps that pictures tell apart.

    Raises:
        ValueError: If a weight is no number, or too large for float16.
    """
    path = Path(path)
    arrays = {
        f"backbone/{name}": variable
        for name, variable in _list_variables(classifier.get_layer("backbone")).items()
    }
    relevance = read_relevance(classifier, len(targets))
    for scale, head in enumerate(find_heads(classifier).heads, start=1):
        arrays |= {f"scale{scale}/kernel": head.dense.kernel, f"scale{scale}/bias": head.dense.bias}
    halves: dict[str, Any] = {"relevance": _halve("relevance", relevance)}
    halves |= {name: _halve(name, keras.ops.convert_to_numpy(v)) for name, v in arrays.items()}
    with write_whole(path) as partial:
        np.savez(partial, **halves)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    info = {"sha256": digest, "targets": list(targets), "recipe": dict(recipe)}
    if display is not None:
        info["display"] = {"low": display[0], "high": display[1]}
    write_json(path.with_suffix(".json"), info)


def _list_variables(backbone: keras.Model) -> dict[str, Any]:
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in backbone.layers
        for variable in layer.weights
    }


def _halve(name: str, values: np.ndarray) -> np.ndarray:
    limit = np.finfo(np.float16).max
    if not (np.abs(values) <= limit).all():
        raise MscamError(
            f"Weights must be numbers within {limit:g} to be kept in float16. "
            f"Received: {name} with {np.abs(values).max():g}"
        )
    return values.astype(np.float16)
