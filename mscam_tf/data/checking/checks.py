"""Check a data set before training: broken files, torn groups, leaks, contradictory labels."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mscam_tf.data.checking.duplicates import (
    MIN_SIMILARITY,
    Duplicate,
    Fingerprint,
    check_similarity,
    cluster_duplicates,
    connect,
    find_duplicates,
    take_fingerprint,
)
from mscam_tf.data.checking.marked import check_masks, list_denied, list_unmarked
from mscam_tf.data.manifests import Manifest, find_boxes, find_torn_groups
from mscam_tf.data.reading import ImageError, ReadOptions, map_images
from mscam_tf.files import write_table
from mscam_tf.outputs import Kind

DUPLICATES = Kind("a list of copies", keys=("cluster", "similarity"), single=True)


_LOGGER = logging.getLogger(__name__)
_MUCH = 0.5  # Share of an image that a mask marks.


@dataclass(frozen=True)
class DataReport:
    """What `check_manifest` found out about a data set.

    Attributes:
        manifest: The samples.
        sizes: How many images have each `(height, width)`.
        problems: Images and masks that cannot be read, and masks of another size than their image,
            with the reason.
        duplicates: Pairs of images that are copies of each other, by index of the sample; as many
            as connect all copies.
        clusters: Images connected by such pairs, by index of the sample.
        torn_groups: The splits of each group that is in more than one.
        denied: What is marked in images although their labels deny it, and boxes beside images.
        constant: Images of which all pixels are alike, as they are stored or by the window, by
            index of the sample: they show nothing.
        unmarked: Images whose label is not `none` but whose mask is empty, and that have no box, by
            index of the sample.
        covered: Images of which a mask marks more than half, by index of the sample: it may be
            inverted.
    """

    manifest: Manifest
    sizes: Counter[tuple[int, int]]
    problems: list[tuple[Path, str]]
    duplicates: list[Duplicate]
    clusters: list[list[int]]
    torn_groups: dict[str, list[str]]
    constant: Sequence[int] = ()
    denied: Sequence[str] = ()
    unmarked: Sequence[int] = ()
    covered: Sequence[int] = ()

    @property
    def leaks(self) -> list[list[int]]:
        """The clusters that are in more than one split."""
        return self._select("split")

    @property
    def contradictions(self) -> list[list[int]]:
        """The clusters with more than one label."""
        return self._select("label")

    @property
    def ungrouped(self) -> list[list[int]]:
        """The clusters in more than one group, which the next split may separate."""
        return self._select("group")

    @property
    def failed(self) -> bool:
        """Whether scores on these data would be wrong."""
        wrong = self.problems or self.torn_groups or self.leaks or self.contradictions
        return bool(wrong or self.denied)

    def _select(self, field: str) -> list[list[int]]:
        values = [getattr(sample, field) for sample in self.manifest.samples]
        return [members for members in self.clusters if len({values[i] for i in members}) > 1]


def check_manifest(
    manifest: Manifest,
    options: ReadOptions | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_compare: Callable[[int], None] | None = None,
    min_similarity: float = MIN_SIMILARITY,
) -> DataReport:
    """Read every image and mask once, and compare each image with all others.

    Args:
        manifest: The samples, with or without splits.
        options: How images are read.
        on_progress: Called with 1 after each image or mask is read.
        on_compare: Called with a number of images when they have been compared with all others.
        min_similarity: Above which correlation two images are copies, see `find_duplicates`.

    Returns:
        The `DataReport`. Files that cannot be read are listed there, not raised.

    Raises:
        ManifestError: If a row of the boxes beside the images holds none.
        MscamError: If `min_similarity` is not above 0 and at most 1.
    """
    check_similarity(min_similarity)
    found: dict[int, Fingerprint] = {}
    problems: list[tuple[Path, str]] = []
    fingerprints = map_images(take_fingerprint, manifest.paths, options or ReadOptions())
    for index, result in enumerate(fingerprints):
        if isinstance(result, ImageError):
            problems += result.problems
        else:
            found[index] = result
        if on_progress is not None:
            on_progress(1)
    sizes = {index: fingerprint.size for index, fingerprint in found.items()}
    broken, shares = check_masks(manifest, sizes, options or ReadOptions(), on_progress)
    readable = list(found)
    duplicates = [
        replace(pair, first=readable[pair.first], second=readable[pair.second])
        for pair in find_duplicates(list(found.values()), on_compare, min_similarity)
    ]
    boxes = find_boxes(manifest) or {}
    return DataReport(
        manifest,
        Counter(sizes.values()),
        problems + broken,
        duplicates,
        cluster_duplicates(len(manifest.samples), duplicates),
        find_torn_groups(manifest),
        [index for index, fingerprint in found.items() if fingerprint.constant],
        list(list_denied(manifest, boxes, sizes, shares)),
        list_unmarked(manifest, boxes, shares),
        [index for index, share in shares.items() if share > _MUCH],
    )


def group_duplicates(report: DataReport) -> Manifest:
    """Give all copies of an image the same group, so that no split separates them.

    Groups that are connected by a duplicate become one, under the name of the first of them.

    Args:
        report: From `check_manifest`.

    Returns:
        The samples with their groups; without splits, and with a warning, if a group would now be
        in several.
    """
    samples = report.manifest.samples
    firsts: dict[str, int] = {}
    pairs = [(firsts.setdefault(sample.group, i), i) for i, sample in enumerate(samples)]
    pairs += [(pair.first, pair.second) for pair in report.duplicates]
    groups = [sample.group for sample in samples]
    for members in connect(len(samples), pairs):
        for index in members:
            groups[index] = samples[members[0]].group
    joined = tuple(replace(s, group=g) for s, g in zip(samples, groups, strict=True))
    manifest = replace(report.manifest, samples=joined)
    if torn := find_torn_groups(manifest):
        _LOGGER.warning(
            "No image keeps its split, because copies are in several splits: split the images "
            "anew, with `mscam split`. Received: groups in several splits: %d, such as %s",
            len(torn),
            next(iter(torn)),
        )
        manifest = replace(manifest, samples=tuple(replace(s, split="") for s in joined))
    return manifest


def write_duplicates(report: DataReport, path: str | Path) -> None:
    """Write the pairs that connect all copies as rows of a CSV file: one for each further copy."""
    numbers = {i: n for n, members in enumerate(report.clusters, start=1) for i in members}
    fields = ("path", "label", "group", "split")
    columns = [f"{which}_{field}" for which in ("first", "second") for field in fields]
    rows = []
    for pair in report.duplicates:
        images = (report.manifest.samples[i] for i in (pair.first, pair.second))
        cells = [getattr(sample, field) for sample in images for field in fields]
        row = {
            "cluster": numbers[pair.first],
            "kind": "exact" if pair.exact else "near",
            "similarity": f"{pair.similarity:.3f}",
            "orientation": pair.orientation,
        }
        rows.append(row | dict(zip(columns, cells, strict=True)))
    write_table(path, rows, ["cluster", "kind", "similarity", "orientation", *columns])
