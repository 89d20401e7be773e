"""What an export says of itself: `export.json`, and the run that it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mscam_tf.deployment.servers import REPOSITORY, SERVER_SETTINGS
from mscam_tf.errors import RunError
from mscam_tf.names import clean, show_place
from mscam_tf.outputs import Kind
from mscam_tf.records import read_json
from mscam_tf.runs import Run, decode_run, encode_run

ABOUT = "export.json"
_ENTRIES = (
    *(ABOUT, "model.onnx", "model.xml", "model.bin", "model.tflite", "saved_model"),
    *("consumer.py", "consumer.cpp", "CMakeLists.txt", "requirements.txt"),
)
# What a session needs, and of what type it is.
_NEEDED = {"kind": str, "file": str, "relevance": list, "run": dict, "sha256": dict}
RECORDS = ("operating_point", "display", "drift")
_FORMAT = 1
_PACKAGES = (
    *("mscam-tf", "keras", "tensorflow", "numpy"),
    *("onnx", "tf2onnx", "onnxruntime", "openvino", "nncf"),
)


def _find_entries(folder: Path) -> Sequence[str]:
    """Find what is ours; a server loads other models from the same place, which are somebody's.

    Without a description an export was never complete, and nobody put anything there.
    """
    if not (folder / ABOUT).is_file():
        return (*_ENTRIES, REPOSITORY)
    try:
        hashes = read_about(folder)["sha256"]
    except RunError:
        hashes = {}
    files = [PurePosixPath(name) for name in hashes if name.startswith(f"{REPOSITORY}/")]
    settings = [file.parents[level] / name for file in files for level, name in SERVER_SETTINGS]
    owned = dict.fromkeys(path.as_posix() for path in (*files, *settings))
    return (*_ENTRIES, f"{REPOSITORY}/", *owned)  # The folder alone stands for what is in it.


EXPORT_FOLDER = Kind(
    "an export",
    ABOUT,
    keys=("format", "file", "run"),
    entries=(*_ENTRIES, REPOSITORY),
    find=_find_entries,
)


@dataclass(frozen=True)
class ExportedRun(Run):
    """A run that is known by an export alone: it has neither a Keras model nor splits.

    Attributes:
        records: What the run kept in files of its own, by name.
    """

    records: Mapping[str, dict[str, Any] | None] = field(default_factory=dict)

    def load_model(self) -> Any:
        """Raise: the model is in Keras no more.

        Raises:
            RunError: Always.
        """
        raise RunError(
            f"{self.folder} is an export, and has no model of Keras: open it with "
            "mscam_tf.load_exported."
        )

    def find_record(self, name: str) -> Path:  # noqa: ARG002
        """Return the file that tells of the export: all records stand in it."""
        return self.folder / ABOUT

    def read_record(self, name: str) -> dict[str, Any] | None:
        """Return what the run kept in its file `NAME.json` when it was exported."""
        return self.records.get(name)

    def read_value_range(self) -> tuple[float, float]:
        """Return the range of the maps that pictures tell apart, as the run had it.

        Raises:
            RunError: If the run had none when it was exported.
        """
        if self.read_record("display") is None:
            raise RunError(
                f"{self.folder} is an export without a range of the maps, because its run had no "
                "display.json: export a run whose training is finished. Received: display=None"
            )
        return super().read_value_range()

    def write_record(self, name: str, values: dict[str, Any]) -> None:  # noqa: ARG002
        """Raise: what is exported stays as it is.

        Raises:
            RunError: Always.
        """
        raise RunError(f"{self.folder} is an export: change the run, and export it anew.")


def describe_export(
    run: Run,
    *,
    kind: str,
    file: str,
    precision: str,
    free_size: bool,
    relevance: np.ndarray,
    hashes: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Any]],
    comparisons: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what `export.json` holds: all that a program needs to use the file, and its record.

    Args:
        run: What is exported.
        kind: Name of the format.
        file: The file, or the folder of a SavedModel, from the folder of the export on.
        precision: What the network computes in: `"float32"` or `"int8"`.
        free_size: Whether the file takes images of any size.
        relevance: The relevance of each scale for each class, `(B, C)`.
        hashes: SHA-256 of each file of the model, and of the run's model.
        outputs: For each output of the explainer its `name` in the file and its `layout`.
        comparisons: What comparing with Keras came to, by precision of the computation.
    """
    height, width = (None, None) if free_size else run.image_size
    return {
        "format": _FORMAT,
        "kind": kind,
        "file": file,
        "precision": precision,
        "input": {
            "name": "image",
            "layout": "NHWC",
            "shape": [None, height, width, 1],
            "dtype": "float32",
            "range": [0, 1],
        },
        "outputs": {name: dict(values) for name, values in outputs.items()},
        "task": "one_label" if run.task.exclusive else "several_findings",
        "activation": run.task.activation,
        "relevance": np.asarray(relevance).tolist(),
        **{name: _read_record(run, name) for name in RECORDS},
        "run": {**encode_run(run), "data": ""},
        "sha256": dict(hashes),
        "comparisons": {name: dict(values) for name, values in comparisons.items()},
        "versions": list_versions(_PACKAGES),
    }


