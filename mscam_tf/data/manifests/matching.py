"""Match boxes with the images that they are of, however both are spelled."""

import logging
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from mscam_tf.data.manifests.box import Box
from mscam_tf.data.manifests.samples import ManifestError
from mscam_tf.data.manifests.spelling import find_spelling, identify, normalize_path

_LOGGER = logging.getLogger(__name__)


def match_boxes(
    boxes: Mapping[str, Sequence[Box]], paths: Iterable[str], root: str | Path = "."
) -> dict[str, Sequence[Box]]:
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
            `paths`, or a name that is not listed differs from one that is by letter case or suffix.

    Examples:
        >>> match_boxes({"w1.png": [Box(0, 0, 2, 3)]}, ["films/w1.png", "films/w2.png"])
        {'films/w1.png': [Box(x_min=0, ...)], 'films/w2.png': []}
    """
    found: dict[str, Sequence[Box]] = {path: [] for path in paths}
    index = _Index(found, Path(root))
    unmatched: list[str] = []
    for image, rows in boxes.items():
        listed = index.find(image)
        if listed is None:
            unmatched.append(image)
        else:
            found[listed] = [*found[listed], *rows]
    if boxes and len(unmatched) == len(boxes):
        raise ManifestError(
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
        self._spelled = {normalize_path(path): path for path in self._paths}
        self._files: dict[Hashable, str] = {}
        self._named: dict[str, list[str]] = defaultdict(list)
        self._loose: dict[str, str] = {}
        for path in self._paths:
            name = normalize_path(PurePath(path).name)
            self._named[name].append(path)
            self._loose |= {_loosen(name): path, _loosen(normalize_path(path)): path}

    def find(self, image: str) -> str | None:
        """Return the listed path of an image, if it is listed."""
        if image in self._paths:
            return image
        plain = normalize_path(image)
        fitting = self._named.get(plain, ())
        listed = self._spelled.get(plain) or (fitting[0] if len(fitting) == 1 else None)
        listed = listed or self._find_file(image)
        if listed is None and (len(fitting) > 1 or _loosen(plain) in self._loose):
            raise self._refuse(image, fitting or [self._loose[_loosen(plain)]])
        return listed

    def _find_file(self, image: str) -> str | None:
        """Links and absolute paths are followed, but only where a path is found in no other way."""
        if not self._files:
            self._files = {identify(self._root / path): path for path in self._paths}
        return self._files.get(identify(self._root / find_spelling(image, self._root)))

    def _refuse(self, image: str, fitting: Sequence[str]) -> ManifestError:
        if len(fitting) == 1:
            return ManifestError(
                "The image of a box must be written as it is listed. "
                f"Received: {image}, but {fitting[0]} is listed"
            )
        return ManifestError(
            f"A file name must fit one image; give the path of each instead. Received: {image}, "
            f"which fits {len(fitting)} images, such as {fitting[0]} and {fitting[1]}"
        )


def _loosen(path: str) -> str:
    return PurePath(path).with_suffix("").as_posix().casefold()
