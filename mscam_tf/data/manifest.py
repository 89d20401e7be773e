"""Lists of labelled images: from class folders or a CSV file, and their honest split."""

import csv
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from mscam_tf.data.images import SUFFIXES, is_image_file
from mscam_tf.files import write_whole

SPLITS = ("train", "validation", "test")
_SPLIT_FOLDERS = {"train", "training", "val", "valid", "validation", "test"}
_COLUMNS = ("path", "label", "group", "split")
# One fold of 5 is the test set, then one fold of 8 of the rest the validation set: 7:1:2.
_TEST_FOLDS, _VALIDATION_FOLDS = 5, 8


class ManifestError(ValueError):
    """A folder or CSV file of labelled images is not as it should be."""


@dataclass(frozen=True)
class Sample:
    """A labelled image: its path below the manifest's root, and what belongs together with it."""

    path: str
    label: str
    group: str
    split: str = ""


@dataclass(frozen=True)
class Manifest:
    """A list of labelled images below one folder."""

    root: Path
    samples: tuple[Sample, ...]

    @property
    def class_names(self) -> list[str]:
        """The labels that occur, sorted: their order is the order of the classes."""
        return sorted({sample.label for sample in self.samples})

    @property
    def paths(self) -> list[Path]:
        """The image files."""
        return [self.root / sample.path for sample in self.samples]

    def select(self, split: str) -> "Manifest":
        """Return the samples of one split."""
        chosen = tuple(sample for sample in self.samples if sample.split == split)
        return replace(self, samples=chosen)


def read_manifest(source: str | Path) -> Manifest:
    """List the labelled images of a folder or of a CSV file.

    Args:
        source: A folder with one folder per class, or a CSV file with the columns `path` (absolute,
            or relative to the file's folder), `label` and optionally `group` (images cut from one
            film or one fish belong together) and `split` (`train`, `validation`, `test`).

    Returns:
        A `Manifest`. Without a `group` column each image is a group of its own.

    Raises:
        ManifestError: If there is no such source, no image in it, or one twice, or a row of the
            CSV file is incomplete.

    Examples:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ["bone/a.png", "bone/b.png", "none/a.png"]:
        ...     (folder / name).parent.mkdir(exist_ok=True)
        ...     (folder / name).touch()
        >>> [(sample.path, sample.label) for sample in read_manifest(folder).samples]
        [('bone/a.png', 'bone'), ('bone/b.png', 'bone'), ('none/a.png', 'none')]
    """
    source = Path(source)
    if source.is_dir():
        manifest = Manifest(source, tuple(_list_folder(source)))
    elif source.is_file() and source.suffix == ".csv":
        manifest = Manifest(source.parent, tuple(_list_csv(source)))
    else:
        raise ManifestError(
            "DATA must be a folder with one folder per class, or a .csv file with the columns "
            f"path,label[,group][,split]. Received: {source}"
        )
    _check_samples(manifest, source)
    return manifest


def split_manifest(manifest: Manifest, seed: int = 0) -> Manifest:
    """Split into train, validation and test as 7:1:2, stratified by label, groups kept together.

    Where every sample has a split already, that is kept.

    Args:
        manifest: The samples.
        seed: The same seed gives the same split.

    Raises:
        ManifestError: If there are fewer than two classes; if only some samples have a split, a
            given split separates a group, or lacks a class; or if a class has too few groups to
            appear in all three.
    """
    if len(manifest.class_names) < 2:
        raise ManifestError(
            "At least two classes are needed. "
            f"Received: {manifest.root} with {manifest.class_names} only"
        )
    given = [bool(sample.split) for sample in manifest.samples]
    if all(given):
        _check_splits(manifest)
        return manifest
    if any(given):
        raise ManifestError(
            "Either every row or none must have a split. "
            f"Received: {sum(given)} of {len(given)} rows with a split"
        )
    labels = np.array([sample.label for sample in manifest.samples])
    groups = np.array([sample.group for sample in manifest.samples])
    _check_groups(labels, groups)
    splits = np.full(len(labels), "train", dtype=object)
    _take_fold(splits, labels, groups, "test", _TEST_FOLDS, seed)
    _take_fold(splits, labels, groups, "validation", _VALIDATION_FOLDS, seed)
    samples = zip(manifest.samples, splits, strict=True)
    return replace(manifest, samples=tuple(replace(s, split=str(split)) for s, split in samples))


