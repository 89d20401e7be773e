"""Small programs beside an export that use it, and what an environment for it needs."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

import jinja2

from mscam_tf.files import write_text
from mscam_tf.runs import Run

RUNTIMES = {
    "savedmodel": "tensorflow",
    "onnx": "onnxruntime",
    "openvino": "openvino",
    "litert": "ai-edge-litert",
}
# Of what the package needs, that which `load_exported` and `mscam inspect` import.
_NEEDED = (
    *("docstring-parser", "imagecodecs", "lazy-loader", "numpy", "pillow", "pyarrow", "rich"),
    *("scipy", "tifffile", "typer", "wrapt"),
)
_HEAD = """\
# For mscam_tf.load_exported and mscam inspect, without TensorFlow and Keras:
#     pip install -r requirements.txt
#     pip install --no-deps mscam-tf=={version}
"""


def write_consumers(run: Run, folder: Path, kind: str, file: str) -> None:
    """Write `consumer.py`, for OpenVINO `consumer.cpp`, and `requirements.txt`.

    Args:
        run: What is exported.
        folder: The folder of the export.
        kind: Name of the format.
        file: The file of the model, from that folder on.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mscam_tf.deployment"),
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters["cpp"] = _quote
    values = {"kind": kind, "file": file, "runtime": RUNTIMES[kind], **_describe(run)}
    names = ["consumer.py"]
    names += ["consumer.cpp", "CMakeLists.txt"] if kind == "openvino" else []
    for name in names:
        text = environment.get_template(f"{name}.jinja").render(values)
        write_text(folder / name, text)
    if kind in ("onnx", "openvino"):
        lines = [_HEAD.format(version=version("mscam-tf")), *sorted(_list_needed(RUNTIMES[kind]))]
        write_text(folder / "requirements.txt", "\n".join(lines) + "\n")


def _describe(run: Run) -> dict[str, object]:
    read = run.config.read
    low, high = read.window or (None, None)
    height, width = run.image_size
    return {
        "class_names": run.class_names,
        "height": height,
        "width": width,
        "window": read.window,
        "low": low,
        "high": high,
        "invert": read.invert,
    }


def _quote(text: str) -> str:
    """Write a text as a literal of C++: it takes JSON's escapes, and others as they stand."""
    return json.dumps(text, ensure_ascii=False)


def _list_needed(runtime: str) -> Iterator[str]:
    """Give what is needed, with the bounds that the package itself has."""
    bounds = {}
    for line in requires("mscam-tf") or ():
        requirement = line.partition(";")[0].strip()
        found = re.match(r"[\w.-]+", requirement)
        bounds[found[0].lower() if found else requirement] = requirement
    for name in (*_NEEDED, runtime):
        yield bounds.get(name, name)
