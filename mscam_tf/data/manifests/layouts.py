"""What the folders of a data set mean: classes, splits with classes, or masks."""

import logging
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from mscam_tf.data.manifests.naming import (
    find_split,
    find_splits,
    holds_masks,
    is_no_class,
    is_of_masks,
    is_truth,
    list_joined,
    strip_mask,
)
from mscam_tf.data.manifests.samples import ManifestError, Sample
from mscam_tf.data.manifests.walking import Listing, holds_sets, say_left_out, walk
from mscam_tf.names import show_place

_LOGGER = logging.getLogger(__name__)


def list_classes(folder: Path) -> list[Sample]:
    """List the images of a folder by class, and by split where its folders are splits.

    Raises:
        ManifestError: If its folders are neither classes nor splits with classes.
    """
    listing = walk(folder, sets=holds_sets(folder))
    loose = [path for path in listing.images if "/" not in path]
    listing.left_out["images in no class folder"] += loose
    _check_tops(folder, listing.folders)
    splits = bool(find_splits(listing.folders))
    images = _leave_masks([path for path in listing.images if "/" in path], 1 + splits, listing)
    if splits:
        samples = _read_splits(folder, images, listing)
    else:
        samples = _read_classes(folder, images)
        listing.left_out["pictures of a ground truth"] += listing.truths
    _check_again(folder, listing, samples)
    _warn_of_twins(folder, images)
    _warn_of_inner(folder, images, int(splits))
    used = {path.split("/")[0] for path in (*listing.images, *listing.truths)}
    listing.left_out["folders without an image"] += [n for n in listing.folders if n not in used]
    say_left_out(folder, listing.left_out)
    return samples


def _check_tops(folder: Path, names: Sequence[str]) -> None:
    """Splits, or what is no class by its name, stand beside nothing else."""
    splits = list(find_splits(names))
    odd = [name for name in names if name not in splits and is_no_class(name)]
    others = [name for name in names if name not in splits and not is_truth(name)]
    if splits and others:
        raise _refuse(folder, f"the splits {splits} beside {others}")
    if odd and not splits:
        raise _refuse(folder, f"{odd}, which are no classes by their names, beside {names}")
    joined = list_joined(names)
    if joined:
        raise _refuse(folder, f"a split and something else in one name, {joined}")


def _leave_masks(images: Sequence[str], depth: int, listing: Listing) -> list[str]:
    """Leave out what lies in a folder of masks inside a class, which is `depth` folders down."""
    masks = {path for path in images if any(map(holds_masks, path.split("/")[depth:-1]))}
    listing.left_out["pictures in folders of masks"] += sorted(masks)
    return [path for path in images if path not in masks]


def _warn_of_twins(folder: Path, images: Sequence[str]) -> None:
    """An image and its mask may differ in their suffix only, or be two copies."""
    counts = Counter(PurePosixPath(path).with_suffix("") for path in images)
    twins = [path for path in images if counts[PurePosixPath(path).with_suffix("")] > 1]
    if twins:
        _LOGGER.warning(
            "%d images of %s differ from another in the suffix only, such as %s: all are taken. "
            "List the images in a CSV file if some of them are masks.",
            len(twins),
            folder,
            " and ".join(twins[:2]),
        )


def _warn_of_inner(folder: Path, images: Sequence[str], depth: int) -> None:
    """Classes may lie in folders of days or cameras, or of splits whose names nobody knows."""
    parts = [path.split("/")[depth:-1] for path in images]
    if not all(len(names) > 1 for names in parts):
        return
    outer = defaultdict(set)
    for names in parts:
        outer[names[1]].add(names[0])
    shared = sorted(name for name, tops in outer.items() if len(tops) > 1)
    if len(shared) > 1:
        _LOGGER.warning(
            "The classes of %s are %s. In several of them are folders of the same names, %s: if "
            "these are the classes, list the images in a CSV file with the columns path,label.",
            folder,
            sorted({names[0] for names in parts}),
            shared,
        )


def _check_masks(folder: Path, images: Sequence[str]) -> None:
    """A folder such as `mask` beside classes is none if all its pictures are named as theirs."""
    stems: dict[str, set[str]] = defaultdict(set)
    for path in images:
        stems[path.split("/")[0]].add(PurePosixPath(_strip_mask(path)).name)
    for name in stems:
        others = set().union(*(found for other, found in stems.items() if other != name))
        if is_of_masks(name) and stems[name] <= others:
            raise _refuse(folder, f"{name!r}, whose pictures seem to be masks of the others")


