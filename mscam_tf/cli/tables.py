"""What the commands print about data: tables and plain words."""

from collections import Counter
from typing import TYPE_CHECKING

from mscam_tf.cli.console import CONSOLE, make_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mscam_tf.data.checking import DataReport
    from mscam_tf.data.manifests import Manifest

_SHOWN = 10  # Sets of copies that are listed; `mscam check --out` writes all.


def print_counts(manifest: "Manifest") -> None:
    """Print how many images each class has in each split."""
    from mscam_tf.data.manifests import SPLITS

    counts = Counter((sample.label, sample.split) for sample in manifest.samples)
    splits = [name for name in (*SPLITS, "") if any(split == name for _, split in counts)]
    rows = [
        (label, *(str(counts[label, name]) for name in splits)) for label in manifest.class_names
    ]
    columns = ("class", *(name or "no split" for name in splits))
    table = make_table(f"{len(manifest.samples)} images", *columns, rows=rows)
    for column in table.columns[1:]:
        column.justify = "right"
    CONSOLE.print(table)


def print_report(report: "DataReport") -> None:
    """Print in plain words what is wrong with a data set."""
    sizes = ", ".join(f"{h} x {w} ({count})" for (h, w), count in report.sizes.most_common(5))
    more = f" and {len(report.sizes) - 5} more" if len(report.sizes) > 5 else ""
    say(f"Sizes (height x width): {sizes or 'none'}{more}")
    if report.problems:
        say(f"BROKEN: {len(report.problems)} files cannot be read:")
        for path, reason in report.problems:
            say(f"  {path}: {reason}")
    _print_images(report, report.constant, "show nothing, all their pixels are alike:")
    _print_images(report, report.unmarked, "have an empty mask, but a label other than none:")
    _print_images(report, report.covered, "have a mask of more than half of them; is it inverted?")
    if report.torn_groups:
        say(f"LEAK: {len(report.torn_groups)} groups are in several splits:")
        for group, splits in list(report.torn_groups.items())[:_SHOWN]:
            say(f"  {group}: {', '.join(splits)}")
    _print_clusters(report, report.leaks, "LEAK: {} in several splits:", "split")
    _print_clusters(report, report.contradictions, "WRONG: {} under several labels:", "label")
    if report.denied:
        say(f"WRONG: {len(report.denied)} labels or marks contradict each other:")
        for line in [*report.denied[:_SHOWN], *["…"] * (len(report.denied) > _SHOWN)]:
            say(f"  {line}")
    _print_clusters(report, report.ungrouped, "Warning: {} in several groups:", "group")
    if report.ungrouped:
        say("Copies belong in one group, or a split tears them: see --write-groups.")
    if not (
        report.failed or report.ungrouped or report.constant or report.unmarked or report.covered
    ):
        say("Nothing is wrong: all files can be read, and no copies are apart.")


def _print_images(report: "DataReport", indices: "Sequence[int]", what: str) -> None:
    if indices:
        names = [report.manifest.samples[index].path for index in indices[:_SHOWN]]
        more = f" and {len(indices) - _SHOWN} more" * (len(indices) > _SHOWN)
        say(f"Warning: {len(indices)} images {what}")
        say(f"  {', '.join(names)}{more}")


def _print_clusters(
    report: "DataReport", clusters: list[list[int]], title: str, field: str
) -> None:
    if not clusters:
        return
    sets = f"{len(clusters)} set{'s' * (len(clusters) > 1)}"
    images = f"{sum(map(len, clusters))} images in {sets} of copies are"
    say(title.format(images))
    for members in clusters[:_SHOWN]:
        samples = [report.manifest.samples[index] for index in members]
        values = [(sample.path, getattr(sample, field)) for sample in samples[:4]]
        shown = [path if value == path else f"{path} ({value})" for path, value in values]
        more = f" and {len(samples) - 4} more" if len(samples) > 4 else ""
        say(f"  {', '.join(shown)}{more}")
    if len(clusters) > _SHOWN:
        say(f"  and {len(clusters) - _SHOWN} more: --out writes all.")
