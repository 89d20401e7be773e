"""Splits, stratified by class and with groups kept together: 7:1:2 or k-fold."""

import logging
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mscam_tf.data.manifests.samples import SPLITS, Manifest, ManifestError
from mscam_tf.data.manifests.spelling import Spellings
from mscam_tf.names import show_place
from mscam_tf.settings import Number, check_setting, check_value

_LOGGER = logging.getLogger(__name__)
# One fold of 5 is the test set, then one fold of 8 of the rest the validation set: 7:1:2.
_TEST_FOLDS, _VALIDATION_FOLDS = 5, 8
_SHUFFLES = 10  # Few large groups fall well by luck only, so a few shuffles are tried.


def split_manifest(manifest: Manifest, seed: int = 0) -> Manifest:
    """Split into train, validation and test as 7:1:2, stratified by label, groups kept together.

    If every sample already has a split, it is kept; if none of them is `validation`, an eighth of
    the training images becomes it, and a warning is logged.

    Args:
        manifest: The samples.
        seed: The same seed gives the same split.

    Returns:
        The samples, each with its split.

    Raises:
        MscamError: If the seed is none that NumPy takes.
        ManifestError: If there are fewer than two classes; if only some samples have a split, a
            given split separates a group, or lacks a class; or if a class has too few groups to
            appear in all three.
    """
    check_setting("seed", seed)
    _check_classes(manifest)
    given = [bool(sample.split) for sample in manifest.samples]
    if all(given):
        manifest = _add_validation(manifest, seed)
        _check_splits(manifest)
        return manifest
    if any(given):
        raise ManifestError(
            "Either every row or none must have a split. "
            f"Received: {sum(given)} of {len(given)} rows with a split"
        )
    labels, groups = _list_labels(manifest)
    splits = np.full(len(labels), "train", dtype=object)
    _take_fold(splits, labels, groups, "test", _TEST_FOLDS, seed)
    _take_fold(splits, labels, groups, "validation", _VALIDATION_FOLDS, seed)
    return set_splits(manifest, splits.tolist())


def _add_validation(manifest: Manifest, seed: int) -> Manifest:
    """Public data sets often have training and test images only."""
    splits = np.array([sample.split for sample in manifest.samples], dtype=object)
    if "validation" in splits or "train" not in splits:
        return manifest
    _check_splits(manifest, SPLITS[:1])
    _LOGGER.warning("There is no split validation: an eighth of the training images becomes it.")
    labels, groups = _make_arrays(manifest)
    _take_fold(splits, labels, groups, "validation", _VALIDATION_FOLDS, seed)
    return set_splits(manifest, splits.tolist())


def split_folds(manifest: Manifest, folds: int, seed: int = 0) -> list[Manifest]:
    """Split k-fold: each image is in the test set of exactly one of the manifests.

    The rest of each fold is divided 7:1 into train and validation. Splits that the samples may
    have are ignored. A warning is logged if a test set lacks a class, which may be
    unavoidable if there are only a few large groups.

    Args:
        manifest: The samples.
        folds: Number of folds, at least 2.
        seed: The same seed gives the same folds.

    Returns:
        One manifest per fold, each with all samples.

    Raises:
        MscamError: If the seed is none that NumPy takes, or the folds are no number of at least 2.
        ManifestError: If there are fewer than two classes or fewer groups than folds, or a class
            has too few groups to appear in train and validation of every fold.

    Examples:
        >>> from pathlib import Path
        >>> from mscam_tf import Sample
        >>> samples = [Sample(f"{i}.png", "ab"[i % 2], str(i)) for i in range(12)]
        >>> manifests = split_folds(Manifest(Path("."), tuple(samples)), folds=3)
        >>> [len(manifest.select("test").samples) for manifest in manifests]
        [4, 4, 4]
    """
    check_setting("seed", seed)
    check_value("folds", folds, Number(2, whole=True))
    _check_classes(manifest)
    labels, groups = _list_labels(manifest)
    count = len(set(groups.tolist()))
    if folds > count:
        raise ManifestError(
            f"`folds` must be from 2 to the number of groups, {count}. Received: folds={folds}"
        )
    manifests = []
    for number, test in enumerate(_choose_folds(labels, groups, folds, seed), start=1):
        splits = np.full(len(labels), "train", dtype=object)
        splits[test] = "test"
        _take_fold(splits, labels, groups, "validation", _VALIDATION_FOLDS, seed)
        manifests.append(set_splits(manifest, splits.tolist()))
        _check_splits(manifests[-1])
        missing = sorted(set(labels.tolist()) - set(labels[test].tolist()))
        if missing:
            _LOGGER.warning("The test set of fold %d has no image of %s.", number, missing)
    return manifests


