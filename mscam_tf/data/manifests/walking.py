"""Walk through folders of images; what is left out is counted and said."""

import logging
import os
from collections import defaultdict, deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from mscam_tf.data.manifests.naming import is_truth, strip_mask
from mscam_tf.data.manifests.samples import BOXES_FILE, MANIFEST_FILE, OBJECT_FILES
from mscam_tf.data.manifests.spelling import identify
from mscam_tf.data.reading import MASKS_FOLDER, SUFFIXES

_LOGGER = logging.getLogger(__name__)
_SYSTEM = {  # Thumbnails, snapshots and bins of disks and archives.
    *("@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "@__thumb", "__macosx", "__pycache__"),
    *("$recycle.bin", "system volume information", "lost+found", "thumbnails", "thumbs"),
    *("network trash folder", "temporary items"),
}


# Files that folders of results have, each kind its own: pictures there are none of a data set.
_RESULTS = (
    {"config.json", "split.csv"},
    {"inspection.json"},
    {"explanations.csv"},
    {"confusions.csv", "images.csv"},
    {"pod.json"},
    {"localization.json"},
)
TILING_FILE = "tiling.json"  # What a folder of patches of films has.
_SETS = (TILING_FILE, MANIFEST_FILE)  # Files of data sets of their own.


@dataclass
class Listing:
    """What a folder holds, by paths below it with forward slashes.

    Attributes:
        folders: Folders directly in it, those of masks and of the system left out.
        images: Image files, sorted.
        truths: Pictures in folders named `ground_truth`, and masks beside their image, such as
            `1_mask.png` beside `1.png`, sorted.
        again: Pairs of two names of one file or folder: the one left out, and the one listed.
        left_out: What else is left out, by kind.
    """

    folders: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    truths: list[str] = field(default_factory=list)
    again: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def list_files(folder: Path, *, sets: bool = True) -> list[Path]:
    """List all images below a folder, also in linked folders, and say what is left out.

    Args:
        folder: The folder.
        sets: Whether data sets of their own in it, as `mscam tile` makes them, are listed too.
    """
    listing = walk(folder, sets=sets)
    listing.left_out["pictures of a ground truth"] += listing.truths
    say_left_out(folder, listing.left_out)
    return [folder / path for path in listing.images]


def say_left_out(folder: Path, left_out: Mapping[str, list[str]]) -> None:
    """Log one warning: how many of each kind are left out of a folder, with an example of each."""
    kinds = [
        f"{kind} ({len(paths)}, such as {paths[0]})" for kind, paths in left_out.items() if paths
    ]
    if kinds:
        _LOGGER.warning("Left out of %s: %s.", folder, "; ".join(kinds))


def walk(folder: Path, *, sets: bool = True) -> Listing:
    """List the images below a folder, each file once, whatever links lead to it.

    Folders below it that hold results, such as a run or explanations, are left out, and on request
    data sets of their own, such as patches: they have a manifest. Linked folders come last, so that
    a file is known by its own place, and links in a circle end.
    """
    listing, seen, links = Listing(), dict[Hashable, str](), deque([""])
    while links:
        inside = [links.popleft()]
        while inside:
            here = inside.pop()
            if _is_new(folder, here, listing, seen):
                entries = _scan(folder, here, listing)
                kind = _name_content({entry.name for entry in entries}, sets) if here else ""
                if kind:
                    listing.left_out[kind].append(here)
                    listing.folders = [name for name in listing.folders if name != here]
                    continue
                for entry in entries:
                    path = f"{here}/{entry.name}" if here else entry.name
                    if _is_left_out(entry, path, listing):
                        continue
                    if not entry.is_dir():
                        _add_image(folder, path, listing, seen)
                        continue
                    listing.folders += [] if here else [path]
                    (links if entry.is_symlink() else inside).append(path)
    _take_masks(listing)
    for paths in (listing.folders, listing.images, listing.truths):
        paths.sort(key=lambda path: path.split("/"))
    _note_again(listing)
    return listing


def holds_sets(folder: Path) -> bool:
    """Whether there are data sets of their own in a folder, several, and no folder or image else.

    Then they may be classes: patches of good films, and those of bad ones.
    """
    found = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    folders = [entry for entry in found if entry.is_dir()]
    loose = any(entry.suffix in SUFFIXES for entry in found if entry.is_file())
    own = (any((entry / name).is_file() for name in _SETS) for entry in folders)
    return len(folders) > 1 and not loose and all(own)


def _is_new(folder: Path, path: str, listing: Listing, seen: dict[Hashable, str]) -> bool:
    first = seen.setdefault(identify(folder / path), path)
    if first != path:
        listing.again.append((path, first))
    return first == path


def _scan(folder: Path, here: str, listing: Listing) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder / here) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        if not here:
            raise
        listing.left_out["folders that cannot be opened"].append(here)
        return []


def _name_content(names: set[str], sets: bool) -> str:
    """Name what a folder with these entries is that is left out; nothing if it is taken."""
    if any(marks <= names for marks in _RESULTS):
        return "folders of results of mscam"
    return "" if sets or names.isdisjoint(_SETS) else "data sets of their own"


def _is_left_out(entry: "os.DirEntry[str]", path: str, listing: Listing) -> bool:
    try:
        kind = _name_kind(entry)
    except OSError:  # A link to itself, or to where nobody may look.
        kind = "broken links or devices"
    if kind and path not in (BOXES_FILE, *OBJECT_FILES):  # These are read, and no images.
        listing.left_out[kind].append(path)
    return bool(kind)


def _name_kind(entry: "os.DirEntry[str]") -> str:
    """Name what an entry is that is left out; nothing if it is taken."""
    name, kind = entry.name.casefold(), ""
    if name.startswith("."):
        kind = "hidden files or folders"
    elif entry.is_dir():
        if name in _SYSTEM:
            kind = "folders of thumbnails or of the system"
        elif name == MASKS_FOLDER:
            kind = "folders of masks"
    elif not entry.is_file():
        kind = "broken links or devices"
    elif PurePath(name).suffix not in SUFFIXES:
        kind = "files without the suffix of an image"
    return kind


def _add_image(folder: Path, path: str, listing: Listing, seen: dict[Hashable, str]) -> None:
    if _is_new(folder, path, listing, seen):
        truth = any(map(is_truth, path.split("/")[:-1]))
        (listing.truths if truth else listing.images).append(path)


def _take_masks(listing: Listing) -> None:
    """Pictures beside an image, and named after it as its mask, are truths and no images."""
    stems = {PurePath(path).with_suffix("") for path in listing.images}
    masks = set()
    for path in listing.images:
        stem = PurePath(path).with_suffix("")
        base = strip_mask(stem.name)
        if base not in ("", stem.name) and stem.with_name(base) in stems:
            masks.add(path)
    listing.truths += masks
    listing.images[:] = [path for path in listing.images if path not in masks]


def _note_again(listing: Listing) -> None:
    for path, first in listing.again:
        circle = not first or path.startswith(f"{first}/")
        kind = "links in a circle" if circle else "second names of what is listed already"
        listing.left_out[kind].append(path)
