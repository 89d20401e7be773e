"""Open an export: a session without TensorFlow."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mscam_tf.deployment.about import ABOUT, read_about, restore_run
from mscam_tf.deployment.engines import OnnxEngine, OpenVinoEngine
from mscam_tf.errors import MscamError, RunError
from mscam_tf.models import hash_file
from mscam_tf.names import show_place
from mscam_tf.runs import Session, open_session
from mscam_tf.settings import Number, check_value

if TYPE_CHECKING:
    from mscam_tf.runs import Engine

_MOST_THREADS = 1024
RUN_MODEL = "run/model.keras"  # Among the hashes: the model that was exported.


def load_exported(folder: str | Path, *, threads: int | None = None, fast: bool = False) -> Session:
    """Open an export for images, without TensorFlow and Keras.

    Images are read as in the training, and the operating point is that which the run had.

    Args:
        folder: An export in the format `onnx` or `openvino`.
        threads: Threads that the runtime may use; by default as many as there are cores.
        fast: Let OpenVINO compute in the precision in which the processor is quickest. How far the
            results are then from the run stands in `export.json`, at `comparisons`, `fast`.

    Returns:
        A session, as `mscam_tf.open_session` gives for a run.

    Raises:
        RunError: If the folder is no export, or its file is not the one that was written.
        MscamError: If nothing opens this format here, `fast` is of no effect, or the threads are no
            number from 1 to 1024.

    Examples:
        >>> import mscam_tf
        >>> session = mscam_tf.load_exported("export")  # doctest: +SKIP
        >>> for result in session.explain(paths):  # doctest: +SKIP
        ...     print(result.path, result)
    """
    if threads is not None:
        check_value("threads", threads, Number(1, _MOST_THREADS, whole=True))
    folder = Path(folder)
    about = read_about(folder)
    run = restore_run(folder, about)
    _check_size(folder, about.get("input"), run.image_size)
    _check_files(folder, about["file"], about["sha256"])
    relevance = _read_relevance(about["relevance"], len(run.class_names), folder / about["file"])
    engine = _make_engine(folder / about["file"], about, relevance, threads, fast)
    return open_session(run, engine=engine)


def _check_size(folder: Path, described: Any, size: tuple[int, int]) -> None:
    """Refuse a description that somebody changed: the file takes images of its own size alone."""
    shape = described.get("shape") if isinstance(described, dict) else None
    if shape not in ([None, *size, 1], [None, None, None, 1]):
        raise RunError(
            f"{folder / ABOUT} is damaged: export the run anew. Expected: an input of images of "
            f"(height, width) = {tuple(size)}, as the run has. Received: shape={shape}"
        )


def _check_files(folder: Path, file: str, hashes: Mapping[str, str]) -> None:
    """Refuse files that are missing or were changed: they are not what was compared."""
    if not any(name == file or name.startswith(f"{file}/") for name in hashes):
        raise RunError(
            f"{folder / file} is not among the files that were exported: export the run anew. "
            f"Expected: one of {list(hashes)}. Received: {file!r}"
        )
    for name, expected in hashes.items():
        path = folder / name
        if name == RUN_MODEL:
            continue
        if not path.is_file():
            raise RunError(f"{path} is missing: export the run anew.")
        found = hash_file(path)
        if found != expected:
            raise RunError(
                f"{path} is not the file that was exported: export the run anew. "
                f"Expected: sha256={expected}. Received: sha256={found}"
            )


def _make_engine(
    path: Path, about: Mapping[str, Any], relevance: np.ndarray, threads: int | None, fast: bool
) -> "Engine":
    kind = about["kind"]
    if fast and "fast" not in about.get("comparisons", {}):
        raise MscamError(
            "Only OpenVINO computes in a quicker precision, for images of one size. "
            f"Received: {fast=}, an export in the format {kind!r}"
        )
    if kind == "onnx":
        return OnnxEngine(path, relevance, threads)
    if kind == "openvino":
        return OpenVinoEngine(path, relevance, threads, fast=fast)
    raise MscamError(
        "mscam_tf.load_exported opens the formats onnx and openvino; TensorFlow and LiteRT load "
        f"the others. Received: {show_place(path)}"
    )


def _read_relevance(values: list[Any], classes: int, path: Path) -> np.ndarray:
    try:
        relevance = np.array(values, np.float64)
    except (TypeError, ValueError):
        relevance = np.empty(0)
    right = relevance.ndim == 2 and relevance.shape[1] == classes
    if not (right and np.isfinite(relevance).all()):
        raise RunError(
            f"The export of {path} is damaged: export the run anew. Expected: the relevance, a "
            f"number for each scale and class. Received: relevance={values!r}"
        )
    return relevance
