"""The images of a run: which of them, and how they reach its model."""

import filecmp
import hashlib
import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mscam_tf.data.manifests import (
    SPLITS,
    Manifest,
    ManifestError,
    Spellings,
    read_manifest,
)
from mscam_tf.errors import MscamError
from mscam_tf.models import hash_file
from mscam_tf.names import show_place
from mscam_tf.runs.run import Run

_LOGGER = logging.getLogger(__name__)


def select_samples(
    run: Run, manifest: Manifest, split: str, *, known_labels: bool = True
) -> Manifest:
    """Return the samples of one split of a run, or all of them for `split="all"`.

    An image is known by its file, however its path is written, or else by its path: data may have
    moved since. Other images of the same names are refused.

    Args:
        run: The run.
        manifest: The images.
        split: `train`, `validation`, `test` or `all`.
        known_labels: Whether labels must be among those of the run.

    Raises:
        ManifestError: If the run's split has none of the manifest's images, some are others than
            the run's own of the same names, or a label is one that the run does not know.
    """
    if known_labels:
        run.task.encode(manifest)  # Raises for labels that it does not know.
    if split not in (*SPLITS, "all"):
        raise MscamError(f"`split` must be one of {(*SPLITS, 'all')}. Received: split={split!r}")
    if split == "all":
        _warn_of_training_images(count_trained(run, manifest), manifest)
        return manifest
    known = read_manifest(run.split_file)
    splits = {sample.path: sample.split for sample in known.samples}
    listed = _list_known(run, known, manifest)
    pairs = zip(manifest.samples, listed, strict=True)
    chosen = tuple(sample for sample, path in pairs if path and splits[path] == split)
    if not chosen:
        raise ManifestError(
            f"None of these images is in the split {split!r} of {run.split_file}; for other data "
            f"use the split 'all'. Received: {show_place(manifest.root)} with "
            f"{len(manifest.samples)} images"
        )
    selected = Manifest(manifest.root, chosen)
    check_own_data(run, selected, "use the split 'all'")
    if split == "train":
        _warn_of_training_images(len(chosen), selected)
    there = {*listed}
    _warn_of_missing([p for p in splits if splits[p] == split and p not in there], split, run)
    return selected


def _warn_of_missing(paths: Sequence[str], split: str, run: Run) -> None:
    """Name images of a split that data lack: files that are renamed are not known again."""
    if paths:
        _LOGGER.warning(
            "%d images of the split %r of %s are not among these data, and are left out, such as "
            "%s. An image that was renamed, or moved to the folder of another class, is not known "
            "again.",
            *(len(paths), split, run.folder, paths[0]),
        )


def check_own_data(run: Run, manifest: Manifest, advice: str) -> None:
    """Refuse images that have names of a run's own and are others, as far as that can be known.

    Data may have moved since. What lies elsewhere is compared with the run's own files; where these
    are gone, nobody knows, and a warning says so.

    Args:
        run: The run.
        manifest: Images that are given as its own.
        advice: What to do with other images, for the messages.

    Raises:
        ManifestError: If an image differs from the run's own of the same name.
    """
    known = read_manifest(run.split_file)
    listed = _list_known(run, known, manifest)
    pairs = [(path, own) for path, own in zip(manifest.paths, listed, strict=True) if own]
    kinds = [_is_own(path, Path(run.data) / own) for path, own in pairs]
    others = [path for (path, _), own in zip(pairs, kinds, strict=True) if own is False]
    if others:
        raise ManifestError(
            f"Images must be those of {run.data}, which {run.folder} was begun with, but others "
            f"have their names. To take these, {advice}. "
            f"Received: {len(others)} that differ, such as {others[0]}"
        )
    if None in kinds:
        _LOGGER.warning(
            "%s was trained on %s, where %d of its images are no longer. Images of the same names "
            "are taken for them; if they are others, %s.",
            run.folder,
            run.data,
            kinds.count(None),
            advice,
        )


def _list_known(run: Run, known: Manifest, manifest: Manifest) -> list[str | None]:
    """Return as what a run knows each image, by its file or its name; `None` if it does not."""
    spellings = Spellings([sample.path for sample in known.samples], run.data)
    return [spellings.find(sample.path, manifest.root) for sample in manifest.samples]


def _is_own(path: Path, own: Path) -> bool | None:
    """Whether an image is one of a run's, or a copy of it; `None` where that one is gone."""
    if not (own.is_file() and path.is_file()):
        return None
    return own.samefile(path) or filecmp.cmp(own, path, shallow=False)


def count_trained(run: Run, manifest: Manifest) -> int:
    """Count the images of a manifest that a run was trained on: its own files, or copies of them.

    A copy is known by its name, and by what is in it.
    """
    if not run.split_file.exists():  # Of a run that was made by hand.
        return 0
    known = read_manifest(run.split_file).select("train")
    pairs = zip(manifest.paths, _list_known(run, known, manifest), strict=True)
    return sum(bool(own and _is_own(path, Path(run.data) / own)) for path, own in pairs)


def _warn_of_training_images(seen: int, manifest: Manifest) -> None:
    if seen:
        _LOGGER.warning(
            "%d of %d images were trained on: scores on them say nothing of new images.",
            seen,
            len(manifest.samples),
        )


def describe_samples(manifest: Manifest) -> dict[str, Any]:
    """Return what a record says of the images that something was fitted on.

    Args:
        manifest: Images that can be read.

    Returns:
        The folder of the `data`; the number of `images` and of `groups` of them; their `sha256`, of
        what is in the files and their labels, whatever the files are called and wherever they lie;
        and the `version` of this library.

    Examples:
        >>> describe_samples(manifest)["groups"]  # doctest: +SKIP
        598
    """
    pairs = zip(manifest.paths, manifest.samples, strict=True)
    lines = sorted(f"{hash_file(path)} {sample.label}" for path, sample in pairs)
    return {
        "data": str(manifest.root),
        "images": len(lines),
        "groups": len({sample.group for sample in manifest.samples}),
        "sha256": hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest(),
        "version": version("mscam-tf"),
    }
