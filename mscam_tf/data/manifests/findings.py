"""Several findings in one image: labels such as `bone|metal`, as tables of zeros and ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mscam_tf.data.manifests.samples import NO_OBJECT, Manifest, ManifestError, Sample
from mscam_tf.names import show_place

SEPARATOR = "|"


def split_findings(label: str) -> list[str]:
    """Return the findings that a label names; `none` names nothing.

    Examples:
        >>> split_findings("bone|metal"), split_findings("none")
        (['bone', 'metal'], [])
    """
    names = [name.strip() for name in label.split(SEPARATOR)]
    return [name for name in names if name and name != NO_OBJECT]


def join_findings(names: Sequence[str]) -> str:
    """Return the label of an image with these findings.

    Examples:
        >>> join_findings(["bone", "metal"]), join_findings([])
        ('bone|metal', 'none')
    """
    return SEPARATOR.join(names) or NO_OBJECT


def list_findings(manifest: Manifest) -> list[str]:
    """Return the findings that occur, sorted: their order is the order of the classes.

    Raises:
        ManifestError: If there is none, or a label says `none` beside a finding or in other
            letters, or nothing between its separators.
    """
    for sample in manifest.samples:
        _check_label(sample)
    found = sorted({name for s in manifest.samples for name in split_findings(s.label)})
    if not found:
        raise ManifestError(
            f"Labels must name findings, such as 'bone{SEPARATOR}metal', beside {NO_OBJECT!r}. "
            f"Received: {show_place(manifest.root)} with {manifest.class_names}"
        )
    return found


def _check_label(sample: Sample) -> None:
    names = [name.strip() for name in sample.label.split(SEPARATOR)]
    means_none = [name.lower() == NO_OBJECT for name in names]
    if "" in names or (any(means_none) and names != [NO_OBJECT]):
        raise ManifestError(
            f"The label of {sample.path} must be findings, such as 'bone{SEPARATOR}metal', or "
            f"{NO_OBJECT!r} alone. Received: {sample.label!r}"
        )


def encode_findings(manifest: Manifest, names: Sequence[str]) -> np.ndarray:
    """Return which of the findings each image has, `(n, C)`, float32 of 0 and 1.

    Raises:
        ManifestError: If an image has a finding that is none of them.

    Examples:
        >>> from pathlib import Path
        >>> from mscam_tf import Manifest, Sample
        >>> samples = (Sample("a.png", "bone|void", "a"), Sample("b.png", "none", "b"))
        >>> encode_findings(Manifest(Path(), samples), ["bone", "metal", "void"]).tolist()
        [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    rows = [set(split_findings(sample.label)) for sample in manifest.samples]
    unknown = sorted(set().union(*rows) - set(names))
    if unknown:
        raise ManifestError(f"The findings must be among {list(names)}. Received: {unknown}")
    return np.array([[name in row for name in names] for row in rows], np.float32)


def label_finding(manifest: Manifest, name: str) -> Manifest:
    """Label each image by one finding alone: its name where it is there, `no NAME` elsewhere."""
    samples = tuple(
        replace(s, label=name if name in split_findings(s.label) else f"no {name}")
        for s in manifest.samples
    )
    return replace(manifest, samples=samples)


def merge_rare(manifest: Manifest, least: int = 6) -> Manifest:
    """Merge rare combinations of findings, for splits that are stratified by label.

    Hardly any combination of many findings is frequent. A rare one counts as the rarest of its
    findings; what is rare even so counts as the most frequent of all.

    Args:
        manifest: The samples.
        least: A combination in fewer groups of images is rare.

    Returns:
        The samples with labels that are combinations, single findings, or `none`.
    """
    findings = Counter(n for sample in manifest.samples for n in split_findings(sample.label))
    labels = [join_findings(sorted(split_findings(s.label))) for s in manifest.samples]
    counts = _count_groups(manifest, labels)
    rarest = {
        label: min(split_findings(label), key=findings.__getitem__, default=label)
        for label in counts
    }
    labels = [label if counts[label] >= least else rarest[label] for label in labels]
    counts = _count_groups(manifest, labels)
    most = counts.most_common(1)[0][0]
    labels = [label if counts[label] >= least else most for label in labels]
    pairs = zip(manifest.samples, labels, strict=True)
    return replace(manifest, samples=tuple(replace(s, label=label) for s, label in pairs))


def _count_groups(manifest: Manifest, labels: Sequence[str]) -> Counter[str]:
    groups = [sample.group for sample in manifest.samples]
    return Counter(label for label, _ in set(zip(labels, groups, strict=True)))