def write_manifest(manifest: Manifest, path: str | Path) -> None:
    """Write the samples as a CSV file with the columns path, label, group and split."""
    with write_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(
            [getattr(sample, name) for name in _COLUMNS] for sample in manifest.samples
        )


def _list_folder(folder: Path) -> Iterable[Sample]:
    for path in sorted(folder.glob("*/**/*")):
        if is_image_file(path, folder):
            relative = path.relative_to(folder)
            yield Sample(relative.as_posix(), relative.parts[0], relative.as_posix())


def _list_csv(source: Path) -> Iterable[Sample]:
    with source.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = {"path", "label"} - set(reader.fieldnames or ())
        if missing:
            raise ManifestError(
                f"{source} must have the columns path and label. Received: {reader.fieldnames}"
            )
        for row in reader:
            yield _read_row(row, f"{source}, line {reader.line_num}")


def _read_row(row: dict[str, str | None], place: str) -> Sample:
    values = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    if not values["path"] or not values["label"]:
        raise ManifestError(f"{place}: path and label must not be empty. Received: {row}")
    if values["split"] not in ("", *SPLITS):
        raise ManifestError(
            f"{place}: split must be empty or one of {SPLITS}. Received: {values['split']!r}"
        )
    values["path"] = PurePath(values["path"]).as_posix()
    return Sample(**{**values, "group": values["group"] or values["path"]})


def _check_samples(manifest: Manifest, source: Path) -> None:
    if not manifest.samples:
        raise ManifestError(
            f"No images found. Expected files ({', '.join(SUFFIXES)}) in one folder per class. "
            f"Received: {source}"
        )
    counts = Counter(sample.path for sample in manifest.samples)
    twice = [path for path, count in counts.items() if count > 1]
    if twice:
        raise ManifestError(
            f"Each image must be listed once. Received: {source} with {len(twice)} images listed "
            f"more often, such as {twice[0]}"
        )
    if set(map(str.lower, manifest.class_names)) <= _SPLIT_FOLDERS:
        raise ManifestError(
            "Expected one folder per class, but the folders are named after splits; give a CSV "
            f"file with the columns path,label,split. Received: {source} with "
            f"{manifest.class_names}"
        )


def _check_splits(manifest: Manifest) -> None:
    """A split that is given must be as honest as one of ours."""
    splits: dict[str, set[str]] = {}
    for sample in manifest.samples:
        splits.setdefault(sample.group, set()).add(sample.split)
    torn = {group: sorted(names) for group, names in splits.items() if len(names) > 1}
    if torn:
        raise ManifestError(
            "A group must be in one split, or its images leak from training into the scores. "
            f"Received: {len(torn)} groups in several, such as {next(iter(torn.items()))}"
        )
    for split in SPLITS[:2]:
        missing = set(manifest.class_names) - set(manifest.select(split).class_names)
        if missing:
            raise ManifestError(
                f"Every class must be in the split {split}. Received: none of {sorted(missing)}"
            )


def _check_groups(labels: np.ndarray, groups: np.ndarray) -> None:
    pairs = set(zip(labels.tolist(), groups.tolist(), strict=True))
    counts = Counter(label for label, _ in pairs)
    few = {label: count for label, count in sorted(counts.items()) if count < len(SPLITS)}
    if few:
        raise ManifestError(
            f"Each class needs at least {len(SPLITS)} images (or groups of images), one for each "
            f"of {', '.join(SPLITS)}. Received: {few}"
        )


def _take_fold(
    splits: np.ndarray, labels: np.ndarray, groups: np.ndarray, name: str, folds: int, seed: int
) -> None:
    """Give the name to one fold of the training samples, the first in which no class is missing."""
    rest = np.flatnonzero(splits == "train")
    classes = Counter(labels[rest].tolist())
    # scikit-learn wants one class at least as large as the number of folds.
    for count in range(min(folds, max(classes.values())), 1, -1):
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        with warnings.catch_warnings():  # A class with fewer groups than folds is dealt with here.
            warnings.simplefilter("ignore", UserWarning)
            pairs = list(splitter.split(rest, labels[rest], groups[rest]))
        for left, fold in pairs:
            if set(labels[rest[fold]]) == set(classes) == set(labels[rest[left]]):
                splits[rest[fold]] = name
                return
    raise ManifestError(
        f"No split keeps all classes in {name} while groups stay together; give a `split` column, "
        f"or more groups. Received: images per class {dict(Counter(labels.tolist()))}"
    )
