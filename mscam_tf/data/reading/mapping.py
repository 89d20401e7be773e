"""Read many images, some at a time."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from mscam_tf.data.reading.admission import Admission
from mscam_tf.data.reading.formats import read_stored
from mscam_tf.data.reading.images import read_image
from mscam_tf.data.reading.options import ReadOptions
from mscam_tf.data.reading.problems import ImageError, Problem, name_problem
from mscam_tf.data.reading.scaling import is_constant

_LOGGER = logging.getLogger(__name__)
_AHEAD = 16  # Images that are decoded before they are taken.
_NAMED = 5  # Constant images that a warning names.
_Result = TypeVar("_Result")


def map_images(
    function: Callable[[Path, ReadOptions], _Result], paths: Iterable[Path], options: ReadOptions
) -> Iterator[_Result | ImageError]:
    """Call a function with each path, some at a time; an image's error takes its result's place.

    Only a few results wait to be taken, however many paths there are; and no more is decoded at
    once than 100 million pixels, or one image that has more.
    """
    admission = Admission()

    def call(path: Path) -> _Result | ImageError:
        try:
            with admission.admit():
                return function(path, options)
        except Exception as error:
            return name_problem(path, error)

    remaining = iter(paths)
    with ThreadPoolExecutor() as pool:
        ahead: deque[Future[_Result | ImageError]] = deque(
            pool.submit(call, path) for path in islice(remaining, _AHEAD)
        )
        while ahead:
            result = ahead.popleft().result()
            ahead.extend(pool.submit(call, path) for path in islice(remaining, 1))
            yield result


def check_images(
    paths: Sequence[Path],
    options: ReadOptions | None = None,
    on_progress: Callable[[int], None] | None = None,
    *,
    skip_bad: bool = False,
    most: int | None = None,
) -> tuple[dict[Path, tuple[int, int]], list[Problem]]:
    """Read every file once, so that broken files are found before a long training starts.

    A warning names images that are constant, as they are or by the window: they show nothing.
    With `most`, that is left to who reads all.

    Args:
        paths: Image files.
        options: How they will be read.
        on_progress: Called with 1 after each file.
        skip_bad: Return the unreadable ones instead of raising, as long as one is readable.
        most: Read no more files once so many are readable.

    Returns:
        The `(height, width)` of each readable image, and the others with the reasons.

    Raises:
        ImageError: If any cannot be used: all of them are named at once.
    """
    sizes: dict[Path, tuple[int, int]] = {}
    problems: list[Problem] = []
    constant: list[Path] = []
    results = map_images(_measure, paths, options or ReadOptions())
    for path, result in zip(paths, results, strict=True):
        if isinstance(result, ImageError):
            problems += result.problems
        else:
            sizes[path], shows_nothing = result
            constant += [path] * shows_nothing
        if on_progress is not None:
            on_progress(1)
        if most is not None and len(sizes) == most:
            break
    if most is None:
        warn_of_constant(constant)
    if problems and not (skip_bad and sizes):
        raise ImageError.of_several(problems, readable=bool(sizes))
    return sizes, problems


def read_size(path: Path, options: ReadOptions) -> tuple[int, int]:
    """Return the `(height, width)` of an image; of several pages, of the chosen or the first."""
    height, width = read_stored(path, options.page or 0, options.max_pixels).values.shape
    return height, width


def read_sizes(paths: Sequence[Path], options: ReadOptions) -> dict[Path, tuple[int, int]]:
    """Return the `(height, width)` of each image that can be read."""
    sizes = zip(paths, map_images(read_size, paths, options), strict=True)
    return {path: size for path, size in sizes if not isinstance(size, ImageError)}


def warn_of_constant(paths: Sequence[Path]) -> None:
    """Name images of which all pixels are alike, if there are any."""
    if paths:
        names = ", ".join(map(str, paths[:_NAMED])) + ", …" * (len(paths) > _NAMED)
        _LOGGER.warning(
            "Images are constant, as they are stored or by the window: all pixels are alike, and "
            "they show nothing. Received: %d images, %s",
            len(paths),
            names,
        )


def _measure(path: Path, options: ReadOptions) -> tuple[tuple[int, int], bool]:
    image = read_image(path, options)
    height, width = image.shape
    return (height, width), is_constant(image)
