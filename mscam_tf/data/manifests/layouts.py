"""What the folders of a data set mean: classes, splits with classes, or masks."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from mscam_tf.data.manifests.samples import ManifestError, Sample
from mscam_tf.data.manifests.walking import Listing, is_truth, say_left_out, walk

_SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "traindata", "학습", "훈련"), "train"),
    **dict.fromkeys(("validation", "validate", "valid", "val", "dev", "검증"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "testdata", "holdout", "시험", "테스트"), "test"),
}
_FILLERS = {"set", "data", "dataset", "image", "images", "img", "imgs", "split", "folder"}
_NO_CLASS = {
    *("images", "labels", "annotations"),  # As YOLO has them.
    *("eval", "evaluation", "development", "unlabeled", "unlabelled"),
}
_FOLD = re.compile(r"folds?[\W_]*\d+", re.IGNORECASE)  # Without a number it may be a defect.
_SPELT = re.compile(r"(\w+?)(?:set|data|dataset|images|imgs|split)")


def find_split(name: str) -> str:
    """Return the split that a folder is named after, in any spelling, or nothing.

    Examples:
        >>> [find_split(name) for name in ("Training", "val_set", "Test-2", "testset", "bone")]
        ['train', 'validation', 'test', 'test', '']
    """
    words = _list_words(name)
    kept = [word for word in words if word not in _FILLERS] or words
    if len(kept) != 1:
        return _SPLITS.get("".join(kept), "")  # Such as hold-out.
    joined = _SPELT.fullmatch(kept[0])
    return _SPLITS.get(kept[0], "") or _SPLITS.get(joined[1] if joined else "", "")


def list_classes(folder: Path) -> list[Sample]:
    """List the images of a folder by class, and by split where its folders are splits.

    Raises:
        ManifestError: If its folders are neither classes nor splits with classes.
    """
    listing = walk(folder)
    loose = [path for path in listing.images if "/" not in path]
    images = [path for path in listing.images if "/" in path]
    listing.left_out["images in no class folder"] += loose
    _check_tops(folder, listing.folders)
    if any(map(find_split, listing.folders)):
        samples = _read_splits(folder, images, listing)
    else:
        samples = _read_classes(folder, images)
        listing.left_out["pictures of a ground truth"] += listing.truths
    _check_again(folder, listing, samples)
    used = {path.split("/")[0] for path in (*images, *listing.truths)}
    listing.left_out["folders without an image"] += [n for n in listing.folders if n not in used]
    say_left_out(folder, listing.left_out)
    return samples


def _list_words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", name)
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)  # As in trainSet.
    return re.findall(r"[^\W\d_]+", plain.casefold())


def _check_tops(folder: Path, names: Sequence[str]) -> None:
    """Splits, or what is no class by its name, stand beside nothing else."""
    splits = [name for name in names if find_split(name)]
    odd = [name for name in names if name not in splits and _is_no_class(name)]
    others = [name for name in names if name not in splits and not is_truth(name)]
    if splits and others:
        raise _refuse(folder, f"the splits {splits} beside {others}")
    if odd and not splits:
        raise _refuse(folder, f"{odd}, which are no classes by their names, beside {names}")


def _is_no_class(name: str) -> bool:
    words = _list_words(name)
    known = len(words) < 3 and bool(_NO_CLASS & {*words[:1]})
    return known or is_truth(name) or bool(_FOLD.fullmatch(name))


def _read_classes(folder: Path, images: Sequence[str]) -> list[Sample]:
    """Read `class/image`, or `class/split/image` if that holds for all."""
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
    for path in images:
        if len(parts[path]) < 3:
            raise _refuse(folder, f"an image in no class folder of its split, {path}")
        if any(map(find_split, parts[path][1:-1])):
            raise _refuse(folder, f"a split inside a split, {path}")
    masks = _match_truths(folder, images, listing)
    return [
        _make_sample(path, parts[path][1], find_split(parts[path][0]), masks.get(path, ""))
        for path in images
    ]


def _match_truths(folder: Path, images: Sequence[str], listing: Listing) -> Mapping[str, str]:
    """Find the mask of each image: `ground_truth/crack/1_mask.png` of `test/crack/1.png`."""
    named = {_name_truth(path): path for path in listing.truths}
    found = {}
    for path in images:
        name = PurePosixPath(path).with_suffix("").as_posix()
        mask = named.get(name) or named.get(name.partition("/")[2])
        if mask:
            found[path] = mask
    used = Counter(found.values())
    listing.left_out["masks of no image"] += [path for path in listing.truths if not used[path]]
    labels = {PurePosixPath(path).parts[1] for path in images}
    masked = {PurePosixPath(path).parts[1] for path in found}
    bare = [p for p in images if p not in found and PurePosixPath(p).parts[1] in masked]
    twice = [path for path, count in used.items() if count > 1]
    if twice or bare:
        wrong = f"{twice[0]}, which fits several images" if twice else f"no mask of {bare[0]}"
        raise _refuse(folder, f"masks amiss ({len(twice) or len(bare)}), such as {wrong}")
    if listing.truths and len(labels - masked) > 1:
        raise _refuse(folder, f"masks, but none of several classes: {sorted(labels - masked)}")
    return found


def _name_truth(path: str) -> str:
    name = PurePosixPath(*PurePosixPath(path).parts[1:]).with_suffix("").as_posix()
    return re.sub(r"[_-](mask|gt)$", "", name, flags=re.IGNORECASE)


def _make_sample(path: str, label: str, split: str = "", mask: str = "") -> Sample:
    return Sample(path, unicodedata.normalize("NFC", label), path, split, mask)


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
        f"the columns path,label,split. Received: {folder} with {found}"
    )