def _read_record(run: Run, name: str) -> dict[str, Any] | None:
    """Return what a run keeps; where the images lay is no matter of the line's."""
    values = run.read_record(name)
    if values is not None:
        values.get("record", {}).pop("data", None)
    return values


def describe_model(run: Run) -> dict[str, str]:
    """Return what the file says of itself, under the names that OpenVINO's Model API reads.

    It knows no white space in names of classes, and the files hold UTF-8 alone. Two names that are
    one without white space get numbers.
    """
    height, width = run.image_size
    names: list[str] = []
    for name in run.class_names:
        word = "_".join(clean(name).split())
        tries = chain([word], (f"{word}_{number}" for number in count(2)))
        names.append(next(one for one in tries if one not in names))
    return {
        "model_type": "Classification",
        "task": "classification",
        "labels": " ".join(names),
        "multilabel": str(not run.task.exclusive),
        "hierarchical": "False",
        "confidence_threshold": "0.5",
        "output_raw_scores": "True",
        "embedded_processing": "True",  # What comes is taken as it is, and nothing is scaled.
        "orig_height": str(height),
        "orig_width": str(width),
    }


def list_versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def read_about(folder: Path) -> dict[str, Any]:
    """Read the `export.json` of an export.

    Raises:
        RunError: If the folder is no export, a newer version of the library wrote it, or it lacks
            something.
    """
    path = folder / ABOUT
    if not path.is_file():
        raise RunError(f"Not an export, it has no {ABOUT}. Received: {show_place(folder)}")
    about = read_json(path)
    number = about.get("format") if isinstance(about, dict) else None
    if number != _FORMAT:
        raise RunError(
            f"{path} has a format that this version of mscam-tf does not know. "
            f"Expected: format={_FORMAT}. Received: format={number!r}"
        )
    for name, kind in _NEEDED.items():
        if not isinstance(about.get(name), kind):
            raise RunError(
                f"{path} is damaged: export the run anew. Expected: {name!r}, a {kind.__name__}. "
                f"Received: {about.get(name)!r}"
            )
    return about


def restore_run(folder: Path, about: Mapping[str, Any]) -> ExportedRun:
    """Return the run of which an `export.json` tells.

    Raises:
        RunError: If what it says is no run, or no operating point of this run.
    """
    run = decode_run(folder, about["run"], folder / ABOUT)
    values = {one.name: getattr(run, one.name) for one in fields(Run)}
    records = {name: about.get(name) for name in RECORDS}
    wrong = [name for name, value in records.items() if not isinstance(value, dict | None)]
    if wrong:
        raise RunError(
            f"{folder / ABOUT} must hold names with values, or null, at {wrong[0]!r}. "
            f"Received: {records[wrong[0]]!r}"
        )
    return ExportedRun(**values, records=records)
