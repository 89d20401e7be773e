"""What inspects: a run in Keras, or an export in its runtime."""

from dataclasses import replace
from pathlib import Path

from mscam_tf.deployment import EXPORT_FOLDER, ExportedRun, load_exported
from mscam_tf.models import hash_file
from mscam_tf.runs import Session, open_run, open_session


def is_export(folder: Path) -> bool:
    """Whether a folder is an export, which needs no TensorFlow."""
    return (folder / EXPORT_FOLDER.marker).is_file()


def open_source(
    folder: Path, *, fast: bool = False, threads: int | None = None, max_pixels: int | None = None
) -> Session:
    """Open a run or an export for inspection.

    Args:
        folder: A run, or an export in the format `onnx` or `openvino`.
        fast: As for `mscam_tf.load_exported`.
        threads: As for `mscam_tf.load_exported`; of exports alone.
        max_pixels: Refuse images with more pixels than this; by default the limit of the run.

    Raises:
        RunError: If it is neither.
    """
    exported = is_export(folder) or fast or threads is not None
    session = (
        load_exported(folder, fast=fast, threads=threads)
        if exported
        else open_session(open_run(folder))
    )
    if max_pixels is None:
        return session
    return replace(session, read=replace(session.read, max_pixels=max_pixels))


def hash_source(session: Session) -> str:
    """Return the SHA-256 of what tells a run or an export from any other."""
    run = session.run
    name = EXPORT_FOLDER.marker if isinstance(run, ExportedRun) else "model.keras"
    return hash_file(run.folder / name)
