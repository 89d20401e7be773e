"""What inspects: a run in Keras, or an export in its runtime."""

from dataclasses import dataclass, replace
from pathlib import Path

from mscam_tf.deployment import (
    EXPORT_FOLDER,
    ExportedRun,
    load_exported,
    read_about,
    restore_run,
)
from mscam_tf.models import hash_file
from mscam_tf.runs import Run, Session, open_run, open_session


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


@dataclass(frozen=True)
class Source:
    """A run or an export that is still closed: each worker opens it for itself.

    Attributes:
        folder: As for `open_source`.
        fast: As for `open_source`.
        threads: As for `open_source`.
        max_pixels: As for `open_source`.
    """

    folder: Path
    fast: bool = False
    threads: int | None = None
    max_pixels: int | None = None

    def read_run(self) -> Run:
        """Return the run, or that which an export tells of, without its model.

        Raises:
            RunError: If the folder is neither.
        """
        if is_export(self.folder):
            return restore_run(self.folder, read_about(self.folder))
        return open_run(self.folder)

    def open(self) -> Session:
        """Open it, as `open_source` does."""
        return open_source(
            self.folder, fast=self.fast, threads=self.threads, max_pixels=self.max_pixels
        )


def hash_source(run: Run) -> str:
    """Return the SHA-256 of what tells a run or an export from any other."""
    name = EXPORT_FOLDER.marker if isinstance(run, ExportedRun) else "model.keras"
    return hash_file(run.folder / name)
