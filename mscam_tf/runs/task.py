"""What a run learns: one class of each image, or several findings in it."""

from collections import Counter
from typing import Any

import numpy as np

from mscam_tf.data.manifests import (
    Manifest,
    ManifestError,
    encode_findings,
    label_finding,
    list_findings,
    merge_rare,
    set_splits,
    split_manifest,
)
from mscam_tf.runs.run import Run


def list_classes(manifest: Manifest, several: bool) -> list[str]:
    """Return the classes of a manifest: its labels, or the findings that these name."""
    return list_findings(manifest) if several else manifest.class_names


def split_images(manifest: Manifest, several: bool, seed: int = 0) -> Manifest:
    """Split 7:1:2 by `split_manifest`; of several findings, each must be in every split.

    Raises:
        ManifestError: As `split_manifest` does, for the classes or for each finding by itself.
    """
    if not several:
        return split_manifest(manifest, seed)
    if not any(sample.split for sample in manifest.samples):
        split = split_manifest(merge_rare(manifest), seed)
        manifest = set_splits(manifest, [sample.split for sample in split.samples])
    for name in list_findings(manifest):
        split_manifest(label_finding(manifest, name))
    return manifest


def encode_labels(run: Run, manifest: Manifest) -> np.ndarray:
    """Return what the model of a run is to say: class indices `(n,)`, or 0 and 1, `(n, C)`.

    Raises:
        ManifestError: If an image has a label that the run does not know.
    """
    if run.config.several:
        return encode_findings(manifest, run.class_names)
    unknown = sorted(set(manifest.class_names) - set(run.class_names))
    if unknown:
        raise ManifestError(
            f"Run {run.folder} knows the classes {run.class_names}. Received: {unknown}"
        )
    return np.array([run.class_names.index(sample.label) for sample in manifest.samples], np.int32)


def weigh_classes(run: Run, manifest: Manifest) -> dict[int, float] | None:
    """Weigh each class by `n / (C n_c)`, so that a rare one counts as much as a common one.

    Without `balance`, and for several findings in one image, there are no such weights.
    """
    if run.config.several or not run.config.balance:
        return None
    counts: Counter[Any] = Counter(encode_labels(run, manifest).tolist())
    total, classes = len(manifest.samples), len(run.class_names)
    return {index: total / (classes * counts[index]) for index in range(classes)}