def _read_classes(folder: Path, images: Sequence[str]) -> list[Sample]:
    """Read `class/image`, or `class/split/image` if that holds for all."""
    _check_masks(folder, images)
    parts = {path: PurePosixPath(path).parts for path in images}
    split = [path for path in images if any(map(find_split, parts[path][1:-1]))]
    if not split:
        return [_make_sample(path, parts[path][0]) for path in images]
    deep = [path for path in split if len(parts[path]) > 3]
    if deep:
        raise _refuse(folder, f"folders inside a split inside a folder, such as {deep[0]}")
    plain = [p for p in images if not (len(parts[p]) == 3 and find_split(parts[p][1]))]
    if plain:
        raise _refuse(folder, f"a split inside a class, such as {split[0]}, beside {plain[0]}")
    return [_make_sample(path, parts[path][0], find_split(parts[path][1])) for path in images]


def _read_splits(folder: Path, images: Sequence[str], listing: Listing) -> list[Sample]:
    """Read `split/class/image`, with the masks of a ground truth."""
    parts = {path: PurePosixPath(path).parts for path in images}
    inner = find_splits(parts[path][1] for path in images)
    for path in images:
        if len(parts[path]) < 3:
            raise _refuse(folder, f"an image in no class folder of its split, {path}")
        if parts[path][1] in inner or any(map(find_split, parts[path][2:-1])):
            raise _refuse(folder, f"a split inside a split, {path}")
        if is_no_class(parts[path][1]):
            raise _refuse(folder, f"a folder in a split, which is no class by its name, {path}")
    masks = _match_truths(folder, images, listing)
    return [
        _make_sample(path, parts[path][1], find_split(parts[path][0]), masks.get(path, ""))
        for path in images
    ]


def _match_truths(folder: Path, images: Sequence[str], listing: Listing) -> Mapping[str, str]:
    """Find the mask of each image: `ground_truth/crack/1_mask.png` of `test/crack/1.png`."""
    truths = _leave_folders(images, listing)
    plain = {_strip_mask(path): path for path in truths}
    named = {path.partition("/")[2]: mask for path, mask in plain.items()} | plain
    found = {}
    for path in images:
        name = PurePosixPath(path).with_suffix("").as_posix()
        mask = named.get(name) or named.get(name.partition("/")[2])
        if mask:
            found[path] = mask
    used = Counter(found.values())
    listing.left_out["masks of no image"] += [path for path in truths if not used[path]]
    labels = {PurePosixPath(path).parts[1] for path in images}
    masked = {PurePosixPath(path).parts[1] for path in found}
    bare = [p for p in images if p not in found and PurePosixPath(p).parts[1] in masked]
    twice = [path for path, count in used.items() if count > 1]
    if twice or bare:
        wrong = f"{twice[0]}, which fits several images" if twice else f"no mask of {bare[0]}"
        raise _refuse(folder, f"masks amiss ({len(twice) or len(bare)}), such as {wrong}")
    if truths and len(labels - masked) > 1:
        raise _refuse(folder, f"masks, but none of several classes: {sorted(labels - masked)}")
    return found


def _leave_folders(images: Sequence[str], listing: Listing) -> list[str]:
    """Leave out masks such as `ground_truth/crack/1/000.png`: an image can have several there."""
    names = {PurePosixPath(path).with_suffix("").as_posix().partition("/")[2] for path in images}
    inside = [p for p in listing.truths if str(PurePosixPath(p).parent).partition("/")[2] in names]
    listing.left_out["masks in a folder for each image; use one file for each"] += inside
    return sorted(set(listing.truths) - set(inside), key=listing.truths.index)


def _strip_mask(path: str) -> str:
    plain = PurePosixPath(path).with_suffix("")
    return plain.with_name(strip_mask(plain.name) or plain.name).as_posix()


def _make_sample(path: str, label: str, split: str = "", mask: str = "") -> Sample:
    plain = unicodedata.normalize("NFC", label)
    return Sample(path, plain.strip() or plain, path, split, mask)  # As a CSV file would read it.


def _check_again(folder: Path, listing: Listing, samples: Sequence[Sample]) -> None:
    """A file that a link shows in a second class or split has no label that is right."""
    depth = 2 if any(sample.split for sample in samples) else 1
    for path, first in listing.again:
        places = [one.split("/")[:depth] for one in (path, first)]
        if places[0] != places[1] and first and not path.startswith(f"{first}/"):
            raise _refuse(folder, f"one file or folder under two names, {first} and {path}")


def _refuse(folder: Path, found: str) -> ManifestError:
    return ManifestError(
        "Expected one folder per class, or folders named train, validation and test with one "
        "folder per class in each. Arrange the folders so, or list the images in a CSV file with "
        f"the columns path,label,split. Received: {show_place(folder)} with {found}"
    )