def set_splits(manifest: Manifest, splits: Sequence[str]) -> Manifest:
    """Return the samples with these splits, one for each."""
    pairs = zip(manifest.samples, splits, strict=True)
    return replace(manifest, samples=tuple(replace(s, split=split) for s, split in pairs))


def copy_splits(manifest: Manifest, source: Manifest) -> Manifest:
    """Give the samples the splits of another manifest, such as a run's `split.csv`.

    Images are matched by the file that their path leads to or, failing that, by the path itself.

    Raises:
        ManifestError: If any sample has no split there.
    """
    known = {sample.path: sample.split for sample in source.samples}
    spellings = Spellings(known, source.root)
    listed = [spellings.find(sample.path, manifest.root) for sample in manifest.samples]
    splits = [known.get(path or "", "") for path in listed]
    missing = [s.path for s, split in zip(manifest.samples, splits, strict=True) if not split]
    if missing:
        raise ManifestError(
            f"Every image must have a split in the split file. Received: none for {len(missing)} "
            f"images of {show_place(manifest.root)}, such as {missing[0]}"
        )
    return set_splits(manifest, splits)


def find_torn_groups(manifest: Manifest) -> dict[str, list[str]]:
    """Return the splits of each group that is in more than one."""
    splits: dict[str, set[str]] = {}
    for sample in manifest.samples:
        splits.setdefault(sample.group, set()).add(sample.split)
    return {group: sorted(names) for group, names in splits.items() if len(names) > 1}


def _list_labels(manifest: Manifest) -> tuple[np.ndarray, np.ndarray]:
    labels, groups = _make_arrays(manifest)
    _check_groups(labels, groups)
    return labels, groups


def _make_arrays(manifest: Manifest) -> tuple[np.ndarray, np.ndarray]:
    labels = np.array([sample.label for sample in manifest.samples])
    return labels, np.array([sample.group for sample in manifest.samples])


def _check_classes(manifest: Manifest) -> None:
    if len(manifest.class_names) < 2:
        raise ManifestError(
            "At least two classes are needed. "
            f"Received: {show_place(manifest.root)} with {manifest.class_names} only"
        )


def _check_splits(manifest: Manifest, needed: Sequence[str] = SPLITS[:2]) -> None:
    """A split that is given must be as honest as one of ours."""
    torn = find_torn_groups(manifest)
    if torn:
        raise ManifestError(
            "A group must be in one split only; otherwise the scores are too good. "
            f"Received: {len(torn)} groups in several, such as {next(iter(torn.items()))}"
        )
    for split in needed:
        missing = set(manifest.class_names) - set(manifest.select(split).class_names)
        if missing:
            raise ManifestError(
                f"Every class must be in the split {split}. Received: none of {sorted(missing)}; "
                "`mscam split` makes other splits"
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
    """Give the name to the fold of the training samples with the fairest share of each class."""
    rest = np.flatnonzero(splits == "train")
    classes = Counter(labels[rest].tolist())
    # scikit-learn wants as many groups, and one class at least as large as the number of folds.
    most = min(folds, max(classes.values()), len(set(groups[rest].tolist())))
    for count in range(most, 1, -1):
        fair: list[tuple[float, int, np.ndarray]] = []
        for fold in _make_folds(labels[rest], groups[rest], count, seed):
            taken = Counter(labels[rest[fold]].tolist())
            shares = [taken[label] / classes[label] for label in classes]
            if min(shares) > 0 and max(shares) < 1:
                # Rounded, so that chance differences of large classes do not decide.
                deviation = round(max(abs(share - 1 / folds) for share in shares), 1)
                fair.append((deviation, len(fair), fold))
        if fair:
            splits[rest[min(fair)[2]]] = name
            return
    raise ManifestError(
        f"No split keeps all classes in {name} while groups stay together; give a `split` column, "
        f"or more groups. Received: images per class {dict(Counter(labels.tolist()))}"
    )


def _choose_folds(
    labels: np.ndarray, groups: np.ndarray, folds: int, seed: int
) -> list[np.ndarray]:
    """Shuffle a few times and keep the folds in which the fewest classes are missing."""
    seeds = np.random.SeedSequence(seed).generate_state(_SHUFFLES).tolist()
    shuffles = (_make_folds(labels, groups, folds, state) for state in seeds)
    return min(shuffles, key=lambda chosen: -sum(len(set(labels[fold])) for fold in chosen))


def _make_folds(labels: np.ndarray, groups: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    # Who only reads a run does without scikit-learn, which takes a second to import.
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # A class with fewer groups than folds is dealt with here.
        warnings.simplefilter("ignore", UserWarning)
        return [fold for _, fold in splitter.split(labels, labels, groups)]
