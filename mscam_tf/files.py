"""Write files and folders whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary name in the same folder, and rename it to `path` when the block succeeds.

    Args:
        path: The file to write; its folder is created if missing. The temporary name ends
            alike: many libraries choose the format by it.

    Returns:
        A context manager that gives the temporary name. If the block raises, the temporary file
        is removed and what stood at `path` is untouched.

    Examples:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "notes" / "a.txt"
        >>> with write_whole(path) as partial:
        ...     _ = partial.write_text("whole")
        >>> path.read_text(), [file.name for file in path.parent.iterdir()]
        ('whole', ['a.txt'])
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial.{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def write_whole_folder(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`, which takes its place when the block succeeds.

    Args:
        path: The folder to write; an existing one is replaced, but not before the new one is
            complete.

    Returns:
        A context manager that gives the temporary folder. If the block raises, it is removed and
        what stood at `path` is untouched.

    Examples:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "data"
        >>> with write_whole_folder(folder) as partial:
        ...     _ = (partial / "a.txt").write_text("whole")
        >>> [file.name for file in folder.iterdir()]
        ['a.txt']
    """
    path = Path(path)
    partial, replaced = (path.with_name(f".{word}.{path.name}") for word in ("partial", "replaced"))
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if path.exists():
            path.rename(replaced)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(replaced, ignore_errors=True)
