"""Match boxes with the images that they are of, however both are spelled."""

import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TypeVar

from mscam_tf.data.manifests.box import Box
from mscam_tf.data.manifests.naming import loosen
from mscam_tf.data.manifests.samples import ManifestError
from mscam_tf.data.manifests.spelling import Spellings, normalize_path
from mscam_tf.data.manifests.tables import Row

_LOGGER = logging.getLogger(__name__)
_Box = TypeVar("_Box", bound=Box | Row)  # A row of a table may be one.


class OtherDataError(ManifestError):
    """There are boxes, but of no image that is listed, or nearly: they belong to other data."""


def match_boxes(
    boxes: Mapping[str, Sequence[_Box]], paths: Iterable[str], root: str | Path = "."
) -> dict[str, Sequence[_Box]]:
    """Find the boxes of each image: by its path, or by its file name if that is unique.

    One path may be spelled in several ways: with `..`, absolute, by a link, with back slashes, or
    with letters composed otherwise.

    Args:
        boxes: From `read_boxes`.
        paths: Images, as a manifest lists them.
        root: The manifest's folder, to which the paths are relative.

    Returns:
        For each path its boxes, possibly none. Boxes of images that are not listed are left out,
        and a warning is logged.

    Raises:
        ManifestError: If a file name fits several images, there are boxes, but of no image in
            `paths`, or a name that is not listed differs from one that is by letter case, suffix or
            the folders that it begins with; it names the line of such a box.

    Examples:
        >>> from mscam_tf import Box
        >>> match_boxes({"w1.png": [Box(0, 0, 2, 3)]}, ["films/w1.png", "films/w2.png"])
        {'films/w1.png': [Box(x_min=0, ...)], 'films/w2.png': []}
    """
    found: dict[str, Sequence[_Box]] = {path: [] for path in paths}
    index = _Index(found, Path(root))
    unmatched: list[str] = []
    for image, rows in boxes.items():
        listed = index.find(image, next((row.place for row in rows), ""))
        if listed is None:
            unmatched.append(image)
        else:
            found[listed] = [*found[listed], *rows]
    if boxes and len(unmatched) == len(boxes):
        raise OtherDataError(
            "The boxes must be of images that are listed. Received: boxes of "
            f"{unmatched[0]}, images such as {next(iter(found), 'none')}"
        )
    if unmatched:
        _LOGGER.warning(
            "%d boxes are left out: their %d images are not listed, such as %s.",
            sum(len(boxes[image]) for image in unmatched),
            len(unmatched),
            unmatched[0],
        )
    return found


class _Index:
    """Find listed images by their path, the file it leads to, or their file name alone."""

    def __init__(self, paths: Iterable[str], root: Path) -> None:
        self._root = root
        self._paths = dict.fromkeys(paths)
        self._spellings = Spellings(self._paths, root)
        self._named: dict[str, list[str]] = defaultdict(list)
        self._loose = {_loosen(normalize_path(path)): path for path in self._paths}
        self._tails = {
            tail: path for loose, path in self._loose.items() for tail in _list_tails(loose)
        }
        for path in self._paths:
            self._named[normalize_path(PurePath(path).name)].append(path)

    def find(self, image: str, place: str) -> str | None:
        """Return the listed path of an image, if it is listed; `place` is that of its box."""
        plain = normalize_path(image)
        fitting = self._named.get(plain, ())
        listed = self._spellings.find(image, self._root)
        if listed is None and fitting and os.path.isfile(self._root / image):  # noqa: PTH113
            raise _refuse(place, image, [image, *fitting])  # Another file, which is not listed.
        listed = listed or (fitting[0] if len(fitting) == 1 else None)
        if listed is None:
            near = fitting or self._find_near(image, plain)
            if near:
                raise _refuse(place, image, near)
        return listed

    def _find_near(self, image: str, plain: str) -> list[str]:
        """Find what differs in letter case, suffix, or the folders that either begins with."""
        loose = _loosen(plain)
        if loose not in self._tails and os.path.isfile(self._root / image):  # noqa: PTH113
            return []  # Another file, which is not listed.
        ends = (end for end in _list_tails(loose) if end in self._loose)
        near = self._tails.get(loose) or self._loose.get(next(ends, ""))
        return [near] if near else []


def _refuse(place: str, image: str, fitting: Sequence[str]) -> ManifestError:
    where = f"{place}: " if place else ""
    if len(fitting) == 1:
        return ManifestError(
            f"{where}the image of a box must be written as it is listed. "
            f"Received: {image}, but {fitting[0]} is listed"
        )
    return ManifestError(
        f"{where}a file name must fit one image; give the path of each instead. Received: {image}, "
        f"which fits {len(fitting)} images, such as {fitting[0]} and {fitting[1]}"
    )


def _loosen(path: str) -> str:
    return loosen(PurePath(path).with_suffix("").as_posix())


def _list_tails(path: str) -> list[str]:
    """Return a path, and what is left of it without the folders that it begins with."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
