"""Decide how films and frames are cut into patches, and what each patch shows."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import find_objects

from mscam_tf.data.manifests import (
    NO_OBJECT,
    OBJECT,
    Box,
    Manifest,
    ManifestError,
    Sample,
    check_inside,
    find_denied,
    refuse_denied,
)
from mscam_tf.data.reading import number_objects
from mscam_tf.data.tiling.config import Tiling
from mscam_tf.data.tiling.frames import name_frame, read_frame, read_frame_mask

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patch:
    """A window of a frame: its upper left corner, and the boxes in it, in its own pixels."""

    frame: str
    x: int
    y: int
    boxes: tuple[Box, ...]

    @property
    def path(self) -> str:
        """Where the patch is written, below the folder."""
        return f"images/{name_frame(self.frame)}/x{self.x:05d}_y{self.y:05d}.png"


def plan_patches(
    frames: Manifest,
    tiling: Tiling,
    *,
    boxes: Mapping[str, Sequence[Box]] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[list[Patch], Counter[str]]:
    """Decide which patches to cut.

    Objects are the boxes if these are given, else the objects of the masks.

    Args:
        frames: The frames, and their masks if they have any, from `list_frames`.
        tiling: How to cut.
        boxes: For each frame its boxes, from `match_boxes`.
        on_progress: Called with 1 after each frame.

    Returns:
        The patches, and how many were found of each kind: `object`, `none`, `ambiguous`, and
        `left out` of those without an object.

    Raises:
        ImageError: If a frame or mask cannot be read, or a mask has another size than its frame.
        ManifestError: If a box lies wholly outside its frame, or a label denies what is marked: a
            frame labelled `none` has an object, or, where some are so, another has none.
    """
    patches: list[Patch] = []
    counts: Counter[str] = Counter()
    bare: list[Sample] = []
    for frame in frames.samples:
        height, width = read_frame(frames.root / frame.path, tiling.read).shape
        size = (height, width)
        marked, find = _make_finder(frames, frame, size, tiling, boxes)
        if frame.label == NO_OBJECT:
            drawn, masked = (marked, False) if boxes is not None else ([], bool(marked))
            refuse_denied([find_denied(frame, drawn, masked=masked)])
        elif not marked:
            bare.append(frame)
        for x, y in list_corners(size, tiling):
            patch = Patch(frame.path, x, y, tuple(find(x, y)))
            kind = classify_patch(patch, tiling.min_visible)
            counts[kind] += 1
            if kind != "ambiguous":
                patches.append(patch)
        if on_progress is not None:
            on_progress(1)
    _note_bare(frames, bare)
    kept = _draw_empty(patches, tiling)
    counts["left out"] = len(patches) - len(kept)
    return kept, counts


def list_corners(frame_size: tuple[int, int], tiling: Tiling) -> Iterator[tuple[int, int]]:
    """Return the upper left corners `(x, y)` of the patches of a frame `(height, width)`.

    Examples:
        >>> list(list_corners((4, 9), Tiling(size=4, overlap=0.25)))  # Shifted back from 6 to 5.
        [(0, 0), (3, 0), (5, 0)]
        >>> list(list_corners((4, 9), Tiling(size=4, border="drop")))
        [(0, 0), (4, 0)]
    """
    height, width = frame_size
    for y in list_starts(height, tiling):
        for x in list_starts(width, tiling):
            yield x, y


def list_starts(length: int, tiling: Tiling) -> list[int]:
    """Return where patches begin along a side of this many pixels."""
    step = max(1, round(tiling.size * (1 - tiling.overlap)))
    starts = list(range(0, length - tiling.size + 1, step))
    if tiling.border == "drop" or (starts and starts[-1] + tiling.size == length):
        return starts
    if not starts:
        return [0]
    last = length - tiling.size if tiling.border == "shift" else starts[-1] + step
    return [*starts, last]


def _make_finder(
    frames: Manifest,
    frame: Sample,
    size: tuple[int, int],
    tiling: Tiling,
    boxes: Mapping[str, Sequence[Box]] | None,
) -> tuple[list[Box], Callable[[int, int], Iterator[Box]]]:
    """Return the boxes of a frame, and what finds those in the window at `(x, y)`."""
    if boxes is not None or not frame.mask:
        found = list((boxes or {}).get(frame.path, ()))
        check_inside(found, frame.path, size)
        return found, lambda x, y: _find_boxes(found, x, y, tiling.size)
    objects = number_objects(read_frame_mask(frames, frame, size, tiling.read))
    wholes = {
        number: (_to_box(slices), _count_most(objects[slices] == number, tiling.size))
        for number, slices in enumerate(find_objects(objects), start=1)
        if slices is not None
    }
    marked = [box for box, _ in wholes.values()]
    return marked, lambda x, y: _find_regions(objects, wholes, x, y, tiling.size)


def _note_bare(frames: Manifest, bare: Sequence[Sample]) -> None:
    """Nothing marked may mean that nobody has looked: a label may tell; otherwise say it."""
    if bare and any(frame.label == NO_OBJECT for frame in frames.samples):
        raise ManifestError(
            "Frames with an object must have it marked, or all their patches would be labelled "
            f"{NO_OBJECT}: mark it, or leave the frame out. Received: {len(bare)} with nothing "
            f"marked, such as {bare[0].place or bare[0].path}, labelled {bare[0].label!r}"
        )
    if 0 < len(bare) < len(frames.samples):
        _LOGGER.warning(
            "%d of %d frames have nothing marked in them, such as %s: all their patches are "
            "labelled %s.",
            *(len(bare), len(frames.samples), bare[0].path, NO_OBJECT),
        )


def _find_boxes(boxes: Sequence[Box], x: int, y: int, side: int) -> Iterator[Box]:
    for box in boxes:
        cut = box.shift(-x, -y).clip(side, side)
        if cut is not None:
            yield cut


def _find_regions(
    objects: np.ndarray, wholes: Mapping[int, tuple[Box, int]], x: int, y: int, side: int
) -> Iterator[Box]:
    """Box what is left of each object in a window; its share counts pixels, not the box."""
    window = objects[y : y + side, x : x + side]
    for number, slices in enumerate(find_objects(window), start=1):
        if slices is not None:
            whole, most = wholes[number]
            visible = np.count_nonzero(window[slices] == number) / most
            yield replace(_to_box(slices), object_size=whole.size, visible=visible)


def _count_most(region: np.ndarray, side: int) -> int:
    """Return the most pixels of an object that any square window of this side can hold."""
    height, width = (min(side, length) for length in region.shape)
    sums = np.pad(region, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    rows = sums[height:] - sums[:-height]
    return int((rows[:, width:] - rows[:, :-width]).max())


def _to_box(slices: tuple[slice, slice]) -> Box:
    rows, columns = slices
    return Box(columns.start, rows.start, columns.stop, rows.stop)


def classify_patch(patch: Patch, min_visible: float) -> str:
    """Say whether a patch shows an `object`, `none`, or parts only (`ambiguous`)."""
    if not patch.boxes:
        return NO_OBJECT
    visible = any(box.visible >= min_visible for box in patch.boxes)
    return OBJECT if visible else "ambiguous"


def _draw_empty(patches: list[Patch], tiling: Tiling) -> list[Patch]:
    empty = [index for index, patch in enumerate(patches) if not patch.boxes]
    if tiling.empty is None:
        return patches
    wanted = min(len(empty), round(tiling.empty * (len(patches) - len(empty))))
    drawn = np.random.default_rng(tiling.seed).choice(empty, wanted, replace=False).tolist()
    out = set(empty) - set(drawn)
    return [patch for index, patch in enumerate(patches) if index not in out]
