"""Read large images from top to bottom, a few rows at a time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mscam_tf.data.reading.formats import NPY, TIFFS, open_npy
from mscam_tf.data.reading.images import read_image
from mscam_tf.data.reading.options import ReadOptions
from mscam_tf.data.reading.problems import name_problem
from mscam_tf.data.reading.scaling import scale_stored
from mscam_tf.data.reading.stored import Stored
from mscam_tf.data.reading.tiff import open_tiff_strips

_ROWS = 256  # Of a file that is mapped into memory.


@dataclass(frozen=True)
class Strips:
    """An image that is read from its top to its bottom.

    Attributes:
        size: `(height, width)`.
        rows: An iterator of strips `(h, width)`, float32 in `[0, 1]`, each as high as suits the
            file; all of them, one below the other, are what `read_image` returns.
    """

    size: tuple[int, int]
    rows: Iterator[np.ndarray]


@contextmanager
def open_strips(path: str | Path, options: ReadOptions | None = None) -> Iterator[Strips]:
    """Open an image to be read a few rows at a time.

    Of NPY files, and of grey TIFF files in strips or tiles, only these rows are in memory at once.
    Others are decoded whole.

    Args:
        path: As for `read_image`.
        options: As for `read_image`.

    Returns:
        A context manager that gives the `Strips`.

    Raises:
        ImageError: If the file cannot be read; also from `rows`, where it breaks off.

    Examples:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.npy"
        >>> np.save(path, np.zeros((600, 4), np.uint16))
        >>> with open_strips(path) as strips:
        ...     print(strips.size, [rows.shape for rows in strips.rows])
        (600, 4) [(256, 4), (256, 4), (88, 4)]
    """
    options, path = options or ReadOptions(), Path(path)
    with ExitStack() as opened:
        try:
            found = _open(path, options, opened)
        except Exception as error:  # Decoders raise whatever they please on broken files.
            raise name_problem(path, error) from error
        if found is None:
            image = read_image(path, options)
            height, width = image.shape
            yield Strips((height, width), iter([image]))
            return
        size, stored = found
        yield Strips(size, _scale(path, stored, options))


def _open(
    path: Path, options: ReadOptions, opened: ExitStack
) -> tuple[tuple[int, int], Iterator[Stored]] | None:
    """Return the size and the strips of a file, or `None` if it must be decoded whole."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(NPY):
        values, full = open_npy(path, options.page, options.max_pixels)
        return values.shape, (Stored(rows, full) for rows in _cut(values))
    if head.startswith(TIFFS):
        found = open_tiff_strips(path, options.page, options.max_pixels, opened)
        if found is not None:
            size, full, inverted, strips = found
            return size, (Stored(rows, full, inverted) for one in strips for rows in _cut(one))
    return None


def _cut(values: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(values), _ROWS):
        part = np.array(values[start : start + _ROWS])
        yield part.astype(np.uint8) if part.dtype == bool else part


def _scale(path: Path, stored: Iterator[Stored], options: ReadOptions) -> Iterator[np.ndarray]:
    try:
        for strip in stored:
            yield scale_stored(strip, options)
    except Exception as error:
        raise name_problem(path, error) from error
