"""The images of a run: which of them, and how they reach its model."""

import logging
from collections.abc import Sequence
from pathlib import Path

from mscam_tf.data.manifests import (
    SPLITS,
    Manifest,
    ManifestError,
    Sample,
    Spellings,
    read_manifest,
)
from mscam_tf.errors import MscamError
from mscam_tf.names import show_place
from mscam_tf.runs.run import Run

_LOGGER = logging.getLogger(__name__)


def select_samples(
    run: Run, manifest: Manifest, split: str, *, known_labels: bool = True
) -> Manifest:
    """Return the samples of one split of a run, or all of them for `split="all"`.

    An image is known by its file, however its path is written, or else by its path: data may have
    moved since.

    Args:
        run: The run.
        manifest: The images.
        split: `train`, `validation`, `test` or `all`.
        known_labels: Whether labels must be among those of the run.

    Raises:
        ManifestError: If the run's split has none of the manifest's images, or a label is one
            that the run does not know.
    """
    if known_labels:
        run.task.encode(manifest)  # Raises for labels that it does not know.
    if split not in (*SPLITS, "all"):
        raise MscamError(f"`split` must be one of {(*SPLITS, 'all')}. Received: split={split!r}")
    if split == "all":
        _warn_of_training_images(run, manifest)
        return manifest
    known = {sample.path: sample.split for sample in read_manifest(run.split_file).samples}
    spellings = Spellings(known, run.data)
    listed = [spellings.find(sample.path, manifest.root) for sample in manifest.samples]
    pairs = zip(manifest.samples, listed, strict=True)
    chosen = tuple(sample for sample, path in pairs if path and known[path] == split)
    if not chosen:
        raise ManifestError(
            f"None of these images is in the split {split!r} of {run.split_file}; for other data "
            f"use the split 'all'. Received: {show_place(manifest.root)} with "
            f"{len(manifest.samples)} images"
        )
    selected = Manifest(manifest.root, chosen)
    warn_of_other_data(run, selected)
    return selected


def warn_of_other_data(run: Run, manifest: Manifest) -> None:
    """Data may have moved since; other data with the same names would be taken for them."""
    if _count_own(run, manifest, chosen=manifest.samples) < len(manifest.samples):
        _LOGGER.warning(
            "%s was trained on %s: images of the same names are taken for its own.",
            run.folder,
            run.data,
        )


def _count_own(run: Run, manifest: Manifest, chosen: Sequence[Sample]) -> int:
    """Count the images of a manifest that are the very files of samples of the run."""
    known = {(Path(run.data) / sample.path).resolve() for sample in chosen}
    return sum(path.resolve() in known for path in manifest.paths)


def count_trained(run: Run, manifest: Manifest) -> int:
    """Count the images of a manifest that a run was trained on."""
    if not run.split_file.exists():  # Of a run that was made by hand.
        return 0
    return _count_own(run, manifest, read_manifest(run.split_file).select("train").samples)


def _warn_of_training_images(run: Run, manifest: Manifest) -> None:
    seen = count_trained(run, manifest)
    if seen:
        _LOGGER.warning(
            "%d of %d images were trained on: scores on them say nothing of new images.",
            seen,
            len(manifest.samples),
        )
