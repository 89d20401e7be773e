"""Several findings in one image: labels such as `bone|metal`, as tables of zeros and ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mscam_tf.data.labels import NO_OBJECT
from mscam_tf.data.manifest import Manifest, ManifestError

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
        ManifestError: If there is none.
    """
    found = sorted({name for s in manifest.samples for name in split_findings(s.label)})
    if not found:
        raise ManifestError(
            f"Labels must name findings, such as 'bone{SEPARATOR}metal', beside {NO_OBJECT!r}. "
            f"Received: {manifest.root} with {manifest.class_names}"
        )
    return found


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


def merge_rare(manifest: Manifest, least: int = 6) -> Manifest:
    """Name the images of a rare combination of findings after the rarest of these findings.

    For splits that are stratified by label: hardly any combination of many findings is frequent.

    Args:
        manifest: The samples.
        least: A combination of fewer images is rare.

    Returns:
        The samples with labels that are combinations or single findings.
    """
    combinations = Counter(sample.label for sample in manifest.samples)
    findings = Counter(n for sample in manifest.samples for n in split_findings(sample.label))

    def name(label: str) -> str:
        names = split_findings(label)
        return min(names, key=findings.__getitem__) if names else label

    samples = tuple(
        s if combinations[s.label] >= least else replace(s, label=name(s.label))
        for s in manifest.samples
    )
    return replace(manifest, samples=samples)
